package session_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/reactivex/rxgo/v2"
)

// soon is when a test gives up waiting.
const soon = 10 * time.Second

// onLoop are media options that keep to this machine.
func onLoop(o session.MediaOptions) session.MediaOptions {
	o.SettingEngine = loopbackMedia
	return o
}

// dialing is DialOptions of an audio call.
func dialing() session.DialOptions {
	return session.DialOptions{MediaOptions: onLoop(session.MediaOptions{})}
}

func mustDial(t testing.TB, c *session.Client, to string, o session.DialOptions) *session.Call {
	t.Helper()
	k, err := c.Dial(t.Context(), to, o)
	if err != nil {
		t.Fatalf("Dial(%q): %v", to, err)
	}
	return k
}

// connected dials and waits until the call is connected.
func connected(t *testing.T, c *session.Client, to string, o session.DialOptions) *session.Call {
	t.Helper()
	k := mustDial(t, c, to, o)
	awaitStatus(t, k, session.CallStatusConnected)
	return k
}

// ringBob has ann dial bob and returns both ends, bob's still ringing.
func ringBob(t *testing.T, srv *sessiontest.Server, o session.DialOptions) (ann, bob *session.Client, out, in *session.Call) {
	t.Helper()
	ann, bob = onLoopback(t, srv, "ann"), onLoopback(t, srv, "bob")
	incoming := bob.ObserveIncoming()
	out = mustDial(t, ann, "/private/bob", o)
	return ann, bob, out, next(t, incoming)
}

// callBob has ann dial bob and bob answer.
func callBob(t *testing.T, srv *sessiontest.Server, from session.DialOptions, to session.MediaOptions) (ann, bob *session.Client, out, in *session.Call) {
	t.Helper()
	ann, bob, out, in = ringBob(t, srv, from)
	if err := in.Answer(t.Context(), to); err != nil {
		t.Fatalf("Answer: %v", err)
	}
	awaitStatus(t, in, session.CallStatusConnected)
	awaitStatus(t, out, session.CallStatusConnected)
	return ann, bob, out, in
}

// next waits for one value.
func next[T any](t *testing.T, o observable.Of[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	v, err := o.Wait(ctx, nil)
	if err != nil {
		t.Fatalf("nothing came: %v", err)
	}
	return v
}

// eventually waits for what nothing can be observed of.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(soon); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// journal waits for an entry.
func journal(t *testing.T, srv *sessiontest.Server, match func(sessiontest.Entry) bool) sessiontest.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	e, err := srv.WaitFor(ctx, match)
	if err != nil {
		t.Fatalf("not in the journal: %v", err)
	}
	return e
}

// received matches a Verto request from a client.
func received(method string) func(sessiontest.Entry) bool {
	return func(e sessiontest.Entry) bool { return e.Verto == method && e.Direction == "in" }
}

// A history is the statuses that a call went through.
type history struct {
	mu   sync.Mutex
	seen []session.CallStatus
	done <-chan struct{}
}

func watch(k *session.Call) *history {
	h := &history{}
	h.done = k.ObserveStatus().Subscribe(context.Background(), func(s session.CallStatus) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.seen = append(h.seen, s)
	}).Done()
	return h
}

// all are the statuses of a call that is over.
func (h *history) all(t *testing.T) []session.CallStatus {
	t.Helper()
	select {
	case <-h.done:
	case <-time.After(soon):
		t.Error("the statuses do not end")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seen)
}

// wantOver checks that nothing is left of calls that have ended: here and at
// the gateway.
func wantOver(t *testing.T, srv *sessiontest.Server, c *session.Client, calls ...*session.Call) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for _, k := range calls {
		select {
		case <-k.Done():
		case <-ctx.Done():
			t.Fatalf("the call is not done but %v", k.Status())
		}
		if k.Status() != session.CallStatusDestroyed || k.EndReason() == nil || k.Err() != error(k.EndReason()) {
			t.Errorf("status %v, reason %v, error %v", k.Status(), k.EndReason(), k.Err())
		}
		wantCompleted(t, ctx, k)
		if s := k.Stats().State; s != media.StateClosed && s != media.StateNew {
			t.Errorf("the media is %v", s)
		}
	}
	if left := c.Calls(); len(left) != 0 {
		t.Errorf("calls left: %v", left)
	}
	wantNoLegs(t, srv)
}

// wantCompleted checks that every observable of a call that is over has
// completed: whatever method of it is called Observe.
func wantCompleted(t *testing.T, ctx context.Context, k *session.Call) {
	t.Helper()
	v := reflect.ValueOf(k)
	for i := range v.NumMethod() {
		name, method := v.Type().Method(i).Name, v.Method(i)
		if !strings.HasPrefix(name, "Observe") || method.Type().NumIn() > 0 {
			continue
		}
		items := method.Call(nil)[0].Interface().(rxgo.Observable).Observe(rxgo.WithContext(ctx))
		for range items {
		}
		if ctx.Err() != nil {
			t.Errorf("%s has not completed", name)
		}
	}
}

// wantNoLegs checks that the gateway holds no call.
func wantNoLegs(t *testing.T, srv *sessiontest.Server) {
	t.Helper()
	eventually(t, "the gateway lets go of every leg", func() bool {
		return !slices.ContainsFunc(srv.Calls(), func(c sessiontest.CallInfo) bool { return c.State != sessiontest.CallEnded })
	})
}

// forward checks that statuses never go back, but to recover, and end destroyed.
func forward(t *testing.T, seen []session.CallStatus) {
	t.Helper()
	for i := 1; i < len(seen); i++ {
		back := seen[i-1] == session.CallStatusRecovering && seen[i] == session.CallStatusConnected
		if seen[i] <= seen[i-1] && !back {
			t.Errorf("from %v to %v", seen[i-1], seen[i])
		}
	}
	if len(seen) == 0 || seen[len(seen)-1] != session.CallStatusDestroyed {
		t.Errorf("statuses %v do not end destroyed", seen)
	}
}
