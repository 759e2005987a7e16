package interop

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A scenario is played by both SDKs, one after the other, with the same things happening to them.
type scenario struct {
	name string
	play func(t *testing.T, a actor)
}

func scenarios() []scenario { return slices.Concat(ofSessions(), ofCallsOut(), ofCallsIn(), ofLegs()) }

func ofSessions() []scenario {
	return []scenario{
		{"sign in and leave", func(t *testing.T, a actor) { a.enter(); a.leave() }},
		{"a refused token", func(t *testing.T, a actor) {
			if err := a.try(a.token()[:len(a.token())-8] + "AAAAAAAA"); err == nil {
				t.Error("it was taken")
			}
		}},
	}
}

func ofCallsOut() []scenario {
	return []scenario{
		{"dial and hang up", func(t *testing.T, a actor) { a.enter(); reach(t, a, "/public/echo"); a.end() }},
		{"the far end hangs up", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			stage.gw.HangupCall(a.callID(), "", 0)
			a.await("destroyed")
		}},
		{"no such address", func(t *testing.T, a actor) {
			a.enter()
			if err := a.place("/private/nobody"); err == nil {
				t.Error("somebody is there")
			}
		}},
		{"early media", func(t *testing.T, a actor) { a.enter(); reach(t, a, "/public/early"); a.end() }},
	}
}

func ofCallsIn() []scenario {
	return []scenario{
		{"an inbound call is answered", func(t *testing.T, a actor) {
			a.enter()
			callTo(t, a)
			a.ring()
			a.accept()
			a.await("connected")
			joined(t, a) // only then it knows its member id, which it sends with what follows
			a.end()
		}},
		{"an inbound call is rejected", func(t *testing.T, a actor) {
			a.enter()
			callTo(t, a)
			a.ring()
			a.refuse()
			a.await("destroyed")
		}},
		{"the caller gives up", func(t *testing.T, a actor) {
			a.enter()
			caller := callTo(t, a)
			a.ring()
			_ = caller.Hangup(t.Context())
			a.await("destroyed")
		}},
	}
}

func ofLegs() []scenario {
	return []scenario{
		{"hold", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			a.hold(true)
			a.hold(false)
			a.end()
		}},
		{"digits", func(t *testing.T, a actor) { a.enter(); reach(t, a, "/public/echo"); a.press("12#"); a.end() }},
		{"a shared screen", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/"+unique(t, "room"))
			a.share(true)
			a.share(false)
			a.end()
		}},
		{"a lost socket", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			a.cut()
			<-time.After(1500 * time.Millisecond)
			a.mend()
			a.end()
		}},
		{"disconnect in a call", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			a.leave()
			a.await("destroyed")
		}},
	}
}

// reach dials and waits until the call is connected.
func reach(t *testing.T, a actor, to string) {
	t.Helper()
	if err := a.place(to); err != nil {
		t.Fatalf("%s: %v", to, err)
	}
	a.await("connected")
}

// joined waits until the call's client has acknowledged that it joined.
func joined(t *testing.T, a actor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	id := a.callID()
	if _, err := stage.gw.WaitFor(ctx, func(e sessiontest.Entry) bool {
		return e.Event == "call.joined" && e.Call == id && !e.Answered.IsZero()
	}); err != nil {
		t.Fatalf("the call is not joined: %v", err)
	}
}

// callTo has somebody else call a.
func callTo(t *testing.T, a actor) *session.Call {
	t.Helper()
	g := newGopher(t, "caller").online()
	return g.dial("/private/"+a.name(), g.toSpeak(&ear{}))
}
