package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// Whoever has been put out of the room is not kept waiting in a call with nobody: in
// the Browser SDK, which ignores call.left (W22, D54), it stays connected.
func TestCallThatHasLeftItsRoomEndsThoughNoByeComes(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/lobby", ann.dialing(session.MediaOptions{}))
		failures := keep(k.ObserveErrors(), printed)
		selfOf(t, k)
		b.srv.DismissCall(k.ID(), "removed")
		pass(1900 * time.Millisecond)
		if k.Status() != session.CallStatusConnected || k.Self() != nil || len(k.Participants()) > 0 {
			t.Errorf("a moment later it is %v, with %d participants", k.Status(), len(k.Participants()))
		}
		pass(200 * time.Millisecond)
		want := &errs.CallEndedError{By: errs.EndedByRemote, Cause: "removed", Code: errs.CauseNormalClearing}
		if diff := cmp.Diff(want, k.EndReason()); diff != "" {
			t.Errorf("it ended (-want +got):\n%s", diff)
		}
		if seen := failures.so(); len(seen) > 0 {
			t.Errorf("reported %v", seen)
		}
		wantOver(t, b.srv, ann.Client, k) // the leg at the gateway too
	})
}

func TestCallThatHasLeftItsRoomGoesOnIfItIsTakenElsewhere(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/lobby", ann.dialing(session.MediaOptions{}))
		selfOf(t, k)
		b.srv.DismissCall(k.ID(), "hangup")
		pass(time.Second)
		if err := b.srv.ConnectCall(k.ID(), "/public/stage"); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if k.Status() != session.CallStatusConnected || k.Self() == nil {
			t.Fatalf("it is %v, self %v", k.Status(), k.Self())
		}
		b.srv.DismissCall(k.ID(), "hangup")
		pass(time.Second)
		b.srv.HangupCall(k.ID(), "USER_BUSY", 0)
		<-k.Done()
		if why := k.EndReason(); why.Cause != "USER_BUSY" || why.Code != errs.CauseUserBusy {
			t.Errorf("the bye that came in time is not the reason: %+v", why)
		}
		wantOver(t, b.srv, ann.Client, k)
	})
}

// A call that is transferred has left its room, and waits for a third to answer.
func TestCallThatIsTransferredWaitsForTheThird(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		heard := newListener(t)
		ann, bob, out, in := b.call(t, "/private/bob", session.MediaOptions{AudioSink: heard}, session.MediaOptions{})
		ida := b.client(t, "ida")
		rings := ida.ObserveIncoming()
		if err := in.Transfer(t.Context(), "/private/ida"); err != nil {
			t.Fatal(err)
		}
		third := next(t, rings)
		pass(20 * time.Second)
		if err := third.Answer(t.Context(), ida.media(session.MediaOptions{AudioSource: newTone(t, 440, -12), AudioSink: media.Discard()})); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		wantTone(t, "ann", heard, 440, -12)
		b.over(t, ann, out)
		wantOver(t, b.srv, bob.Client, in)
		wantOver(t, b.srv, ida.Client, third)
	})
}
