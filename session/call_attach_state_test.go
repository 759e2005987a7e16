package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestRingingCallOutlivesItsSession: the callee answers the one that there is now.
func TestRingingCallOutlivesItsSession(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, bob := b.client(t, "ann"), b.client(t, "bob")
		incoming, bobHears := bob.ObserveIncoming(), newListener(t)
		out := mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
		in := next(t, incoming)
		replaceSession(t, b.srv, ann.Client, "ann")
		pass(time.Second)
		if err := in.Answer(t.Context(), bob.media(session.MediaOptions{AudioSink: bobHears})); err != nil {
			t.Fatal(err)
		}
		awaitStatus(t, out, session.CallStatusConnected)
		wantTone(t, "bob", bobHears, 440, -12)
		b.over(t, ann, out)
	})
}

// TestEarlyMediaComesAgainInANewSession, and the answer after it.
func TestEarlyMediaComesAgainInANewSession(t *testing.T) {
	inCallBubble(t, sessiontest.Options{EarlyMedia: 10 * time.Second}, func(t *testing.T, b *callBubble) {
		ann, heard := b.client(t, "ann"), newListener(t)
		k := mustDial(t, ann.Client, "/public/early", ann.dialing(session.MediaOptions{AudioSink: heard}))
		awaitStatus(t, k, session.CallStatusRinging)
		replaceSession(t, b.srv, ann.Client, "ann")
		pass(2 * time.Second)
		wantTone(t, "ann", heard, 440, -6)
		if s := k.Status(); s != session.CallStatusRinging {
			t.Errorf("the call is %v", s)
		}
		awaitStatus(t, k, session.CallStatusConnected)
		b.over(t, ann, k)
	})
}

func TestSubscriptionsAreMadeAgainInANewSession(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		if _, err := k.Subscribe(t.Context(), "user_event"); err != nil {
			t.Fatal(err)
		}
		replaceSession(t, b.srv, ann.Client, "ann")
		awaitStatus(t, k, session.CallStatusConnected)
		pass(time.Second)
		if n := len(b.srv.Journal().Call(k.ID()).Verto("verto.subscribe")); n != 2 {
			t.Errorf("%d times subscribed", n)
		}
		b.over(t, ann, k)
	})
}

// TestDigitsUnderWayDoNotHoldANewSessionUp: what the gateway plays ends with the
// transports it plays on.
func TestDigitsUnderWayDoNotHoldANewSessionUp(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		if !b.srv.SendDTMF(k.ID(), strings.Repeat("1", 300)) { // a minute of it
			t.Fatal("no digits")
		}
		pass(time.Second)
		began := time.Now()
		replaceSession(t, b.srv, ann.Client, "ann")
		pass(time.Second)
		awaitStatus(t, k, session.CallStatusConnected)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		b.over(t, ann, k)
	})
}

// A screen and another camera cannot be attached to a new session (W11). They end with
// a reason that says so, here and at the service, and can be added again.
func TestScreensAndDevicesEndWithTheirSessionAndCanBeAddedAgain(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/lobby", ann.dialing(session.MediaOptions{}))
		self := selfOf(t, k)
		share := func() *session.ExtraLeg {
			t.Helper()
			x, err := self.StartScreenShare(t.Context(), media.NewTestPattern(), ann.media(session.MediaOptions{}))
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		screen := share()
		camera, err := self.AddAdditionalDevice(t.Context(), media.NewTestPattern(), ann.media(session.MediaOptions{}))
		if err != nil || screen.Err() != nil {
			t.Fatal(err, screen.Err())
		}
		replaceSession(t, b.srv, ann.Client, "ann")
		for _, x := range []*session.ExtraLeg{screen, camera} {
			<-x.Done()
			var ended *errs.CallEndedError
			if !errors.As(x.Err(), &ended) || ended.By != errs.EndedByNetwork || !ended.Retryable {
				t.Errorf("it ended with %v", x.Err())
			}
		}
		awaitStatus(t, k, session.CallStatusConnected)
		pass(time.Second)
		for _, x := range []*session.ExtraLeg{screen, camera} {
			if info, ok := b.srv.Call(x.ID()); ok && info.State != sessiontest.CallEnded {
				t.Errorf("the gateway still has a %s", info.Kind)
			}
		}
		if s := k.Self().ScreenShareStatus(); s != session.ScreenShareNone || len(k.Participants()) != 1 {
			t.Errorf("screen share is %s, %d participants", s, len(k.Participants()))
		}
		again := share()
		if err := again.Stop(t.Context()); err != nil || again.Err() != nil {
			t.Error(err, again.Err())
		}
		b.over(t, ann, k)
	})
}
