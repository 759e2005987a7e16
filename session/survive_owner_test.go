package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestCallsOfALivingProcessAreLeftToIt: the next one is told, has a session of its
// own, and disturbs nothing.
func TestCallsOfALivingProcessAreLeftToIt(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage, heard := sharedMemory(), newListener(t)
		first := b.start(t, "ann", storage, session.Options{})
		k := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{AudioSink: heard}))
		pass(time.Second)
		mine := storedText(t, first, ":as")
		second := b.start(t, "ann", storage, takingUp(session.MediaOptions{}))
		pass(10 * time.Second)
		owned := told[*errs.CallOwnedError](second)
		if len(owned) != 1 || owned[0].CallID != k.ID() || len(second.errors) != 1 || len(second.Calls()) != 0 {
			t.Errorf("the second is told %v, has %v", second.errors, second.Calls())
		}
		if len(told[error](first)) != 0 || len(b.srv.Journal().RPC(rpcConnect)) != 2 || reinvites(b.srv, k) != 1 {
			t.Errorf("the first is told %v", first.errors)
		}
		wantTone(t, "ann", heard, 440, -6)
		other := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
		pass(3 * time.Second)
		if r := records(t, first); len(r) != 2 || r[k.ID()].Owner == r[other.ID()].Owner {
			t.Errorf("on record: %v", r)
		}
		_ = second.Close()
		synctest.Wait() // what it stores is stored
		if r := records(t, first); len(r) != 1 || storedText(t, first, ":as") != mine {
			t.Errorf("on record: %v; what resumes the first session is kept: %v", r, storedText(t, first, ":as") == mine)
		}
		b.over(t, first.lineOf, k)
	})
}

// TestCallIsLeftToItsLivingProcessWhateverTheClocksSay: what the storage says of the
// time is of another machine's clock.
func TestCallIsLeftToItsLivingProcessWhateverTheClocksSay(t *testing.T) {
	for _, ahead := range []time.Duration{30 * time.Second, -30 * time.Second} {
		t.Run(ahead.String(), func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				storage := sharedMemory()
				first := b.start(t, "ann", storage, session.Options{})
				k := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
				pass(time.Second)
				for name, o := range map[string]session.Options{"takes calls up": takingUp(session.MediaOptions{}), "does not": {}} {
					second := b.start(t, "ann", fastClock{storage, ahead}, o)
					pass(10 * time.Second)
					if owned := told[*errs.CallOwnedError](second); len(second.Calls()) != 0 || o.ReconnectAttachedCalls != (len(owned) == 1) {
						t.Errorf("one that %s is told %v, has %v", name, second.errors, second.Calls())
					}
					_ = second.Close()
				}
				if k.Status() != session.CallStatusConnected || len(told[*errs.CallOwnedError](first)) != 0 {
					t.Errorf("the call is %v, its process told %v", k.Status(), first.errors)
				}
				b.over(t, first.lineOf, k)
			})
		})
	}
}

// A recorded call is what a record says of its owner.
type recorded struct {
	Owner      string `json:"owner"`
	Beat       uint64 `json:"beat"`
	AttachedAt int64  `json:"attachedAt"`
}

func records(t *testing.T, m *machine) map[string]recorded {
	t.Helper()
	var all map[string]recorded
	if err := json.Unmarshal([]byte(storedText(t, m, ":att")), &all); err != nil {
		t.Error(err)
	}
	return all
}

func storedText(t *testing.T, m *machine, suffix string) string {
	t.Helper()
	v, _, err := m.storage.SharedStorage.Get(t.Context(), session.ScopePersistent, "sw:"+m.User().ID+suffix)
	if err != nil {
		t.Error(err)
	}
	return string(v)
}

// TestOneOfTwoProcessesGetsACall, and the other is told, whether the call was left
// to them or its owner has vanished.
func TestOneOfTwoProcessesGetsACall(t *testing.T) {
	for name, owner := range map[string]string{"left": "", "its owner has vanished": "somebody"} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				storage := sharedMemory()
				user := b.start(t, "ann", storage, session.Options{})
				key := recordsKey(user)
				_ = user.Close()
				for range 100 {
					b.raceForACall(t, storage, key, owner)
				}
			})
		})
	}
}

func (b *callBubble) raceForACall(t *testing.T, storage session.SharedStorage, key, owner string) {
	t.Helper()
	unanswered(b.srv) // whoever has the call keeps it for a while
	value, err := json.Marshal(map[string]any{"c-1": map[string]any{
		"destination": "/public/echo", "direction": "outbound", "to": map[string]any{"uri": "/public/echo"},
		"mediaDirections": map[string]any{"audio": "sendrecv"}, "owner": owner, "attachedAt": time.Now().UnixMilli(),
	}})
	if err == nil {
		err = storage.Set(t.Context(), session.ScopePersistent, key, value)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.used = 0
	rivals := []*machine{b.boot(t, "ann", storage, takingUp(session.MediaOptions{})), b.boot(t, "ann", storage, takingUp(session.MediaOptions{}))}
	var both sync.WaitGroup
	for _, m := range rivals {
		both.Go(func() {
			if err := m.Connect(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	pass(8 * time.Second) // both know
	winners := 0
	for _, m := range rivals {
		owned := told[*errs.CallOwnedError](m)
		switch {
		case len(m.Calls())+len(told[*errs.AttachError](m)) == 1 && len(owned) == 0: // it has the call, or has tried by now
			winners++
		case len(m.Calls()) == 0 && len(owned) == 1 && owned[0].CallID == "c-1":
		default:
			t.Errorf("%d calls, told %v", len(m.Calls()), m.errors)
		}
	}
	if winners != 1 {
		t.Errorf("%d have the call", winners)
	}
	for _, m := range rivals {
		_ = m.Close()
	}
	b.srv.ClearFaults()
}

// TestCallThatIsLeftIsHeldWhileAnotherIsWatched: nobody else takes it meanwhile.
func TestCallThatIsLeftIsHeldWhileAnotherIsWatched(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage := sharedMemory()
		user := b.start(t, "ann", storage, session.Options{})
		key := recordsKey(user)
		_ = user.Close()
		unanswered(b.srv)
		b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{RPC: rpcConnect}, Times: -1,
			Action: sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second},
		})
		all := map[string]any{}
		for id, owner := range map[string]string{"left": "", "vanished": "somebody"} {
			all[id] = map[string]any{
				"destination": "/public/echo", "direction": "outbound", "to": map[string]any{"uri": "/public/echo"},
				"mediaDirections": map[string]any{"audio": "sendrecv"}, "owner": owner, "attachedAt": time.Now().UnixMilli(),
			}
		}
		if value, err := json.Marshal(all); err != nil || storage.Set(t.Context(), session.ScopePersistent, key, value) != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		rivals := []*machine{b.boot(t, "ann", storage, takingUp(session.MediaOptions{})), b.boot(t, "ann", storage, takingUp(session.MediaOptions{}))}
		for i, m := range rivals {
			both.Go(func() {
				time.Sleep(time.Duration(i) * 200 * time.Millisecond)
				if err := m.Connect(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		pass(4 * time.Second)
		if n, m := len(told[*errs.CallOwnedError](rivals[0])), len(rivals[0].Calls()); n != 0 || m != 2 {
			t.Errorf("the first has %d calls and is told %v", m, rivals[0].errors)
		}
		if n, m := len(told[*errs.CallOwnedError](rivals[1])), len(rivals[1].Calls()); n != 2 || m != 0 {
			t.Errorf("the second has %d calls and is told %v", m, rivals[1].errors)
		}
		b.srv.ClearFaults()
	})
}

// TestProcessThatWasPausedLearnsThatItsCallIsTaken: it ends its own side, with the
// reason, and hangs nobody up.
func TestProcessThatWasPausedLearnsThatItsCallIsTaken(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage, heard := sharedMemory(), newListener(t)
		first := b.start(t, "ann", storage, session.Options{})
		k := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
		second, now := b.survive(t, first, "ann", takingUp(session.MediaOptions{AudioSink: heard}))
		first.storage.dead.Store(false) // it goes on
		<-k.Done()
		why := k.EndReason()
		var owned *errs.CallOwnedError
		if why.By != errs.EndedByNetwork || !errors.As(why, &owned) || owned.CallID != k.ID() || len(told[*errs.CallOwnedError](first)) != 1 {
			t.Errorf("ended %v, told %v", why, first.errors)
		}
		pass(10 * time.Second)
		if now.Status() != session.CallStatusConnected || len(told[error](second)) != 0 || second.Status() != session.StatusOnline {
			t.Errorf("the call is %v, its client %v, told %v", now.Status(), second.Status(), second.errors)
		}
		if first.Status() != session.StatusOnline || len(b.srv.Journal().Verto("verto.bye")) != 0 || len(b.srv.Journal().RPC(rpcConnect)) != 3 {
			t.Errorf("the first is %v; byes %v", first.Status(), b.srv.Journal().Verto("verto.bye"))
		}
		wantTone(t, "ann", heard, 440, -6)
		b.over(t, second.lineOf, now)
	})
}

// A lateStorage takes one value at once and says so late.
type lateStorage struct {
	session.SharedStorage
	next  atomic.Bool // the next Swap is late
	taken chan struct{}
}

const lateness = 4500 * time.Millisecond

func (s *lateStorage) Swap(ctx context.Context, scope session.Scope, key string, old, value []byte) (bool, error) {
	ok, err := s.SharedStorage.Swap(ctx, scope, key, old, value)
	if s.next.CompareAndSwap(true, false) {
		close(s.taken)
		time.Sleep(lateness)
	}
	return ok, err
}

// TestLeaseRunsFromWhenItIsWritten, not from when that is known: a process that
// was paused meanwhile does not cut off the one that has its calls by now.
func TestLeaseRunsFromWhenItIsWritten(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage := &lateStorage{SharedStorage: sharedMemory(), taken: make(chan struct{})}
		ann := b.start(t, "ann", storage, session.Options{})
		k := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{}))
		pass(3 * time.Second)
		storage.next.Store(true)
		<-storage.taken
		ann.storage.cut.Store(true)           // it is the last sign of life
		pass(lateness + 700*time.Millisecond) // a lease, though known for less than a second
		b.srv.Drop("ann")
		pass(3 * time.Second)
		connects := b.srv.Journal().RPC(rpcConnect)
		if len(connects) != 2 || connects[0].Session == connects[1].Session {
			t.Errorf("%d connects, the last resumes the session: %v", len(connects), connects[0].Session == connects[len(connects)-1].Session)
		}
		if k.Status() != session.CallStatusConnected {
			t.Errorf("the call is %v", k.Status())
		}
		ann.storage.cut.Store(false)
		b.over(t, ann.lineOf, k)
	})
}

// TestProcessThatCannotReachTheStorageKeepsItsCall: who takes it over meanwhile is
// told by the service when the call goes back.
func TestProcessThatCannotReachTheStorageKeepsItsCall(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage, heard := sharedMemory(), newListener(t)
		first := b.start(t, "ann", storage, session.Options{})
		k := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{AudioSink: heard}))
		first.storage.cut.Store(true)
		pass(10 * time.Second)
		second := b.start(t, "ann", storage, takingUp(session.MediaOptions{}))
		taken := theCall(t, second)
		<-taken.Done()
		pass(10 * time.Second)
		first.storage.cut.Store(false)
		pass(20 * time.Second)
		if k.Status() != session.CallStatusConnected || len(second.Calls()) != 0 || taken.EndReason().Code != errs.CauseAnsweredElsewhere {
			t.Errorf("the call is %v, the other %v", k.Status(), taken.EndReason())
		}
		if r := records(t, first); len(r) != 1 || time.Since(time.UnixMilli(r[k.ID()].AttachedAt)) > 3*time.Second {
			t.Errorf("on record: %v", r)
		}
		wantTone(t, "ann", heard, 440, -6)
		b.over(t, first.lineOf, k)
	})
}

// TestCallIsHandedOver on a planned restart: the next process has it at once, and
// the far end hears no goodbye.
func TestCallIsHandedOver(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage, heard := sharedMemory(), newListener(t)
		first, bob := b.start(t, "ann", storage, session.Options{}), b.client(t, "bob")
		k, far := b.pair(t, first.lineOf, bob, "ann", session.MediaOptions{}, session.MediaOptions{AudioSource: newTone(t, 520, -24)})
		if err := first.Handover(t.Context()); err != nil {
			t.Error(err)
		}
		if !errors.Is(k.Err(), errs.ErrClosed) {
			t.Errorf("ended %v", k.Err())
		}
		began := time.Now()
		second := b.start(t, "ann", storage, takingUp(session.MediaOptions{AudioSink: heard}))
		now := theCall(t, second)
		awaitStatus(t, now, session.CallStatusConnected)
		if took := time.Since(began); took > time.Second || len(told[error](second)) != 0 {
			t.Errorf("it took %v, told %v", took, second.errors)
		}
		pass(time.Second)
		wantTone(t, "ann", heard, 520, -24)
		if far.Status() != session.CallStatusConnected || now.ID() != k.ID() {
			t.Errorf("the far end is %v", far.Status())
		}
		b.over(t, second.lineOf, now)
		<-far.Done()
	})
}

// TestTwoProcessesWithoutCallsDoNotTakeTheSessionFromEachOther: the one that came
// last has it; the first learns of it when it is cut off, and has another one.
func TestTwoProcessesWithoutCallsDoNotTakeTheSessionFromEachOther(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage := sharedMemory()
		first := b.start(t, "ann", storage, session.Options{})
		second := b.start(t, "ann", storage, session.Options{})
		pass(10 * time.Minute)
		connects := b.srv.Journal().RPC(rpcConnect)
		if len(connects) != 3 || connects[0].Session != connects[1].Session || connects[2].Session == connects[0].Session {
			t.Errorf("%d connects", len(connects))
		}
		if len(told[*errs.SessionOwnedError](first)) != 1 || len(told[error](second)) != 0 {
			t.Errorf("the first is told %v, the second %v", first.errors, second.errors)
		}
		for name, m := range map[string]*machine{"first": first, "second": second} {
			k := connected(t, m.Client, "/public/echo", m.dialing(session.MediaOptions{}))
			b.over(t, m.lineOf, k)
			if m.Status() != session.StatusOnline {
				t.Errorf("the %s is %v", name, m.Status())
			}
		}
		b.srv.Drop("ann") // both
		pass(time.Minute)
		if n := len(b.srv.Journal().RPC(rpcConnect)); n != 5 || len(told[*errs.SessionOwnedError](first)) != 1 {
			t.Errorf("%d connects after a drop, told %v", n, first.errors)
		}
		mine := storedText(t, second, ":pt")
		_, _ = first.Close(), second.Close()
		b.used--
		third := b.start(t, "ann", storage, session.Options{})
		if storedText(t, third, ":pt") != mine {
			t.Error("the third does not go on with the session of the second")
		}
	})
}

// TestDisconnectErasesNoSessionThatIsAnothersByNow: the next process of that other
// one still resumes it.
func TestDisconnectErasesNoSessionThatIsAnothersByNow(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage := sharedMemory()
		first := b.start(t, "ann", storage, session.Options{})
		b.vanish(first, "ann") // it is paused
		second := b.start(t, "ann", storage, session.Options{})
		pass(time.Second)
		state, protocol := storedText(t, second, ":as"), storedText(t, second, ":pt")
		first.storage.dead.Store(false) // it goes on
		if err := first.Disconnect(t.Context()); err != nil {
			t.Error(err)
		}
		pass(time.Second)
		if state == "" || storedText(t, second, ":as") != state || storedText(t, second, ":pt") != protocol {
			t.Errorf("what resumes the session of the second is gone")
		}
		if err := second.Disconnect(t.Context()); err != nil {
			t.Error(err)
		}
		pass(time.Second)
		if storedText(t, second, ":as") != "" || storedText(t, second, ":pt") != "" {
			t.Error("its own is still there")
		}
	})
}
