package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A supervisor that calls Connect to wait for the connection holds nobody up.
func TestUpdateCredentialDoesNotWaitBehindConnect(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
		down := r.cutOff()
		waited := make(chan error, 1)
		go func() { waited <- r.c.Connect(context.Background()) }()
		synctest.Wait() // it waits for the connection
		time.AfterFunc(10*time.Minute, down.Remove)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		fresh := r.sat(time.Hour, "")
		if err := r.c.UpdateCredential(ctx, fresh); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("UpdateCredential = %v", err)
		}
		r.wantToken("after the deadline", fresh)
		r.to(15 * time.Minute)
		r.wantOnline("after the outage")
		if err := <-waited; err != nil {
			t.Errorf("Connect = %v", err)
		}
	})
}

// What a provider may do with the client that asks it during Connect: nothing
// waits for itself.
func TestProviderMayUseTheClientThatAsksIt(t *testing.T) {
	var itself *errs.InvalidStateTransitionError
	var none *errs.NotConnectedError
	isNone := func(err error) bool { return errors.As(err, &none) }
	wouldWait := func(err error) bool { return errors.As(err, &itself) }
	nothing := func(err error) bool { return err == nil }
	for name, c := range map[string]struct {
		do             func(ctx context.Context, r *rig) error
		inner, connect func(error) bool
	}{
		"UpdateCredential": {func(ctx context.Context, r *rig) error { return r.c.UpdateCredential(ctx, r.sat(time.Hour, "")) }, wouldWait, nothing},
		"Connect":          {func(ctx context.Context, r *rig) error { return r.c.Connect(ctx) }, wouldWait, nothing},
		"Register":         {func(ctx context.Context, r *rig) error { return r.c.Register(ctx) }, wouldWait, nothing},
		"Execute":          {func(ctx context.Context, r *rig) error { return r.c.Execute(ctx, "test.any", nil, nil) }, isNone, nothing},
		"Disconnect": {func(_ context.Context, r *rig) error { return r.c.Disconnect(context.Background()) }, nothing,
			func(err error) bool { return errors.Is(err, errs.ErrDisconnected) }},
		"Close": {func(_ context.Context, r *rig) error { return r.c.Close() }, nothing,
			func(err error) bool { return errors.Is(err, errs.ErrClosed) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				inner := make(chan error, 1)
				r.open(session.CredentialFunc(func(ctx context.Context, _ session.AuthContext) (session.Credential, error) {
					inner <- c.do(ctx, r)
					return r.sat(time.Hour, ""), nil
				}))
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := r.c.Connect(ctx); !c.connect(err) {
					t.Errorf("Connect = %v", err)
				}
				if err := <-inner; !c.inner(err) {
					t.Errorf("the provider's call returned %v", err)
				}
				if took := time.Since(r.start); took > time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestUpdateCredentialWhileRefreshing(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(time.Minute, "")}
		updated := make(chan error, 1)
		p.next = func(ctx context.Context, _ int) (session.Credential, error) {
			fresh := r.sat(time.Hour, "")
			updated <- r.c.UpdateCredential(context.WithoutCancel(ctx), fresh) // which ends this refresh
			return fresh, nil
		}
		r.connect(p)
		r.to(5 * time.Minute)
		r.wantOnline("after the old expiry")
		if err := <-updated; err != nil || p.count() != 1 {
			t.Errorf("UpdateCredential = %v, %d refreshes", err, p.count())
		}
	})
}

// A refresh is under way, deaf to its context, when the service refuses the
// token on a new connection and another is needed at once.
func TestProviderIsAskedOneThingAtATime(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		var mu sync.Mutex
		var asking, most int
		count := func(by int) {
			mu.Lock()
			defer mu.Unlock()
			asking += by
			most = max(most, asking)
		}
		first := r.srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: 2 * time.Minute})
		p := &scripted{first: session.Credential{Token: first.Token, ExpiresAt: first.ExpiresAt}}
		p.next = func(_ context.Context, n int) (session.Credential, error) {
			count(1)
			defer count(-1)
			time.Sleep(4 * time.Second)
			return r.sat(2*time.Minute+time.Duration(n)*time.Minute, ""), nil
		}
		r.connect(p)
		r.to(88 * time.Second)
		r.srv.Revoke(first.JTI)
		r.srv.Expire("ann")
		r.to(2 * time.Minute)
		r.wantOnline("after the refusal")
		mu.Lock()
		defer mu.Unlock()
		if most != 1 || p.count() < 2 {
			t.Errorf("asked %d times, %d at once", p.count(), most)
		}
	})
}
