package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestWrongSealKeyLeavesRecordsOfOthers: a client that cannot open the records of
// a dead process says so once, has its own call, and leaves them as they are.
func TestWrongSealKeyLeavesRecordsOfOthers(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		inner := sharedMemory()
		right, wrong := sealedStorage(t, inner, sealKey(1)), sealedStorage(t, inner, sealKey(2))
		first := b.start(t, "ann", right, session.Options{})
		left := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
		pass(3 * time.Second)
		key := recordsKey(first)
		b.vanish(first, "ann")

		second := b.start(t, "ann", wrong, takingUp(session.MediaOptions{}))
		k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
		pass(10 * time.Second)
		if err := k.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		_ = second.Close()

		records, ok, err := right.Get(t.Context(), session.ScopePersistent, key)
		if !ok || err != nil || !strings.Contains(string(records), string(left.ID())) {
			t.Errorf("with the right key: %q, %v, %v, want the record of %s", records, ok, err, left.ID())
		}
		said := 0
		for _, e := range told[*errs.StorageError](second) {
			if e.Key != key {
				continue
			}
			said++
			if e.Op != "decode" || !errors.Is(e, errs.ErrSealed) || !strings.Contains(e.Error(), "add the key") {
				t.Errorf("told %v", e)
			}
		}
		if said != 1 {
			t.Errorf("told of %s %d times, want once: %v", key, said, second.errors)
		}
	})
}

// TestSealedRecordsAreLeftAloneByWhoDoesNotSeal: a client whose storage is opened
// without its seal by mistake does as one with a wrong key.
func TestSealedRecordsAreLeftAloneByWhoDoesNotSeal(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		inner := sharedMemory()
		sealed := sealedStorage(t, inner, sealKey(1))
		first := b.start(t, "ann", sealed, session.Options{})
		left := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
		pass(3 * time.Second)
		key := recordsKey(first)
		b.vanish(first, "ann")

		second := b.start(t, "ann", inner, takingUp(session.MediaOptions{}))
		k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
		pass(10 * time.Second)
		if err := k.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		_ = second.Close()

		records, ok, err := sealed.Get(t.Context(), session.ScopePersistent, key)
		if !ok || err != nil || !strings.Contains(string(records), string(left.ID())) {
			t.Errorf("with the seal: %q, %v, %v, want the record of %s", records, ok, err, left.ID())
		}
		said := 0
		for _, e := range told[*errs.StorageError](second) {
			if e.Key != key {
				continue
			}
			said++
			if e.Op != "decode" || !errors.Is(e, errs.ErrSealed) {
				t.Errorf("told %v", e)
			}
		}
		if said != 1 {
			t.Errorf("told of %s %d times, want once: %v", key, said, second.errors)
		}
	})
}
