package session_test

import (
	"strings"
	"testing"
	"time"

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
