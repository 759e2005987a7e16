package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A traced is an operation that a test's tracer was told of.
type traced struct {
	session.Operation
	parent *traced
	ended  int
	err    error
}

type tracedKey struct{}

// A tracer notes what it is told.
type tracer struct {
	mu  sync.Mutex
	all []*traced
}

func (r *tracer) Start(ctx context.Context, o session.Operation) (context.Context, func(error)) {
	parent, _ := ctx.Value(tracedKey{}).(*traced)
	op := &traced{Operation: o, parent: parent}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, op)
	return context.WithValue(ctx, tracedKey{}, op), func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		op.ended++
		op.err = err
	}
}

// lines are the operations of some names, each with its parent and its outcome.
func (r *tracer) lines(t *testing.T, names ...session.OperationName) (lines []string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.all {
		if o.ended > 1 || o.Client == "" {
			t.Errorf("%+v ended %d times", o.Operation, o.ended)
		}
		if len(names) > 0 && !slices.Contains(names, o.Name) {
			continue
		}
		line := strings.TrimSpace(fmt.Sprint(o.Name, " ", o.Method, " ", o.Verto))
		if o.Stage != "" {
			line += fmt.Sprint(" ", o.Mechanism, " ", o.Stage, " ", o.Attempt)
		}
		if o.parent != nil {
			line += fmt.Sprint(" in ", o.parent.Name)
		}
		switch {
		case o.ended == 0:
			line += ": under way"
		case o.err != nil:
			line += fmt.Sprintf(": %T", o.err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTracerIsToldOfASession(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		told := &tracer{}
		r.opts.Tracer = told
		r.connect(session.StaticCredentials(r.bindable(time.Minute)))
		if err := r.c.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.fault(pathDeviceRefresh, 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503})
		r.to(15 * time.Minute)
		r.srv.Drop("ann")
		r.to(16 * time.Minute)
		r.wantOnline("in the end")
		got := told.lines(t, session.OperationConnect, session.OperationRegister, session.OperationActivate, session.OperationReconnect)
		want := []string{"connect", "activate", "register", "reconnect"}
		if !slices.Equal(got, want) {
			t.Errorf("told of %q, want %q", got, want)
		}
		refreshes := told.lines(t, session.OperationRefresh)
		wantRefreshes := []string{"refresh client-bound obtain 1: *errs.HTTPError", "refresh client-bound obtain 2", "refresh client-bound apply 2"}
		if len(refreshes) < 3 || !slices.Equal(refreshes[:3], wantRefreshes) {
			t.Errorf("told of %q, want %q", refreshes, wantRefreshes)
		}
		rpcs := told.lines(t, session.OperationRPC)
		for _, want := range []string{"rpc signalwire.connect in connect", "rpc signalwire.connect in reconnect", "rpc subscriber.online in register", "rpc signalwire.reauthenticate in activate",
			"rpc signalwire.reauthenticate in refresh"} {
			if !slices.Contains(rpcs, want) {
				t.Errorf("not told of %q but of %q", want, rpcs)
			}
		}
	})
}

func TestTracerIsToldOfCalls(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		told := &tracer{}
		ann := b.open(t, "ann", session.Options{Tracer: told})
		root := &traced{Operation: session.Operation{Name: "program"}}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), tracedKey{}, root))
		k, err := ann.Dial(ctx, "/public/echo", ann.dialing(session.MediaOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		cancel() // which is none of the call's business
		awaitStatus(t, k, session.CallStatusConnected)
		calls := []session.OperationName{session.OperationCall, session.OperationDial, session.OperationMedia, session.OperationRecovery}
		if got, want := told.lines(t, calls...), []string{"dial in program", "call in dial: under way", "media in call"}; !slices.Equal(got, want) {
			t.Errorf("told of %q, want %q", got, want)
		}
		if err := k.RestartICE(t.Context()); err != nil {
			t.Error(err)
		}
		if got, want := told.lines(t, session.OperationRecovery), []string{"recovery in call"}; !slices.Equal(got, want) {
			t.Errorf("of a restart told of %q, want %q", got, want)
		}
		replaceSession(t, b.srv, ann.Client, "ann")
		awaitStatus(t, k, session.CallStatusConnected)
		b.over(t, ann, k)
		if _, err := ann.Dial(t.Context(), "/public/fail", ann.dialing(session.MediaOptions{})); err == nil {
			t.Error("it was taken")
		}
		got := told.lines(t, calls...)
		want := []string{"dial in program", "call in dial", "media in call", "recovery in call", "recovery in call",
			"dial: *errs.CallCreateError", "call in dial: *errs.CallEndedError", "media in call: *errs.CallEndedError"}
		if !slices.Equal(got, want) {
			t.Errorf("told of %q, want %q", got, want)
		}
		if rpcs := told.lines(t, session.OperationRPC); !slices.Contains(rpcs, "rpc webrtc.verto verto.invite in dial") ||
			!slices.Contains(rpcs, "rpc webrtc.verto verto.invite in call") {
			t.Errorf("requests %q", rpcs)
		}
		told.mu.Lock()
		defer told.mu.Unlock()
		for _, o := range told.all {
			if o.Name == session.OperationCall && (o.CallID == "" || o.Direction != errs.DirectionOutbound) {
				t.Errorf("call %+v", o.Operation)
			}
		}
	})
}

func TestTracerIsToldOfInboundCallsAndOfAnEndWithoutReconnect(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		told := &tracer{}
		bob := b.open(t, "bob", session.Options{Tracer: told})
		ann := b.client(t, "ann")
		incoming := bob.ObserveIncoming()
		mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{}))
		in := next(t, incoming)
		if err := in.Answer(t.Context(), bob.media(session.MediaOptions{})); err != nil {
			t.Fatal(err)
		}
		awaitStatus(t, in, session.CallStatusConnected)
		b.srv.Inject(sessiontest.Fault{Match: sessiontest.Match{Method: "GET", Path: "/"}, Times: -1, Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503}})
		b.srv.Drop("bob")
		pass(time.Second)
		_ = bob.Close()
		got := told.lines(t, session.OperationCall, session.OperationAnswer, session.OperationMedia, session.OperationReconnect)
		want := []string{"call", "answer", "media in call", "reconnect: *errs.NotConnectedError"}
		if !slices.Equal(got, want) {
			t.Errorf("told of %q, want %q", got, want)
		}
		for _, line := range told.lines(t) {
			if strings.Contains(line, "under way") {
				t.Errorf("after Close: %s", line)
			}
		}
	})
}

func TestNoTracerCostsNothing(t *testing.T) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { session.Trace(ctx, c) }); n != 0 {
		t.Errorf("%v allocations for each operation without a Tracer", n)
	}
}

func BenchmarkWithoutTracer(b *testing.B) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		session.Trace(ctx, c)
	}
}
