package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// wantEnd checks why a call ended.
func wantEnd(t *testing.T, k *session.Call, by errs.EndedBy, code int) {
	t.Helper()
	select {
	case <-k.Done():
	case <-time.After(soon):
		t.Fatalf("the call does not end, it is %v", k.Status())
	}
	if r := k.EndReason(); r == nil || r.By != by || r.Code != code {
		t.Errorf("the call ended %v, want by %s with %d", r, by, code)
	}
}

// wantNoCall checks that Dial failed for a reason, and returns the reason that
// the call ended for.
func wantNoCall(t *testing.T, err error, want errs.CallCreateReason) *errs.CallEndedError {
	t.Helper()
	var failed *errs.CallCreateError
	if !errors.As(err, &failed) || failed.Reason != want || failed.Direction != errs.DirectionOutbound {
		t.Fatalf("Dial: %v, want %q", err, want)
	}
	var ended *errs.CallEndedError
	errors.As(err, &ended)
	return ended
}

// TestCallRefusedAfterItWasCreated: the bye follows the service's answer so
// closely that Dial may have returned or not. Either way it says why.
func TestCallRefusedAfterItWasCreated(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	for _, tc := range []struct {
		to   string
		code int
		want errs.CallCreateReason
	}{
		{"/public/busy", errs.CauseUserBusy, errs.CallBusy},
		{"/public/gone", errs.CauseUnallocatedNumber, errs.CallNoSuchAddress},
	} {
		k, err := c.Dial(t.Context(), tc.to, dialing())
		var why *errs.CallEndedError
		if err != nil {
			why = wantNoCall(t, err, tc.want)
		} else {
			wantEnd(t, k, errs.EndedByRemote, tc.code)
			why = k.EndReason()
			wantOver(t, srv, c, k)
		}
		if why == nil || why.Code != tc.code || why.By != errs.EndedByRemote || why.Retryable != (tc.want == errs.CallBusy) {
			t.Errorf("%s ended %v", tc.to, why)
		}
	}
	if byes := srv.Journal().Verto("verto.bye").Filter(received("verto.bye")); len(byes) != 0 {
		t.Errorf("calls that the service ended were ended again: %v", byes)
	}
	wantOver(t, srv, c)
}

func TestRefusedInviteIsOneReasonEverywhere(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	for to, tc := range map[string]struct {
		want errs.CallCreateReason
		code int
	}{
		"/public/fail":    {errs.CallRejected, errs.CauseTemporaryFailure},
		"/private/nobody": {errs.CallNoSuchAddress, errs.CauseUnallocatedNumber},
	} {
		calls := c.ObserveCalls()
		var err error
		dialled := make(chan struct{})
		go func() { defer close(dialled); _, err = c.Dial(t.Context(), to, dialing()) }()
		live, waitErr := calls.Wait(t.Context(), func(l []*session.Call) bool { return len(l) == 1 })
		if waitErr != nil {
			t.Fatal(waitErr)
		}
		failures := live[0].ObserveErrors()
		<-dialled
		why := wantNoCall(t, err, tc.want)
		var refused *errs.JSONRPCError
		if why == nil || why.By != errs.EndedByRemote || why.Code != tc.code || why.Retryable != (tc.want == errs.CallRejected) || !errors.As(err, &refused) {
			t.Errorf("%s ended %v", to, why)
		}
		var failure *errs.CallError
		if e := next(t, failures); !errors.As(e, &failure) || !failure.Fatal || failure.OriginalError != error(why) {
			t.Errorf("on the error stream: %v", e)
		}
		if live[0].EndReason() != why {
			t.Errorf("the call ended %v, Dial says %v", live[0].EndReason(), why)
		}
		wantOver(t, srv, c, live[0])
	}
	if byes := srv.Journal().Verto("verto.bye"); len(byes) != 0 {
		t.Errorf("calls that never were got a bye: %v", byes)
	}
}

func TestEarlyMediaRingsUntilTheAnswer(t *testing.T) {
	srv := sessiontest.NewServer(t, sessiontest.Options{EarlyMedia: 400 * time.Millisecond})
	c := onLoopback(t, srv, "ann")
	k := mustDial(t, c, "/public/early", dialing())
	h := watch(k)
	awaitStatus(t, k, session.CallStatusRinging)
	eventually(t, "early media is heard", func() bool { return k.Stats().Audio.PacketsReceived > 0 })
	if s := k.Status(); s != session.CallStatusRinging {
		t.Errorf("with early media the call is %v", s)
	}
	awaitStatus(t, k, session.CallStatusConnected)
	// a description again, in an answer and in media, changes nothing
	srv.SendVerto(k.ID(), "verto.answer", map[string]any{"callID": k.ID(), "sdp": "v=0"})
	srv.SendVerto(k.ID(), "verto.media", map[string]any{"callID": k.ID(), "sdp": "v=0"})
	if err := k.Execute(t.Context(), "call.mute", nil, nil); err != nil { // they have arrived by then
		t.Error(err)
	}
	if s := k.Status(); s != session.CallStatusConnected {
		t.Errorf("after repeated answers the call is %v: %v", s, k.Err())
	}
	_ = k.Hangup(t.Context())
	wantOver(t, srv, c, k)
	forward(t, h.all(t))
}

// TestHangupDoesNotDependOnTheService: media stops at once, and the call is over
// after two seconds without an answer; a bye of the far end shortens that.
func TestHangupDoesNotDependOnTheService(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	srv.Inject(sessiontest.Fault{
		Match: sessiontest.Match{Verto: "verto.bye"}, Times: -1,
		Action: sessiontest.Action{Kind: sessiontest.FaultRPCSilent},
	})
	silent, crossed := connected(t, c, "/public/echo", dialing()), connected(t, c, "/public/echo", dialing())
	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := silent.Hangup(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Hangup under a cancelled context: %v", err)
	}
	awaitStatus(t, silent, session.CallStatusDisconnecting)
	eventually(t, "the media stops", func() bool {
		d := silent.Directions()
		return !d.Audio.Sends() && !d.Audio.Receives()
	})
	if silent.Status() != session.CallStatusDisconnecting {
		t.Errorf("the call is %v", silent.Status())
	}
	go func() { _ = crossed.Hangup(t.Context()) }()
	awaitStatus(t, crossed, session.CallStatusDisconnecting)
	srv.HangupCall(crossed.ID(), "", 0)
	wantEnd(t, crossed, errs.EndedByRemote, errs.CauseNormalClearing)
	if err := silent.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 1900*time.Millisecond || took > 3*time.Second {
		t.Errorf("Hangup took %v, want two seconds", took)
	}
	srv.HangupCall(silent.ID(), "", 0)
	wantOver(t, srv, c, silent, crossed)
}
