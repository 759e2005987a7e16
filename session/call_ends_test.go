package session_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A stage is how far an outbound call has come when it ends.
type stage struct {
	name     string
	to       string
	status   session.CallStatus
	dialling bool // Dial has not returned
	answered bool
	bring    func(t *testing.T, b *callBubble, k *session.Call) // there, if dialling is not enough
}

var stages = []stage{
	{name: "dialling", to: "/public/ring", status: session.CallStatusNew, dialling: true},
	{name: "created", to: "/public/ring", status: session.CallStatusTrying},
	{name: "early media", to: "/public/early", status: session.CallStatusRinging},
	{name: "connecting", to: "/public/ring", status: session.CallStatusConnecting, answered: true,
		bring: func(_ *testing.T, b *callBubble, k *session.Call) {
			b.srv.SendVerto(k.ID(), "verto.answer", map[string]any{"callID": k.ID()})
		}},
	{name: "connected", to: "/public/echo", status: session.CallStatusConnected, answered: true},
	{name: "held", to: "/public/echo", status: session.CallStatusConnected, answered: true,
		bring: func(t *testing.T, _ *callBubble, k *session.Call) {
			awaitStatus(t, k, session.CallStatusConnected)
			if err := k.Hold(t.Context()); err != nil {
				t.Error(err)
			}
		}},
}

// A doomed call is one that is about to end.
type doomed struct {
	*session.Call
	b       *callBubble
	line    lineOf
	stage   stage
	dialled <-chan error // Dial's result
}

// An outcome is how an end is to look, wherever one looks.
type outcome struct {
	by     errs.EndedBy
	cause  string
	code   int
	retry  bool
	fatal  errs.CallErrorKind    // on the error stream; "": none
	dial   errs.CallCreateReason // of a Dial that has not returned
	byes   int                   // that the service hears
	status session.CallStatus    // what the call ends as
}

// local is the outcome of what this program does.
func local(cause string, code int, dial errs.CallCreateReason) outcome {
	return outcome{by: errs.EndedByLocal, cause: cause, code: code, dial: dial, byes: 1, status: session.CallStatusDisconnected}
}

// remote is the outcome of a bye. It is a failure if nobody took the call.
func remote(s stage, cause string, code int, retry bool, dial errs.CallCreateReason) outcome {
	o := outcome{by: errs.EndedByRemote, cause: cause, code: code, retry: retry, dial: dial, status: session.CallStatusDisconnected}
	if !s.answered && code != errs.CauseNormalClearing {
		o.fatal = errs.CallErrorRejected
	}
	return o
}

// An ending is a way for a call to end.
type ending struct {
	name string
	at   func(stage) bool // nil: any
	end  func(*testing.T, doomed)
	want func(stage) outcome
}

func hangUp(t *testing.T, d doomed) {
	if err := d.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
}

// bye has the far end, or the service, end the call.
func bye(cause string, code int) func(*testing.T, doomed) {
	return func(t *testing.T, d doomed) {
		if d.b.srv.HangupCall(d.ID(), cause, code) {
			return
		}
		params := map[string]any{"callID": d.ID()} // the gateway does not know the call yet
		if cause != "" {
			params["cause"], params["causeCode"] = cause, strconv.Itoa(code)
		}
		if _, err := d.b.srv.SendEvent("ann", "webrtc.message", nil, map[string]any{"method": "verto.bye", "params": params}); err != nil {
			t.Error(err)
		}
	}
}

func byEnding(cause string, code int, retry bool, dial errs.CallCreateReason) ending {
	return ending{name: "bye " + cause, end: bye(cause, code), want: func(s stage) outcome {
		if cause == "" { // the service says nothing: it was a usual end
			return remote(s, "NORMAL_CLEARING", errs.CauseNormalClearing, retry, dial)
		}
		return remote(s, cause, code, retry, dial)
	}}
}

func always(o outcome) func(stage) outcome { return func(stage) outcome { return o } }

func whileDialling(s stage) bool { return s.dialling }
func withMedia(s stage) bool     { return s.name == "connected" || s.name == "held" }

var endings = []ending{
	{name: "hang-up", end: hangUp, want: always(local("NORMAL_CLEARING", errs.CauseNormalClearing, errs.CallFailed))},
	{name: "hang-ups at once and again", end: func(t *testing.T, d doomed) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { hangUp(t, d) })
		}
		all.Wait()
		hangUp(t, d)
	}, want: always(local("NORMAL_CLEARING", errs.CauseNormalClearing, errs.CallFailed))},
	{name: "Close", end: func(_ *testing.T, d doomed) { _ = d.line.Close() },
		want: always(local("closed", 0, errs.CallNotConnected))},
	{name: "Disconnect", end: func(t *testing.T, d doomed) {
		if err := d.line.Disconnect(t.Context()); err != nil {
			t.Error(err)
		}
	}, want: always(local("disconnected", 0, errs.CallNotConnected))},
	byEnding("", 0, false, errs.CallRejected),
	byEnding("NORMAL_CLEARING", errs.CauseNormalClearing, false, errs.CallRejected),
	byEnding("USER_BUSY", errs.CauseUserBusy, true, errs.CallBusy),
	byEnding("NO_ANSWER", errs.CauseNoAnswer, true, errs.CallRejected),
	byEnding("CALL_REJECTED", errs.CauseCallRejected, false, errs.CallRejected),
	byEnding("UNALLOCATED_NUMBER", errs.CauseUnallocatedNumber, false, errs.CallNoSuchAddress),
	byEnding("INCOMPATIBLE_DESTINATION", errs.CauseIncompatible, false, errs.CallRejected),
	byEnding("MEDIA_TIMEOUT", errs.CauseMediaTimeout, true, errs.CallRejected),
	byEnding("NORMAL_TEMPORARY_FAILURE", errs.CauseTemporaryFailure, true, errs.CallRejected),
	byEnding("SOMETHING_NEW", 999, false, errs.CallRejected),
	{name: "context", at: whileDialling, end: func(*testing.T, doomed) { pass(dialLimit) }, want: always(outcome{
		by: errs.EndedByNetwork, cause: "timeout", retry: true, fatal: errs.CallErrorTimeout, dial: errs.CallTimeout,
		byes: 1, status: session.CallStatusFailed,
	})},
	{name: "socket lost", at: whileDialling, end: func(_ *testing.T, d doomed) { d.b.srv.Drop("ann") }, want: always(outcome{
		by: errs.EndedByNetwork, cause: "network", retry: true, fatal: errs.CallErrorNetwork, dial: errs.CallNotConnected,
		byes: 1, status: session.CallStatusFailed,
	})},
	{name: "socket lost for good", at: whileDialling, end: func(t *testing.T, d doomed) {
		refused := d.b.srv.RefuseConnections(503, 0)
		d.b.srv.Drop("ann")
		<-d.Done()
		_ = d.line.Close() // without a socket, too
		refused.Remove()
	}, want: always(outcome{
		by: errs.EndedByNetwork, cause: "network", retry: true, fatal: errs.CallErrorNetwork, dial: errs.CallNotConnected,
		status: session.CallStatusFailed,
	})},
	{name: "Close without a socket", at: func(s stage) bool { return !s.dialling }, end: func(_ *testing.T, d doomed) {
		defer d.b.srv.RefuseConnections(503, 0).Remove()
		d.b.srv.Drop("ann")
		pass(time.Second)
		_ = d.line.Close()
	}, want: func(stage) outcome {
		o := local("closed", 0, "")
		o.byes = 0 // the service notices by itself
		return o
	}},
	{name: "media lost", at: withMedia, end: func(_ *testing.T, d doomed) {
		d.b.loss.Store(100)
		<-d.Done()
		d.b.loss.Store(0)
	}, want: func(s stage) outcome {
		o := outcome{by: errs.EndedByLocal, cause: "media", retry: true, fatal: errs.CallErrorMedia, byes: 1, status: session.CallStatusFailed}
		if s.status == session.CallStatusConnected { // recovery has done what it could
			o.by, o.cause, o.fatal = errs.EndedByNetwork, "media lost", errs.CallErrorNetwork
		}
		return o
	}},
}

// dialLimit is what Dial takes at most when its context has no deadline.
const dialLimit = 6 * time.Second

// TestEveryEndIsOneReasonEverywhere: however a call ends, and however far it has
// come, the same typed reason is on the call, on its error stream if it is a
// failure, and in the error of a Dial that has not returned; everything of the
// call completes and nothing is left of it, here or at the service.
func TestEveryEndIsOneReasonEverywhere(t *testing.T) {
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{EarlyMedia: time.Hour, CallGrace: 5 * time.Second, MediaTimeout: time.Hour}, func(t *testing.T, b *callBubble) {
				line := b.client(t, "ann")
				for _, e := range endings {
					if e.at != nil && !e.at(s) {
						continue
					}
					if line.Status() != session.StatusOnline {
						line.Client = onLoopback(t, b.srv, "ann")
					}
					d := b.doom(t, line, s)
					seen := watch(d.Call)
					e.end(t, d)
					d.check(t, e, seen)
					pass(time.Second) // a lost connection is back
				}
			})
		})
	}
}

// doom brings a call to a stage.
func (b *callBubble) doom(t *testing.T, line lineOf, s stage) doomed {
	t.Helper()
	if s.dialling { // once
		b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Verto: "verto.invite"}, Action: sessiontest.Action{Kind: sessiontest.FaultRPCSilent},
		})
	}
	calls := line.ObserveCalls()
	dialled := make(chan error, 1)
	go func() {
		_, err := line.Dial(t.Context(), s.to, line.dialing(session.MediaOptions{}))
		dialled <- err
	}()
	live, err := calls.Wait(t.Context(), func(l []*session.Call) bool { return len(l) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	d := doomed{Call: live[0], b: b, line: line, stage: s, dialled: dialled}
	if s.dialling {
		journal(t, b.srv, func(e sessiontest.Entry) bool { return received("verto.invite")(e) && e.Call == d.ID() })
		return d
	}
	if err := <-dialled; err != nil {
		t.Fatalf("Dial: %v", err)
	}
	if s.bring != nil {
		s.bring(t, b, d.Call)
	}
	awaitStatus(t, d.Call, s.status)
	return d
}

// check looks at the end from all sides.
func (d doomed) check(t *testing.T, e ending, seen *history) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Fatalf("%s, %s", d.stage.name, e.name)
		}
	}()
	want := e.want(d.stage)
	wantOutcome(t, d.Call, want)
	if d.stage.dialling {
		err := <-d.dialled
		if why := wantNoCall(t, err, want.dial); why != d.EndReason() {
			t.Errorf("Dial says %v, the call %v", why, d.EndReason())
		}
	}
	statuses := seen.all(t)
	forward(t, statuses)
	for _, final := range []session.CallStatus{session.CallStatusDisconnected, session.CallStatusFailed} {
		if slices.Contains(statuses, final) != (final == want.status) {
			t.Errorf("statuses %v, want %v", statuses, want.status)
		}
	}
	wantOver(t, d.b.srv, d.line.Client, d.Call)
	pass(3 * time.Second) // a bye was sent by then, or never will be
	if byes := d.b.srv.Journal().Call(d.ID()).Filter(received("verto.bye")); len(byes) != want.byes {
		t.Errorf("%d byes, want %d", len(byes), want.byes)
	}
}

// wantOutcome checks the reason that a call ended for and what its error stream
// says.
func wantOutcome(t *testing.T, k *session.Call, want outcome) {
	t.Helper()
	wantEnd(t, k, want.by, want.code)
	why := k.EndReason()
	if why == nil || why.Cause != want.cause || why.Retryable != want.retry {
		t.Fatalf("the call ended %+v, want %+v", why, want)
	}
	var fatal *errs.CallError
	for err := range k.ObserveErrors().Seq(context.Background()) {
		fatal = nil
		if !errors.As(err, &fatal) || !fatal.Fatal || fatal.CallID != k.ID() || fatal.OriginalError != error(why) {
			t.Errorf("on the error stream: %v, want %v", err, why)
		}
	}
	if kind := errs.CallErrorKind(""); fatal != nil && fatal.Kind != want.fatal || fatal == nil && want.fatal != kind {
		t.Errorf("on the error stream: %v, want %q", fatal, want.fatal)
	}
}
