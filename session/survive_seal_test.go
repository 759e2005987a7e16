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
	leavesSealedRecords(t, func(t *testing.T, inner session.SharedStorage) session.SharedStorage {
		return sealedStorage(t, inner, sealKey(2))
	})
}

// TestSealedRecordsAreLeftAloneByWhoDoesNotSeal: a client whose storage is opened
// without its seal by mistake does as one with a wrong key.
func TestSealedRecordsAreLeftAloneByWhoDoesNotSeal(t *testing.T) {
	leavesSealedRecords(t, func(_ *testing.T, inner session.SharedStorage) session.SharedStorage { return inner })
}

// leavesSealedRecords checks a process whose storage is opened by mistake.
func leavesSealedRecords(t *testing.T, mistake func(t *testing.T, inner session.SharedStorage) session.SharedStorage) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		inner := sharedMemory()
		right := sealedStorage(t, inner, sealKey(1))
		first := b.start(t, "ann", right, session.Options{})
		left := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
		pass(3 * time.Second)
		key := recordsKey(first)
		b.vanish(first, "ann")

		second := b.start(t, "ann", mistake(t, inner), takingUp(session.MediaOptions{}))
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
		if e := toldOnce(t, second, key); e.Op != "decode" || !errors.Is(e, errs.ErrSealed) || !strings.Contains(e.Error(), "add the key") {
			t.Errorf("told %v", e)
		}
	})
}
