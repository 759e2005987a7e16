package session_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A tally counts how often records of calls are written.
type tally struct {
	session.Storage
	writes atomic.Int64
}

func (s *tally) Set(ctx context.Context, scope session.Scope, key string, value []byte) error {
	if strings.HasSuffix(key, ":att") {
		s.writes.Add(1)
	}
	return s.Storage.Set(ctx, scope, key, value)
}

// A sharedTally is one of a storage that several processes write to.
type sharedTally struct {
	session.SharedStorage
	writes atomic.Int64
}

func (s *sharedTally) Swap(ctx context.Context, scope session.Scope, key string, old, value []byte) (bool, error) {
	if strings.HasSuffix(key, ":att") {
		s.writes.Add(1)
	}
	return s.SharedStorage.Swap(ctx, scope, key, old, value)
}

// TestPingsOfTheServiceCostFewWrites: they come for each call, and say nothing but
// that it lives (behaviour.md D79).
func TestPingsOfTheServiceCostFewWrites(t *testing.T) {
	one, several := &tally{Storage: session.NewMemoryStorage()}, &sharedTally{SharedStorage: sharedMemory()}
	for name, c := range map[string]struct {
		storage session.Storage
		writes  *atomic.Int64
		most    int64 // in a minute
	}{
		"of one process": {one, &one.writes, 2 * 3},
		"shared":         {several, &several.writes, 50}, // the signs of life
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{CallPingInterval: 5 * time.Second}, func(t *testing.T, b *callBubble) {
				ann := b.open(t, "ann", session.Options{Storage: c.storage, PersistSession: true})
				first := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
				second := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{}))
				pass(time.Second)
				before := c.writes.Load()
				pass(time.Minute)
				if n := c.writes.Load() - before; n > c.most || n < 2 {
					t.Errorf("%d writes, want at most %d", n, c.most)
				}
				if err := first.Hangup(t.Context()); err != nil {
					t.Error(err)
				}
				b.over(t, ann, second)
			})
		})
	}
}
