package session_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestCallOutlivesItsProcess: the machine of one side vanishes in mid-call, and
// another with the same storage goes on, under the same ids. The other side hears
// it again and is told nothing.
func TestCallOutlivesItsProcess(t *testing.T) {
	for _, side := range []string{"ann", "bob"} {
		t.Run(side, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				storage, stays, again := sharedMemory(), newListener(t), newListener(t)
				other := map[string]string{"ann": "bob", "bob": "ann"}[side]
				first := b.start(t, side, storage, session.Options{})
				peer := b.client(t, other)
				k, far := b.pair(t, first.lineOf, peer, side, session.MediaOptions{}, session.MediaOptions{
					AudioSource: newTone(t, 520, -24), AudioSink: stays,
				})
				k.MergeUserVariables(map[string]any{"ticket": "42"})
				pass(3 * time.Second)
				member := k.SelfID()
				b.vanish(first, side)
				pass(2 * time.Second)

				began := time.Now()
				second := b.start(t, side, storage, takingUp(session.MediaOptions{
					AudioSource: newTone(t, 440, -12), AudioSink: again,
				}))
				now := theCall(t, second)
				awaitStatus(t, now, session.CallStatusConnected)
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("the call came back after %v", took)
				}
				pass(time.Second)
				wantTone(t, side, again, 520, -24)
				wantTone(t, other, stays, 440, -12)
				if now.ID() != k.ID() || now.Direction() != k.Direction() || now.To() != k.To() || now.From() != k.From() ||
					now.SelfID() != member || now.UserVariables()["ticket"] != "42" {
					t.Errorf("call %s %v from %v to %v as %s with %v, want that of %s %v from %v to %v as %s", now.ID(), now.Direction(),
						now.From(), now.To(), now.SelfID(), now.UserVariables(), k.ID(), k.Direction(), k.From(), k.To(), member)
				}
				if far.Status() != session.CallStatusConnected || len(told[error](second)) != 0 {
					t.Errorf("the far end is %v, errors %v", far.Status(), second.errors)
				}
				if n := len(b.srv.Sessions()); n != 2 {
					t.Errorf("%d sessions, want the old one resumed", n)
				}
				b.over(t, second.lineOf, now)
				<-far.Done()
			})
		})
	}
}

// pair connects ann, who dials, with bob; k is the call of the client whose side
// is named.
func (b *callBubble) pair(t *testing.T, first, peer lineOf, side string, mine, theirs session.MediaOptions) (k, far *session.Call) {
	t.Helper()
	ann, bob, from, to := first, peer, mine, theirs
	if side == "bob" {
		ann, bob, from, to = peer, first, theirs, mine
	}
	incoming := bob.ObserveIncoming()
	out := mustDial(t, ann.Client, "/private/bob", ann.dialing(from))
	in := next(t, incoming)
	if err := in.Answer(t.Context(), bob.media(to)); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, in, session.CallStatusConnected)
	awaitStatus(t, out, session.CallStatusConnected)
	if side == "bob" {
		return in, out
	}
	return out, in
}

// survive has the machine of a call vanish, and another take its place.
func (b *callBubble) survive(t *testing.T, m *machine, name string, o session.Options) (*machine, *session.Call) {
	t.Helper()
	b.vanish(m, name)
	next := b.start(t, name, m.storage.SharedStorage, o)
	k := theCall(t, next)
	awaitStatus(t, k, session.CallStatusConnected)
	return next, k
}

func TestHeldCallIsHeldInTheNextProcess(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		bobHears := newListener(t)
		ann, bob := b.start(t, "ann", sharedMemory(), session.Options{}), b.client(t, "bob")
		k, far := b.pair(t, ann.lineOf, bob, "ann", session.MediaOptions{}, session.MediaOptions{AudioSink: bobHears})
		if err := k.Hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		second, k := b.survive(t, ann, "ann", takingUp(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
		pass(time.Second)
		before := far.Stats().Audio.PacketsReceived
		pass(time.Second)
		if n := far.Stats().Audio.PacketsReceived - before; n > 5 || !k.Held() {
			t.Errorf("%d packets in a second; held: %v", n, k.Held())
		}
		if err := k.Unhold(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		wantTone(t, "bob", bobHears, 440, -12)
		b.over(t, second.lineOf, k)
	})
}

// TestMemberOfARoomStaysTheSameInTheNextProcess: muted as it was, and the others
// see nobody leave or join.
func TestMemberOfARoomStaysTheSameInTheNextProcess(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		bobHears := newListener(t)
		ann, bob := b.start(t, "ann", sharedMemory(), session.Options{}), b.client(t, "bob")
		far := connected(t, bob.Client, "/public/lobby", bob.dialing(session.MediaOptions{AudioSink: bobHears}))
		k := connected(t, ann.Client, "/public/lobby", ann.dialing(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
		pass(time.Second)
		if err := k.Self().Mute(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		member, seen := k.SelfID(), atomic.Int64{}
		far.ObserveParticipants().Subscribe(t.Context(), func([]*session.Participant) { seen.Add(1) })
		second, k := b.survive(t, ann, "ann", takingUp(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
		pass(time.Second)
		self := k.Self()
		if self == nil || self.ID() != member || !self.AudioMuted() || !self.LocalAudioMuted() {
			t.Fatalf("self is %v, want %s, muted", self, member)
		}
		if seen.Load() != 1 || len(far.Participants()) != 2 {
			t.Errorf("bob has seen %d lists, the last with %d", seen.Load(), len(far.Participants()))
		}
		hear(t, bobHears, 200*time.Millisecond)
		if _, level := loudest(hear(t, bobHears, 200*time.Millisecond), 16000); level > -60 {
			t.Errorf("bob hears the muted at %.1f dBFS", level)
		}
		if err := self.Unmute(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		wantTone(t, "bob", bobHears, 440, -12)
		if err := far.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		b.over(t, second.lineOf, k)
	})
}

// TestCallThatIsGoneMeanwhileIsToldOf, with its id and the service's reason, once.
func TestCallThatIsGoneMeanwhileIsToldOf(t *testing.T) {
	for name, tc := range map[string]struct {
		end     func(t *testing.T, b *callBubble, far *session.Call)
		invites int
		is      func(error) bool
	}{
		"the service tells": {func(t *testing.T, _ *callBubble, far *session.Call) {
			if err := far.Hangup(t.Context()); err != nil {
				t.Error(err)
			}
		}, 0, func(err error) bool { // it answers the invite, if that is faster
			return errors.As(err, new(*errs.CallEndedError)) || errors.As(err, new(*errs.JSONRPCError))
		}},
		"the service has forgotten it": {func(_ *testing.T, b *callBubble, _ *session.Call) {
			b.srv.Inject(sessiontest.Fault{
				Match:  sessiontest.Match{Verto: "verto.invite"},
				Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32002},
			})
		}, 2, func(err error) bool { return errors.As(err, new(*errs.JSONRPCError)) }},
		"the service fails three times": {func(_ *testing.T, b *callBubble, _ *session.Call) {
			b.srv.Inject(sessiontest.Fault{
				Match: sessiontest.Match{Verto: "verto.invite"}, Times: -1,
				Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32603},
			})
		}, 4, func(err error) bool { return errors.As(err, new(*errs.JSONRPCError)) }},
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann, bob := b.start(t, "ann", sharedMemory(), session.Options{}), b.client(t, "bob")
				k, far := b.pair(t, ann.lineOf, bob, "ann", session.MediaOptions{}, session.MediaOptions{})
				b.vanish(ann, "ann")
				tc.end(t, b, far)
				second := b.start(t, "ann", ann.storage.SharedStorage, takingUp(session.MediaOptions{}))
				pass(8 * time.Second)
				failed := told[*errs.AttachError](second)
				if len(failed) != 1 || failed[0].CallID != k.ID() || !tc.is(failed[0]) {
					t.Errorf("told %v", second.errors)
				}
				if n := reinvites(b.srv, k); n != tc.invites && tc.invites != 0 || len(second.Calls()) != 0 {
					t.Errorf("%d invites, calls %v", n, second.Calls())
				}
				wantNoRecords(t, second)
			})
		})
	}
}

func wantNoRecords(t *testing.T, m *machine) {
	t.Helper()
	synctest.Wait() // what was to be written is
	stored, ok, err := m.storage.SharedStorage.Get(t.Context(), session.ScopePersistent, recordsKey(m))
	if ok || err != nil {
		t.Errorf("stored %s, %v", stored, err)
	}
}

func recordsKey(m *machine) string { return "sw:" + m.User().ID + ":att" }

func TestCallThatIsTooOldIsNotTakenUp(t *testing.T) {
	inCallBubble(t, sessiontest.Options{CallGrace: time.Hour}, func(t *testing.T, b *callBubble) {
		ann := b.start(t, "ann", sharedMemory(), session.Options{})
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		b.vanish(ann, "ann")
		pass(5*time.Minute + time.Second)
		second := b.start(t, "ann", ann.storage.SharedStorage, takingUp(session.MediaOptions{}))
		pass(10 * time.Second)
		if n := reinvites(b.srv, k); n != 1 || len(second.Calls()) != 0 || len(told[error](second)) != 0 {
			t.Errorf("%d invites, calls %v, errors %v", n, second.Calls(), second.errors)
		}
		wantNoRecords(t, second)
	})
}

// TestWithoutTheOptionCallsOfAnEarlierProcessAreForgotten and, where the service
// offers them, ended.
func TestWithoutTheOptionCallsOfAnEarlierProcessAreForgotten(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.start(t, "ann", sharedMemory(), session.Options{})
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		b.vanish(ann, "ann")
		pass(8 * time.Second)
		second := b.start(t, "ann", ann.storage.SharedStorage, session.Options{})
		pass(6 * time.Second) // nobody has given a sign of life
		wantNoRecords(t, second)
		if err := offerCall(b.srv, "ann", k.ID()); err != nil {
			t.Fatal(err)
		}
		wantNoLegs(t, b.srv)
		if n := reinvites(b.srv, k); n != 1 || len(second.Calls()) != 0 || len(told[error](second)) != 0 {
			t.Errorf("%d invites, calls %v, errors %v", n, second.Calls(), second.errors)
		}
	})
}

// offerCall has the service offer to attach a call.
func offerCall(srv *sessiontest.Server, who, id string) error {
	_, err := srv.SendEvent(who, "webrtc.message", nil, map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "verto.attach", "params": map[string]any{
			"callID": id, "sdp": "v=0", "callee_id_number": "/public/tone", "display_direction": "outbound",
		},
	})
	return err
}

// TestStoredGarbageIsNoCall: it is told of by name, and the client starts.
func TestStoredGarbageIsNoCall(t *testing.T) {
	for _, junk := range []string{"", "{", "null", "[]", `{"c-1":42}`, "\x00\x01"} {
		t.Run(fmt.Sprintf("%q", junk), func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				storage := sharedMemory()
				ann := b.start(t, "ann", storage, session.Options{})
				key := recordsKey(ann)
				_ = ann.Close()
				if err := storage.Set(t.Context(), session.ScopePersistent, key, []byte(junk)); err != nil {
					t.Fatal(err)
				}
				second := b.start(t, "ann", storage, takingUp(session.MediaOptions{}))
				k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
				pass(5 * time.Second)
				var wrong *errs.StorageError
				failures := told[error](second)
				if fine := junk == "" || junk == "null"; fine != (len(failures) == 0) {
					t.Errorf("told %v", failures)
				} else if !fine && (len(failures) != 1 || !errors.As(failures[0], &wrong) || wrong.Op != "decode" || wrong.Key != key) {
					t.Errorf("told %v, want one error that names %s", failures, key)
				}
				b.over(t, second.lineOf, k)
				wantNoRecords(t, second)
			})
		})
	}
}

// TestDamagedFileIsNoCall: the storage itself says so.
func TestDamagedFileIsNoCall(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage := fileStorage(t, dir).(session.SharedStorage)
		ann := b.start(t, "ann", storage, session.Options{})
		key := recordsKey(ann)
		_ = ann.Close()
		if err := storage.Set(t.Context(), session.ScopePersistent, key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		for _, path := range files(t, dir) {
			if strings.Contains(path, "att") {
				if err := os.WriteFile(path, []byte("callrx1 0000"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		second := b.start(t, "ann", storage, takingUp(session.MediaOptions{}))
		k := connected(t, second.Client, "/public/echo", second.dialing(session.MediaOptions{}))
		pass(5 * time.Second)
		failures := told[*errs.StorageError](second)
		if len(failures) != 1 || failures[0].Op != "decode" || failures[0].Key != key || len(told[error](second)) != 1 {
			t.Errorf("told %v, want one error that names %s", second.errors, key)
		}
		if _, ok, err := storage.Get(t.Context(), session.ScopePersistent, key); !ok || err != nil {
			t.Errorf("the call is on record: %v, %v", ok, err)
		}
		b.over(t, second.lineOf, k)
	})
}

// TestServiceOffersACallThatIsNotOnRecord: it is taken up as the offer describes
// it, once, however often it is offered.
func TestServiceOffersACallThatIsNotOnRecord(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		first := b.client(t, "ann") // without a storage
		k := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
		heard, asked := newListener(t), atomic.Int64{}
		second := b.start(t, "ann", sharedMemory(), session.Options{
			ReconnectAttachedCalls: true,
			ReattachMedia: func(*session.Call) session.MediaOptions {
				asked.Add(1)
				return session.MediaOptions{AudioSink: heard}
			},
		})
		for range 3 {
			if err := offerCall(b.srv, "ann", k.ID()); err != nil {
				t.Fatal(err)
			}
		}
		now := theCall(t, second)
		awaitStatus(t, now, session.CallStatusConnected)
		<-k.Done() // its client has been told
		pass(time.Second)
		wantTone(t, "ann", heard, 440, -6)
		if n := reinvites(b.srv, k); n != 2 || asked.Load() != 1 || now.ID() != k.ID() || now.To().URI != "/public/tone" {
			t.Errorf("%d invites, asked for media %d times, call %s to %v", n, asked.Load(), now.ID(), now.To())
		}
		if why := k.EndReason(); why.By != errs.EndedByRemote || why.Code != errs.CauseAnsweredElsewhere {
			t.Errorf("the call it was ended %v", why)
		}
		b.over(t, second.lineOf, now)
	})
}

// TestGatewayOffersTheCallOfAProcessThatIsGone to the one that resumes its session,
// whether that knows of the call or not.
func TestGatewayOffersTheCallOfAProcessThatIsGone(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		storage, heard := sharedMemory(), newListener(t)
		first := b.start(t, "ann", storage, session.Options{})
		k := connected(t, first.Client, "/public/tone", first.dialing(session.MediaOptions{}))
		pass(time.Second)
		key := recordsKey(first)
		b.vanish(first, "ann")
		b.silence(first)
		if err := storage.Delete(t.Context(), session.ScopePersistent, key); err != nil {
			t.Fatal(err)
		}
		second := b.start(t, "ann", storage, takingUp(session.MediaOptions{AudioSink: heard}))
		pass(10 * time.Second)
		now := theCall(t, second)
		awaitStatus(t, now, session.CallStatusConnected)
		wantTone(t, "ann", heard, 440, -6)
		if n := len(b.srv.Journal().Verto("verto.attach")); n != 1 || now.ID() != k.ID() {
			t.Errorf("offered %d times, call %s", n, now.ID())
		}
		b.over(t, second.lineOf, now)
	})
}

// TestStorageThatFailsCostsNoCall, and is told of once.
func TestStorageThatFailsCostsNoCall(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.boot(t, "ann", sharedMemory(), takingUp(session.MediaOptions{}))
		ann.storage.cut.Store(true)
		if err := ann.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		pass(time.Minute)
		if err := k.Hold(t.Context()); err != nil {
			t.Error(err)
		}
		for _, err := range told[error](ann) {
			if !errors.As(err, new(*errs.StorageError)) {
				t.Errorf("told %v", err)
			}
		}
		if n := len(told[error](ann)); k.Status() != session.CallStatusConnected || n == 0 || n > 10 {
			t.Errorf("the call is %v, %d errors", k.Status(), n)
		}
		began := time.Now()
		b.over(t, ann.lineOf, k)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("hanging up took %v", took)
		}
	})
}

// TestScreenOfAKilledProcessIsEndedByTheNext: nobody sends it any more, and nobody
// has to look at its last picture.
func TestScreenOfAKilledProcessIsEndedByTheNext(t *testing.T) {
	for name, resumed := range map[string]bool{"in the same session": true, "in another": false} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				first := b.start(t, "ann", sharedMemory(), session.Options{})
				k := connected(t, first.Client, "/public/stage", first.dialing(session.MediaOptions{}))
				gone := shareScreen(t, first.lineOf, k)
				if err := gone.Stop(t.Context()); err != nil { // is on record no more
					t.Fatal(err)
				}
				left := shareScreen(t, first.lineOf, k)
				if !resumed {
					key := "sw:" + first.User().ID + ":as"
					if err := first.storage.SharedStorage.Delete(t.Context(), session.ScopePersistent, key); err != nil {
						t.Fatal(err)
					}
				}
				second, now := b.survive(t, first, "ann", takingUp(session.MediaOptions{}))
				pass(500 * time.Millisecond)
				byes := b.srv.Journal().Filter(received("verto.bye"))
				if len(byes) != 2 || len(told[error](second)) != 0 {
					t.Errorf("byes %v, told %v", byes, second.errors)
				}
				if leg, _ := b.srv.Call(left.ID()); leg.State != sessiontest.CallEnded {
					t.Errorf("the screen is %v", leg.State)
				}
				if now.ID() != k.ID() || now.Status() != session.CallStatusConnected {
					t.Errorf("the call is %v", now.Status())
				}
				if r := storedText(t, second, ":att"); strings.Contains(r, left.ID()) || strings.Contains(r, gone.ID()) {
					t.Errorf("on record: %s", r)
				}
				b.over(t, second.lineOf, now)
			})
		})
	}
}
