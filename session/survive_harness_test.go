package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A machine is where one process of a subscriber runs. It can vanish, as with
// kill -9 or a power cut: from then on nothing of it reaches anybody.
type machine struct {
	lineOf
	addr    string
	storage *mortal

	mu     sync.Mutex
	errors []error
}

var errVanished = errors.New("there is no such machine")

// A mortal storage and its wire end with their machine.
type mortal struct {
	session.SharedStorage
	http.RoundTripper
	dead, cut atomic.Bool // cut: only the storage
}

func (m *mortal) gone() error {
	if m.dead.Load() || m.cut.Load() {
		return errVanished
	}
	return nil
}

func (m *mortal) Get(ctx context.Context, s session.Scope, key string) ([]byte, bool, error) {
	if err := m.gone(); err != nil {
		return nil, false, err
	}
	return m.SharedStorage.Get(ctx, s, key)
}

func (m *mortal) Set(ctx context.Context, s session.Scope, key string, value []byte) error {
	return errors.Join(m.gone(), ifAlive(m, func() error { return m.SharedStorage.Set(ctx, s, key, value) }))
}

func (m *mortal) Delete(ctx context.Context, s session.Scope, key string) error {
	return errors.Join(m.gone(), ifAlive(m, func() error { return m.SharedStorage.Delete(ctx, s, key) }))
}

func (m *mortal) Swap(ctx context.Context, s session.Scope, key string, old, value []byte) (bool, error) {
	if err := m.gone(); err != nil {
		return false, err
	}
	return m.SharedStorage.Swap(ctx, s, key, old, value)
}

func ifAlive(m *mortal, do func() error) error {
	if m.gone() != nil {
		return nil
	}
	return do()
}

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.dead.Load() {
		return nil, errVanished
	}
	return m.RoundTripper.RoundTrip(r)
}

// sharedMemory is a storage that several machines reach.
func sharedMemory() session.SharedStorage {
	return session.NewMemoryStorage().(session.SharedStorage)
}

// start opens a client on a machine of its own, with the calls that are left.
func (b *callBubble) start(t *testing.T, name string, s session.SharedStorage, o session.Options) *machine {
	t.Helper()
	m := b.boot(t, name, s, o)
	if err := m.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait() // what resumes the session is stored
	return m
}

// boot is start without connecting.
func (b *callBubble) boot(t *testing.T, name string, s session.SharedStorage, o session.Options) *machine {
	t.Helper()
	m := &machine{storage: &mortal{SharedStorage: s, RoundTripper: b.srv.Client().Transport}}
	o.APIURL, o.RelayURL, o.DPoPKey = b.srv.APIURL(), b.srv.RelayURL(), sharedKey()
	o.HTTPClient = &http.Client{Transport: m.storage}
	o.PersistSession, o.Storage = true, m.storage
	b.used++
	m.host, m.addr = b.hosts[b.used], fmt.Sprintf("10.0.0.%d", b.used+1)
	if give := o.ReattachMedia; give != nil {
		o.ReattachMedia = func(k *session.Call) session.MediaOptions { return m.media(give(k)) }
	} else {
		o.ReattachMedia = func(*session.Call) session.MediaOptions { return m.media(session.MediaOptions{}) }
	}
	sat := b.srv.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: time.Hour})
	c, err := session.New(session.StaticCredentials(session.Credential{Token: sat.Token}), o)
	if err != nil {
		t.Fatal(err)
	}
	m.Client = c
	c.ObserveErrors().Subscribe(context.Background(), func(err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.errors = append(m.errors, err)
	})
	t.Cleanup(func() { _ = c.Close() })
	return m
}

// vanish is the end of the machine.
func (b *callBubble) vanish(m *machine, name string) {
	synctest.Wait() // what it has on record is written
	m.storage.dead.Store(true)
	b.srv.Drop(name)
	synctest.Wait() // the gateway has noticed
}

// told are the errors of one type that the client has reported.
func told[E error](m *machine) (found []E) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, err := range m.errors {
		var e E
		if errors.As(err, &e) {
			found = append(found, e)
		}
	}
	return found
}

// toldOnce is the error about a stored value that the client has reported, once.
func toldOnce(t *testing.T, m *machine, key string) *errs.StorageError {
	t.Helper()
	about := slices.DeleteFunc(told[*errs.StorageError](m), func(e *errs.StorageError) bool { return e.Key != key })
	if len(about) != 1 {
		t.Fatalf("told of %s %d times, want once: %v", key, len(about), m.errors)
	}
	return about[0]
}

// takingUp are options of a client that takes calls up and hears them with into.
func takingUp(o session.MediaOptions) session.Options {
	return session.Options{
		ReconnectAttachedCalls: true,
		ReattachMedia:          func(*session.Call) session.MediaOptions { return o },
	}
}

// theCall waits for the one call of a client.
func theCall(t *testing.T, m *machine) *session.Call {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	calls, err := m.ObserveCalls().Wait(ctx, func(calls []*session.Call) bool { return len(calls) == 1 })
	if err != nil {
		t.Fatalf("no call: %v; errors %v", err, m.errors)
	}
	return calls[0]
}

// silence ends what a machine sends, as its end does.
func (b *callBubble) silence(m *machine) { b.gone.Store(m.addr, true) }

// A fastClock shows a storage as a machine sees it whose clock is so far ahead of
// the others'.
type fastClock struct {
	session.SharedStorage
	ahead time.Duration
}

var attachedAt = regexp.MustCompile(`"attachedAt":\d+`)

func later(value []byte, by time.Duration) []byte {
	if value == nil {
		return nil
	}
	return attachedAt.ReplaceAllFunc(value, func(field []byte) []byte {
		at, _ := strconv.ParseInt(string(bytes.TrimPrefix(field, []byte(`"attachedAt":`))), 10, 64)
		return fmt.Appendf(nil, `"attachedAt":%d`, at+by.Milliseconds())
	})
}

func (f fastClock) Get(ctx context.Context, s session.Scope, key string) ([]byte, bool, error) {
	value, ok, err := f.SharedStorage.Get(ctx, s, key)
	return later(value, -f.ahead), ok, err
}

func (f fastClock) Swap(ctx context.Context, s session.Scope, key string, old, value []byte) (bool, error) {
	return f.SharedStorage.Swap(ctx, s, key, later(old, f.ahead), later(value, f.ahead))
}
