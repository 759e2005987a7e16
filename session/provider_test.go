package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A switchable provider answers as it is told at the moment and counts how often
// it was asked.
type switchable struct {
	mu     sync.Mutex
	answer func(ctx context.Context) (session.Credential, error)
	asked  int
}

func (p *switchable) Authenticate(ctx context.Context, _ session.AuthContext) (session.Credential, error) {
	p.mu.Lock()
	p.asked++
	answer := p.answer
	p.mu.Unlock()
	return answer(ctx)
}

func (p *switchable) to(answer func(ctx context.Context) (session.Credential, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *switchable) with(c session.Credential) {
	p.to(func(context.Context) (session.Credential, error) { return c, nil })
}

func (p *switchable) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// connectFailure is one way in which Connect ends with a reason.
type connectFailure struct {
	reason errs.CredentialReason
	spoil  func(r *rig, p *switchable) // make it fail
	cause  func(error) bool            // what must be found inside; nil: nothing in particular
}

var connectFailures = map[string]connectFailure{
	"provider fails": {errs.CredentialProviderFailed, func(_ *rig, p *switchable) {
		p.to(func(context.Context) (session.Credential, error) { return session.Credential{}, errBackend })
	}, func(err error) bool { return errors.Is(err, errBackend) }},
	"provider panics": {errs.CredentialProviderFailed, func(_ *rig, p *switchable) {
		p.to(func(context.Context) (session.Credential, error) { panic(errBackend) })
	}, func(err error) bool {
		var p *errs.PanicError
		return errors.As(err, &p) && p.Value == any(errBackend) && len(p.Stack) > 0
	}},
	"nothing": {errs.CredentialNone, func(_ *rig, p *switchable) { p.with(session.Credential{}) }, nil},
	"no token": {errs.CredentialEmpty, func(r *rig, p *switchable) {
		p.with(session.Credential{ExpiresAt: r.start.Add(time.Hour)})
	}, nil},
	"authorization state only": {errs.CredentialEmpty, func(_ *rig, p *switchable) {
		p.with(session.Credential{AuthorizationState: "state"})
	}, nil},
	"malformed token": {errs.CredentialMalformedToken, func(_ *rig, p *switchable) {
		p.with(session.Credential{Token: "%%%.x"})
	}, func(err error) bool { var c base64.CorruptInputError; return errors.As(err, &c) }},
	"forbidden host": {errs.CredentialForbiddenHost, func(r *rig, p *switchable) {
		p.with(session.Credential{Token: tokenFor("puc.evilcallrx.localhost")})
	}, nil},
	"expired": {errs.CredentialExpired, func(r *rig, p *switchable) { p.with(r.sat(-time.Second, "")) }, nil},
	"expired, unknown to the client": {errs.CredentialRejected, func(r *rig, p *switchable) {
		c := r.sat(-time.Second, "")
		c.ExpiresAt = time.Time{}
		p.with(c)
	}, hasStatus(401)},
	"401 from subscriber info": {errs.CredentialRejected, func(r *rig, _ *switchable) {
		r.fault(pathInfo, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401})
	}, hasStatus(401)},
	"403 from subscriber info": {errs.CredentialRejected, func(r *rig, _ *switchable) {
		r.fault(pathInfo, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 403})
	}, hasStatus(403)},
	"-32002 on connect": {errs.CredentialRejected, func(r *rig, _ *switchable) {
		r.rpcFault(rpcConnect, -1, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32002})
	}, func(err error) bool {
		var rpc *errs.JSONRPCError
		return errors.As(err, &rpc) && rpc.Code == errs.CodeAuthenticationFailed
	}},
}

func hasStatus(status int) func(error) bool {
	return func(err error) bool {
		var h *errs.HTTPError
		return errors.As(err, &h) && h.Status == status
	}
}

// tokenFor is an unusable token whose header names a cluster host.
func tokenFor(ch string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","ch":"`+ch+`"}`)) + "..i.c.t"
}

func TestConnectSaysWhyACredentialCannotBeUsed(t *testing.T) {
	for name, f := range connectFailures {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				r.opts.AllowedDomains = []string{"callrx.localhost"}
				p := &switchable{}
				p.with(r.sat(time.Hour, ""))
				f.spoil(r, p)
				r.open(p)
				err := r.c.Connect(t.Context())
				var invalid *errs.InvalidCredentialsError
				if !errors.As(err, &invalid) || invalid.Reason != f.reason || f.cause != nil && !f.cause(err) {
					t.Fatalf("Connect = %v, want reason %s with its cause", err, f.reason)
				}
				r.wantNothingLeft(err)

				r.srv.ClearFaults()
				p.with(r.sat(2*time.Hour, ""))
				asked, seen := p.count(), len(r.srv.Journal())
				if err := r.c.Connect(t.Context()); err != nil {
					t.Fatalf("Connect after the cause is gone: %v", err)
				}
				if p.count() != asked+1 {
					t.Errorf("the provider was asked %d times more, want once", p.count()-asked)
				}
				presented := tokensIn(r.srv.Journal()[:seen])
				if (len(presented) == 1) != (f.reason == errs.CredentialRejected) {
					t.Errorf("presented %v before the failure", presented)
				}
				for token := range tokensIn(r.srv.Journal()[seen:]) {
					if presented[token] {
						t.Errorf("%s was refused and presented again", token)
					}
				}
				if err := r.c.Err(); err != nil {
					t.Errorf("Err = %v in a live session", err)
				}
			})
		})
	}
}

func TestConnectWithoutProviderOrStoredSession(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.open(nil)
		err := r.c.Connect(t.Context())
		var invalid *errs.InvalidCredentialsError
		if !errors.As(err, &invalid) || invalid.Reason != errs.CredentialNoProvider {
			t.Fatalf("Connect = %v", err)
		}
		r.wantNothingLeft(err)
		if err := r.c.UpdateCredential(t.Context(), r.sat(time.Hour, "")); err != nil {
			t.Fatal(err)
		}
		if err := r.c.Connect(t.Context()); err != nil {
			t.Fatalf("Connect with a credential handed over: %v", err)
		}
	})
}

// wantNothingLeft checks what a failed Connect leaves: its error once on
// ObserveErrors and in Err, no session, and nothing that goes on.
func (r *rig) wantNothingLeft(err error) {
	r.t.Helper()
	synctest.Wait()
	if r.c.Status() != session.StatusOffline || r.c.Connected() || r.c.Ready() || len(r.srv.Sessions()) != 0 {
		r.t.Errorf("after the failure: %v, sessions %+v", r.c.Status(), r.srv.Sessions())
	}
	var ended *errs.SessionEndedError
	if !errors.As(r.c.Err(), &ended) || !errors.Is(r.c.Err(), err) {
		r.t.Errorf("Err = %v, want it to hold %v", r.c.Err(), err)
	}
	select {
	case <-r.c.Done():
	default:
		r.t.Error("Done is open")
	}
	requests := len(r.srv.Journal())
	time.Sleep(time.Hour)
	synctest.Wait()
	if n := len(r.srv.Journal()); n != requests {
		r.t.Errorf("%d requests after Connect had failed: %+v", n-requests, r.srv.Journal()[requests:])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.errors) != 1 || r.errors[0] != err {
		r.t.Errorf("ObserveErrors delivered %v, want only %v", r.errors, err)
	}
}

// tokensIn are the fingerprints of the tokens that were presented.
func tokensIn(j sessiontest.Journal) map[string]bool {
	tokens := map[string]bool{}
	for _, e := range j {
		if e.Token != "" {
			tokens[e.Token] = true
		}
	}
	return tokens
}
