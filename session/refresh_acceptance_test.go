package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

var errBackend = errors.New("the backend is down")

// patient lets the client, not the gateway, end a session at its expiry.
var patient = sessiontest.Options{ExpirySlack: time.Minute}

func TestRefresh01ProviderRefreshExtendsTheLiveSession(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(120*time.Second, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(600*time.Second, ""), nil }
		r.connect(p)
		r.to(89 * time.Second)
		if p.count() != 0 {
			t.Fatal("refreshed before it was due")
		}
		r.to(90 * time.Second)
		if p.count() != 1 || len(r.srv.Journal().RPC(rpcReauthenticate)) != 1 {
			t.Fatalf("at 90 s: %d refreshes, %d reauthenticates, want one each", p.count(), len(r.srv.Journal().RPC(rpcReauthenticate)))
		}
		if at := r.c.Credential().RefreshAt; !at.Equal(r.start.Add((90 + 570) * time.Second)) {
			t.Errorf("next refresh at %v, want 570 s later", at.Sub(r.start))
		}
		r.to(300 * time.Second)
		r.wantOnline("after the old expiry")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
			t.Errorf("%d connections, want one", n)
		}
	})
}

func TestRefresh02FiveFailuresThenTeardownAtExpiry(t *testing.T) {
	inBubble(t, patient, func(r *rig) {
		p := &scripted{first: r.sat(120*time.Second, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return session.Credential{}, errBackend }
		r.connect(p)
		r.to(119 * time.Second)
		r.wantOnline("before expiry")
		failures := r.refreshErrors()
		if len(failures) != 5 {
			t.Fatalf("%d TokenRefreshErrors, want 5: %v", len(failures), failures)
		}
		for i, e := range failures {
			if e.Attempt != i+1 || e.Final != (i == 4) || e.RetryAt.IsZero() != e.Final || !errors.Is(e, errBackend) ||
				e.Mechanism != errs.MechanismDeveloper || e.Stage != errs.StageObtain || !e.ExpiresAt.Equal(r.start.Add(120*time.Second)) {
				t.Errorf("failure %d: %+v", i, e)
			}
		}
		r.to(121900 * time.Millisecond)
		r.wantOnline("within the grace")
		ended := r.wantEnded(122*time.Second, errs.EndTokenExpired)
		var reason *errs.InvalidCredentialsError
		if !errors.As(ended, &reason) || reason.Reason != errs.CredentialExpired || !errors.Is(ended, failures[4]) {
			t.Errorf("the end does not hold the expiry and the last failure: %v", ended)
		}
		if n := len(allErrors[*errs.InvalidCredentialsError](r)); n != 1 {
			t.Errorf("%d expiry errors, want one", n)
		}
		r.to(10 * time.Minute)
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
			t.Errorf("reconnected with a dead token: %d connects", n)
		}
	})
}

func TestRefresh03TwoFailuresThenSuccess(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(120*time.Second, "")}
		p.next = func(_ context.Context, n int) (session.Credential, error) {
			if n <= 2 {
				return session.Credential{}, errBackend
			}
			return r.sat(time.Hour, ""), nil
		}
		r.connect(p)
		r.to(10 * time.Minute)
		r.wantOnline("after two failures")
		if n := len(r.refreshErrors()); n != 2 || p.count() != 3 {
			t.Errorf("%d errors, %d attempts, want 2 and 3", n, p.count())
		}
	})
}

func TestRefresh04BoundRefreshRetriesWithFreshProofs(t *testing.T) {
	inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
		r.fault(pathDeviceRefresh, 2, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 500})
		r.connect(session.StaticCredentials(r.bindable(time.Hour)))
		if !r.c.Credential().ClientBound {
			t.Fatal("not client-bound")
		}
		r.to(100 * time.Second)
		r.wantOnline("after two 500s")
		var seen []string
		for _, e := range r.srv.Journal().HTTP(pathDeviceRefresh) {
			seen = append(seen, e.Proof.JTI)
		}
		if len(seen) != 3 || seen[0] == seen[1] || seen[1] == seen[2] || seen[0] == seen[2] {
			t.Errorf("proof ids %v, want three distinct", seen)
		}
		failures := r.refreshErrors()
		if len(failures) != 2 {
			t.Fatalf("failures %v, want two", failures)
		}
		var h *errs.HTTPError
		if !errors.As(failures[0], &h) || h.Status != 500 || failures[0].Mechanism != errs.MechanismClientBound {
			t.Errorf("failure %v", failures[0])
		}
		r.to(30 * time.Minute)
		r.wantOnline("after many refreshes")
	})
}

func TestRefresh05aBoundRefusalHandsOverToTheProvider(t *testing.T) {
	inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
		r.fault(pathDeviceRefresh, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401})
		p := &scripted{first: r.bindable(time.Hour)}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(time.Hour, ""), nil }
		r.connect(p)
		r.to(90 * time.Second)
		failures := r.refreshErrors()
		if len(failures) != 1 || !failures[0].Final || p.count() != 1 {
			t.Fatalf("failures %v, provider asked %d times; want one final, once", failures, p.count())
		}
		if got := r.warningReasons(); !cmp.Equal(got, []string{"refresh-failed", "no-scope"}) {
			t.Errorf("warnings %v", got)
		}
		r.to(30 * time.Minute)
		r.wantOnline("after the hand-over")
	})
}

func TestRefresh05bBoundRefusalWithoutProviderEndsAtExpiry(t *testing.T) {
	o := patient
	o.MaxBoundLifetime = 2 * time.Minute
	inBubble(t, o, func(r *rig) {
		r.fault(pathDeviceRefresh, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401})
		r.connect(session.StaticCredentials(r.bindable(time.Hour)))
		r.to(119 * time.Second)
		r.wantOnline("before expiry")
		if f := r.refreshErrors(); len(f) != 1 || !f[0].Final {
			t.Fatalf("failures %v, want one final", f)
		}
		r.wantEnded(122*time.Second, errs.EndTokenExpired)
	})
}

func TestRefresh06UnusableAnswersNameTheirCause(t *testing.T) {
	syntax := func(err error) bool {
		var s *json.SyntaxError
		return errors.As(err, &s) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	unusable := func(err error) bool { var r *errs.ResponseError; return errors.As(err, &r) }
	for _, c := range []struct {
		kind  sessiontest.FaultKind
		cause func(error) bool
	}{
		{sessiontest.FaultHTML, syntax}, {sessiontest.FaultTruncated, syntax},
		{sessiontest.FaultNoToken, unusable}, {sessiontest.FaultWrongType, unusable},
		{sessiontest.FaultEmpty, unusable},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
				r.fault(pathDeviceRefresh, 1, sessiontest.Action{Kind: c.kind})
				r.connect(session.StaticCredentials(r.bindable(time.Hour)))
				r.to(10 * time.Minute)
				r.wantOnline("after a bad answer")
				f := r.refreshErrors()
				if len(f) != 1 || f[0].Stage != errs.StageParse || !c.cause(f[0]) {
					t.Errorf("failures %+v", f)
				}
			})
		})
	}
}

func TestRefresh07HangingEndpointIsLeftAfterTenSeconds(t *testing.T) {
	inBubble(t, patient, func(r *rig) {
		p := &scripted{first: r.sat(120*time.Second, "")}
		p.next = func(ctx context.Context, _ int) (session.Credential, error) {
			<-ctx.Done()
			return session.Credential{}, ctx.Err()
		}
		r.connect(p)
		r.to(100 * time.Second)
		f := r.refreshErrors()
		var timeout *errs.RequestTimeoutError
		if len(f) != 1 || !errors.As(f[0], &timeout) || timeout.After != 10*time.Second || !errors.Is(f[0], context.DeadlineExceeded) {
			t.Fatalf("failures %v, want one time-out", f)
		}
		r.wantEnded(122*time.Second, errs.EndTokenExpired)
		if f := r.refreshErrors(); !f[len(f)-1].Final {
			t.Errorf("the last failure is not final: %v", f)
		}
	})
}

func TestRefresh08RetryAfterIsHonoured(t *testing.T) {
	for _, c := range []struct {
		header string
		final  bool
	}{{"7", false}, {"50", true}} {
		t.Run(c.header, func(t *testing.T) {
			inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
				r.fault(pathDeviceRefresh, 1, sessiontest.Action{
					Kind: sessiontest.FaultStatus, Status: 429, Headers: map[string]string{"Retry-After": c.header},
				})
				r.connect(session.StaticCredentials(r.bindable(time.Hour)))
				r.to(96900 * time.Millisecond)
				f := r.refreshErrors()
				if len(f) != 1 || f[0].Final != c.final || len(r.srv.Journal().HTTP(pathDeviceRefresh)) != 1 {
					t.Fatalf("after 6.9 s: %v", f)
				}
				r.to(97500 * time.Millisecond)
				if n := len(r.srv.Journal().HTTP(pathDeviceRefresh)); n == 2 == c.final {
					t.Errorf("after 7.5 s: %d requests", n)
				}
			})
		})
	}
}

func TestRefresh09ApplyIsRepeatedWithTheSameToken(t *testing.T) {
	inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
		r.connect(session.StaticCredentials(r.bindable(time.Hour)))
		r.rpcFault(rpcReauthenticate, 1, sessiontest.Action{Kind: sessiontest.FaultRPCSilent})
		before := len(r.srv.Journal().RPC(rpcReauthenticate)) // activation
		r.to(110 * time.Second)
		r.wantOnline("after a silent reauthenticate")
		applies := r.srv.Journal().RPC(rpcReauthenticate)[before:]
		if n := len(r.srv.Journal().HTTP(pathDeviceRefresh)); n != 1 || len(applies) != 2 {
			t.Fatalf("%d refreshes, %d reauthenticates, want 1 and 2", n, len(applies))
		}
		if applies[0].Token != applies[1].Token || applies[0].Token == "" {
			t.Errorf("applied %q, then %q", applies[0].Token, applies[1].Token)
		}
		f := r.refreshErrors()
		var timeout *errs.RPCTimeoutError
		if len(f) != 1 || f[0].Stage != errs.StageApply || !errors.As(f[0], &timeout) {
			t.Errorf("failures %v", f)
		}
		r.to(10 * time.Minute)
		r.wantOnline("later")
	})
}

func TestRefresh10RelativeExpiryIsFixedOnArrival(t *testing.T) {
	inBubble(t, sessiontest.Options{MaxBoundLifetime: 2 * time.Minute}, func(r *rig) {
		r.fault(pathDeviceToken, -1, sessiontest.Action{Kind: sessiontest.FaultExpiresInOnly})
		r.fault(pathDeviceRefresh, -1, sessiontest.Action{Kind: sessiontest.FaultExpiresInOnly})
		r.connect(session.StaticCredentials(r.bindable(time.Hour)))
		r.to(40 * time.Second)
		r.srv.Drop("ann")
		r.to(45 * time.Second)
		r.wantOnline("after a reconnect")
		if at := r.c.Credential().RefreshAt.Sub(r.start); at < 89*time.Second || at > 91*time.Second {
			t.Errorf("refresh armed for %v, want 90 s", at)
		}
		r.to(100 * time.Second)
		if n := len(r.srv.Journal().HTTP(pathDeviceRefresh)); n != 1 {
			t.Errorf("%d refreshes, want one", n)
		}
	})
}

func TestRefresh11HangingActivationHoldsNothingUp(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.fault(pathDeviceToken, 1, sessiontest.Action{Kind: sessiontest.FaultHang})
		p := &scripted{first: r.bindable(10 * time.Minute)}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(time.Hour, ""), nil }
		r.connect(p)
		if took := time.Since(r.start); took > time.Second {
			t.Errorf("Connect took %v", took)
		}
		if err := r.c.Register(r.t.Context()); err != nil {
			t.Errorf("Register: %v", err)
		}
		if took := time.Since(r.start); took > 6*time.Second {
			t.Errorf("Register took %v, want its patience of 5 s at most", took)
		}
		r.to(31 * time.Second)
		if got := r.warningReasons(); !cmp.Equal(got, []string{"activation-timeout"}) {
			t.Errorf("warnings %v", got)
		}
		if f := allErrors[*errs.DeviceTokenError](r); len(f) != 1 || !errors.Is(f[0], context.DeadlineExceeded) {
			t.Errorf("errors %v", f)
		}
		if i := r.c.Credential(); i.Mechanism != errs.MechanismDeveloper || i.RefreshAt.IsZero() || i.ClientBound {
			t.Errorf("credential %+v, want the provider armed", i)
		}
		r.to(10 * time.Minute)
		if p.count() != 1 {
			t.Errorf("provider asked %d times, want once", p.count())
		}
	})
}

func TestRefresh12DisconnectDuringRefreshDiscardsIt(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(120*time.Second, "")}
		p.next = func(context.Context, int) (session.Credential, error) {
			time.Sleep(5 * time.Second) // deaf to its context
			return r.sat(time.Hour, ""), nil
		}
		r.connect(p)
		r.to(91 * time.Second)
		if err := r.c.Disconnect(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		before := r.c.Credential()
		r.to(10 * time.Minute)
		if got := r.c.Credential(); got != before || !got.RefreshAt.IsZero() {
			t.Errorf("credential changed after Disconnect: %+v", got)
		}
		if p.count() != 1 || len(r.refreshErrors()) != 0 {
			t.Errorf("asked %d times, errors %v", p.count(), r.refreshErrors())
		}
	})
}

func TestRefresh13DistantExpiryIsLeftAlone(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(60*24*time.Hour, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return session.Credential{}, errBackend }
		r.connect(p)
		r.to(24 * time.Hour)
		if p.count() != 0 {
			t.Errorf("refreshed %d times within a day, want not before two months", p.count())
		}
	})
}

func TestRefresh14FreshCredentialInTimeLosesNothing(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(120*time.Second, "")}
		p.next = func(context.Context, int) (session.Credential, error) {
			return session.Credential{}, fmt.Errorf("account locked: %w", errs.ErrPermanent)
		}
		r.connect(p)
		r.to(100 * time.Second)
		if f := r.refreshErrors(); len(f) != 1 || !f[0].Final || r.c.Credential().Refresh != "exhausted" {
			t.Fatalf("failures %v, refresher %v", f, r.c.Credential().Refresh)
		}
		if err := r.c.UpdateCredential(r.t.Context(), r.sat(time.Hour, "")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if i := r.c.Credential(); i.Refresh != "armed" {
			t.Errorf("refresher %q, want armed", i.Refresh)
		}
		r.to(10 * time.Minute)
		r.wantOnline("after the old expiry")
		if n := len(r.srv.Journal().RPC(rpcReauthenticate)); n != 1 {
			t.Errorf("%d reauthenticates, want one", n)
		}
	})
}
