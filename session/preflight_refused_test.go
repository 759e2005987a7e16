package session_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestPreflightEndsWithItsContext at the beginning of each phase: at once, with what
// was found by then, and with nothing left behind.
func TestPreflightEndsWithItsContext(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, phase := range []errs.PreflightPhase{errs.PreflightSignaling, errs.PreflightDevices, errs.PreflightICE, errs.PreflightMedia} {
		t.Run(string(phase), func(t *testing.T) {
			srv := sessiontest.NewServer(t)
			ann := onLoopback(t, srv, "ann")
			closed := &atomic.Int32{}
			o := session.PreflightOptions{MediaOptions: onLoop(session.MediaOptions{}), Duration: time.Hour, Timeout: time.Hour}
			switch phase {
			case errs.PreflightSignaling:
				srv.Inject(sessiontest.Fault{
					Match: sessiontest.Match{RPC: "signalwire.ping"}, Times: -1, Action: sessiontest.Action{Kind: sessiontest.FaultRPCSilent},
				})
			case errs.PreflightDevices:
				o.AudioSource = stuck{closed}
			case errs.PreflightICE:
				o.ICEServers = []media.ICEServer{{URLs: []string{"stun:" + silent.LocalAddr().String()}}}
			}
			why := errors.New("somebody pulled the plug")
			ctx, cancel := context.WithCancelCause(t.Context())
			ann.ObservePreflight().Subscribe(t.Context(), func(p session.PreflightProgress) {
				if p.Phase == phase && !p.Done {
					time.AfterFunc(30*time.Millisecond, func() { cancel(why) })
				}
			})
			began := time.Now()
			res, err := ann.Preflight(ctx, "/public/echo", o)
			if cause := wantPhase(t, res, err, phase); !errors.Is(cause, why) || time.Since(began) > 5*time.Second {
				t.Errorf("after %v: %v", time.Since(began), cause)
			}
			if len(res.Errors) != 1 || res.Signaling.Reachable == (phase == errs.PreflightSignaling) {
				t.Errorf("result %+v", res)
			}
			if want := map[bool]int32{true: 1}[phase == errs.PreflightDevices]; closed.Load() != want {
				t.Errorf("the source was closed %d times", closed.Load())
			}
			eventually(t, "the test call is gone", func() bool { return len(ann.Calls()) == 0 })
			wantNoLegs(t, srv)
		})
	}
}

func TestPreflightWithoutASession(t *testing.T) {
	c, err := session.New(nil, session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Preflight(t.Context(), "/public/echo", session.PreflightOptions{})
	if cause := wantPhase(t, res, err, errs.PreflightSignaling); !errors.As(cause, new(*errs.NotConnectedError)) {
		t.Errorf("cause %v", cause)
	}
	if !slices.Contains(res.Warnings, "signaling not reachable") {
		t.Errorf("warnings %q", res.Warnings)
	}
	_ = c.Close()
	res, err = c.Preflight(t.Context(), "/public/echo", session.PreflightOptions{})
	if cause := wantPhase(t, res, err, errs.PreflightSignaling); !errors.Is(cause, errs.ErrClosed) {
		t.Errorf("cause %v", cause)
	}
}

func TestPreflightRefusesNegativeOptions(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	for param, o := range map[string]session.PreflightOptions{
		"Samples": {Samples: -1}, "Timeout": {Timeout: -1}, "Duration": {Duration: -1},
	} {
		o.SkipMediaTest = param != "Duration"
		o.MediaOptions = onLoop(session.MediaOptions{})
		res, err := ann.Preflight(t.Context(), "/public/echo", o)
		invalid, ok := errors.AsType[*errs.InvalidParamsError](err)
		if !ok || invalid.Param != param {
			t.Errorf("%s of -1: %v, want it refused by name", param, err)
		}
		if res == nil || res.OK || len(res.Errors) != 0 {
			t.Errorf("%s of -1: the result is %+v, want one in which nothing was tried", param, res)
		}
	}
}
