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

func (r *rig) mustRegister() {
	r.t.Helper()
	if err := r.c.Register(r.t.Context()); err != nil {
		r.t.Fatalf("Register: %v", err)
	}
}

func TestRegisterAgainInVainKeepsTheRegistrationWanted(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.mustRegister()
		down := r.cutOff()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.c.Register(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Register during an outage = %v", err)
		}
		down.Remove()
		r.to(time.Minute)
		if !r.c.Registered() {
			t.Error("not registered after the reconnect")
		}
	})
}

func TestUnregisterOvertakesARegistrationBeingRestored(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.fault(pathDeviceToken, -1, sessiontest.Action{Kind: sessiontest.FaultHang}) // which the registration waits for
		r.connect(session.StaticCredentials(r.bindable(time.Hour)))
		r.mustRegister()
		r.srv.Drop("ann")
		time.Sleep(2 * time.Second)
		r.wantOnline("after the drop")
		if err := r.c.Unregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if s := r.srv.Sessions(); len(s) != 1 || s[0].Registered || r.c.Registered() {
			t.Errorf("after Unregister the service has %+v; the client says %v", s, r.c.Registered())
		}
	})
}

func TestRestoringTheRegistrationIsRepeatedWhenNobodyAnswers(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.mustRegister()
		r.rpcFault(rpcOnline, 1, sessiontest.Action{Kind: sessiontest.FaultRPCSilent})
		r.srv.Drop("ann")
		r.to(time.Minute)
		if late := allErrors[*errs.RPCTimeoutError](r); len(late) != 1 {
			t.Errorf("reported %v, want the first try", late)
		}
		if s := r.srv.Sessions(); len(s) != 1 || !s[0].Registered || !r.c.Registered() {
			t.Errorf("the service has %+v; the client says %v", s, r.c.Registered())
		}
	})
}

func TestOpenWithAGuestTokenIsOnlineUnregistered(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		guest := r.srv.IssueGuest(time.Hour)
		c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: guest.Token}), r.opts)
		if err != nil {
			t.Fatal(err)
		}
		r.c = c
		r.wantOnline("as a guest")
		if c.Registered() {
			t.Error("a guest is registered")
		}
	})
}
