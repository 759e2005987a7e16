package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// bare mints a token for ann and does not say when it expires.
func (r *rig) bare(ttl time.Duration) session.Credential {
	c := r.sat(ttl, "")
	c.ExpiresAt = time.Time{}
	return c
}

// cutOff takes the connection away and lets nobody in until the fault is removed.
func (r *rig) cutOff() *sessiontest.InjectedFault {
	down := r.srv.RefuseConnections(503, 0)
	r.srv.Drop("ann")
	synctest.Wait() // the client has noticed
	return down
}

// wantToken checks which token is in use.
func (r *rig) wantToken(when string, c session.Credential) {
	r.t.Helper()
	if r.c.Credential().Fingerprint != fingerprintOf(c.Token) {
		r.t.Errorf("%s another token is in use", when)
	}
}

func TestUpdateCredentialDuringAnOutageIsKeptWhenItsContextEnds(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
		down := r.cutOff()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		fresh := r.sat(time.Hour, "")
		if err := r.c.UpdateCredential(ctx, fresh); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("UpdateCredential = %v, want its deadline", err)
		}
		r.wantToken("after the deadline", fresh)
		r.to(50 * time.Second)
		down.Remove()
		r.to(5 * time.Minute)
		r.wantOnline("after the old expiry")
		r.wantToken("after the old expiry", fresh)
	})
}

func TestUpdateCredentialWaitsForTheEndOfALongOutage(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(2*time.Minute, "")))
		time.AfterFunc(90*time.Second, r.cutOff().Remove)
		if err := r.c.UpdateCredential(context.Background(), r.sat(time.Hour, "")); err != nil {
			t.Errorf("UpdateCredential = %v", err)
		}
		r.to(5 * time.Minute)
		r.wantOnline("after the old expiry")
	})
}

func TestUpdateCredentialMakesItsProofWhenItIsSent(t *testing.T) {
	inBubble(t, sessiontest.Options{ProofWindow: time.Minute}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(5*time.Minute, "")))
		time.AfterFunc(100*time.Second, r.cutOff().Remove)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := r.c.UpdateCredential(ctx, r.sat(time.Hour, "")); err != nil {
			t.Fatalf("UpdateCredential = %v", err)
		}
		sent := r.srv.Journal().RPC(rpcReauthenticate)
		if len(sent) == 0 {
			t.Error("the token was not presented")
		}
		for _, e := range sent {
			if age := e.Time.Sub(time.Unix(e.Proof.IssuedAt, 0)); age > 2*time.Second {
				t.Errorf("a proof was sent %v after it was made", age)
			}
		}
		r.to(10 * time.Minute)
		r.wantOnline("after the old expiry")
	})
}

func TestUpdateCredentialLearnsAnExpiryItWasNotTold(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(5*time.Minute, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(5*time.Minute, ""), nil }
		r.connect(p)
		if err := r.c.UpdateCredential(t.Context(), r.bare(4*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if got, want := r.c.Credential().ExpiresAt, r.start.Add(4*time.Minute); !got.Equal(want) {
			t.Errorf("expires at %v, want %v", got, want)
		}
		r.to(20 * time.Minute)
		r.wantOnline("some refreshes later")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
			t.Errorf("%d connects: the session was dropped at an expiry", n)
		}
	})
}

// The service fails to take a refreshed token over, and refuses one that the
// program brings before the next try: the refreshed one is still to be applied.
func TestUpdateCredentialRefusedLeavesARefreshedTokenToBeApplied(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(2*time.Minute, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(time.Hour, ""), nil }
		r.connect(p)
		r.rpcFault(rpcReauthenticate, 1, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32000})
		r.to(90*time.Second + 100*time.Millisecond)
		held := r.c.Credential()
		r.rpcFault(rpcReauthenticate, 1, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32002})
		var refused *errs.JSONRPCError
		if err := r.c.UpdateCredential(t.Context(), r.sat(2*time.Hour, "")); !errors.As(err, &refused) {
			t.Fatalf("UpdateCredential = %v", err)
		}
		if got := r.c.Credential().Fingerprint; got != held.Fingerprint {
			t.Error("the refreshed token is no longer in use")
		}
		r.to(115 * time.Second)
		if s := r.srv.Sessions(); len(s) != 1 || !s[0].Deadline.Equal(held.ExpiresAt) {
			t.Errorf("the service has %+v, want a session until %v", s, held.ExpiresAt)
		}
		r.to(5 * time.Minute)
		r.wantOnline("after the old expiry")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
			t.Errorf("%d connects, want one", n)
		}
	})
}

func TestUpdateCredentialIsWarnedOfLikeTheFirst(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
		if err := r.c.UpdateCredential(t.Context(), r.sat(2*time.Minute, "")); err != nil {
			t.Fatal(err)
		}
		once := r.warningReasons()[:1]
		if got, want := r.warningReasons(), append(once, once...); !cmp.Equal(got, want) {
			t.Errorf("warnings %v, want one for each credential: %v", got, want)
		}
	})
}

func TestUpdateCredentialWithoutASessionStartsNothing(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(time.Hour, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return session.Credential{}, errBackend }
		r.connect(p)
		if err := r.c.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		requests := len(r.srv.Journal())
		fresh := r.sat(time.Minute, "")
		if err := r.c.UpdateCredential(t.Context(), fresh); err != nil {
			t.Fatal(err)
		}
		r.wantToken("once handed over", fresh)
		r.to(10 * time.Minute)
		if reported := allErrors[error](r); len(reported) > 0 || p.count() > 0 {
			t.Errorf("a disconnected client asked for %d refreshes and reported %v", p.count(), reported)
		}
		if n := len(r.srv.Journal()); n != requests {
			t.Errorf("a disconnected client made %d requests", n-requests)
		}
	})
}

func TestUpdateCredentialUnansweredAtTheOldExpiryServesTheNextConnect(t *testing.T) {
	inBubble(t, sessiontest.Options{ExpirySlack: time.Hour}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
		r.to(58 * time.Second)
		r.rpcFault(rpcReauthenticate, 1, sessiontest.Action{Kind: sessiontest.FaultRPCSilent})
		fresh := r.sat(time.Hour, "")
		if err := r.c.UpdateCredential(context.Background(), fresh); err == nil {
			t.Error("UpdateCredential = nil without an answer")
		}
		time.Sleep(time.Minute)
		if expired := allErrors[*errs.InvalidCredentialsError](r); len(expired) != 1 {
			t.Errorf("the expiry was reported as %v, want once", expired)
		}
		r.wantToken("after the expiry", fresh)
		if err := r.c.Connect(t.Context()); err != nil {
			t.Errorf("Connect = %v", err)
		}
	})
}
