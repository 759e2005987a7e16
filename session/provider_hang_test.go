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
)

func TestConnectWaitsForAProviderUntilItsContextEnds(t *testing.T) {
	for name, deaf := range map[string]bool{"provider heeds its context": false, "provider ignores its context": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				release := make(chan struct{})
				left := make(chan struct{})
				p := &switchable{}
				p.to(func(ctx context.Context) (session.Credential, error) {
					defer close(left)
					if deaf {
						<-release
						return r.sat(time.Hour, ""), nil
					}
					<-ctx.Done()
					return session.Credential{}, ctx.Err()
				})
				r.open(p)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				err := r.c.Connect(ctx)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(r.start) != 3*time.Second {
					t.Fatalf("Connect = %v after %v, want its deadline of 3 s", err, time.Since(r.start))
				}
				if r.c.Status() != session.StatusOffline {
					t.Errorf("status %v", r.c.Status())
				}
				close(release)
				<-left
				synctest.Wait()
				if i := r.c.Credential(); i.Fingerprint != "" {
					t.Errorf("a late answer was taken over: %+v", i)
				}
				p.with(r.sat(time.Hour, ""))
				if err := r.c.Connect(t.Context()); err != nil {
					t.Fatalf("Connect afterwards: %v", err)
				}
			})
		})
	}
}

func TestConnectWithACancelledContextDoesNothing(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &switchable{}
		p.with(r.sat(time.Hour, ""))
		r.open(p)
		why := errors.New("not today")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		for range 20 { // select picks at random
			if err := r.c.Connect(ctx); !errors.Is(err, why) {
				t.Fatalf("Connect = %v, want the reason of its context", err)
			}
		}
		synctest.Wait()
		if p.count() != 0 || len(r.srv.Journal()) != 0 {
			t.Errorf("provider asked %d times, journal %+v", p.count(), r.srv.Journal())
		}
		if s := r.c.Status(); s == session.StatusConnecting {
			t.Errorf("status %v", s)
		}
		if len(r.errors) != 0 {
			t.Errorf("reported %v", r.errors)
		}
		if err := r.c.Connect(t.Context()); err != nil {
			t.Fatalf("Connect afterwards: %v", err)
		}
	})
}

func TestPanicInRefreshIsAFailedAttempt(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		p := &scripted{first: r.sat(120*time.Second, "")}
		p.next = func(_ context.Context, n int) (session.Credential, error) {
			if n == 1 {
				panic("the backend's client is broken")
			}
			return r.sat(time.Hour, ""), nil
		}
		r.connect(p)
		r.to(10 * time.Minute)
		r.wantOnline("after a panic in the provider")
		var panicked *errs.PanicError
		if f := r.refreshErrors(); len(f) != 1 || !errors.As(f[0], &panicked) || f[0].Final {
			t.Errorf("failures %v, want one with the panic inside", f)
		}
	})
}

func TestServiceFailureIsNoVerdictOnTheToken(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *rig)
		typed func(error) bool
	}{
		"500 from subscriber info": {func(r *rig) {
			r.fault(pathInfo, -1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 500})
		}, hasStatus(500)},
		"HTML from subscriber info": {func(r *rig) {
			r.fault(pathInfo, -1, sessiontest.Action{Kind: sessiontest.FaultHTML})
		}, func(err error) bool { var u *errs.UnexpectedError; return errors.As(err, &u) }},
		"-32000 on connect": {func(r *rig) {
			r.rpcFault(rpcConnect, -1, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32000})
		}, func(err error) bool { var rpc *errs.JSONRPCError; return errors.As(err, &rpc) && rpc.Code == -32000 }},
		"silence on connect": {func(r *rig) {
			r.rpcFault(rpcConnect, -1, sessiontest.Action{Kind: sessiontest.FaultRPCSilent})
		}, func(err error) bool { var late *errs.RPCTimeoutError; return errors.As(err, &late) }},
		"no socket": {func(r *rig) { r.srv.RefuseConnections(503, 0) }, hasStatus(503)},
		"cut socket": {func(r *rig) { r.srv.RefuseConnections(0, 0) }, func(err error) bool {
			var lost *errs.TransportError
			return errors.As(err, &lost)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				t := r.t
				p := &switchable{}
				p.with(r.sat(12*time.Hour, ""))
				c.spoil(r)
				r.open(p)
				err := r.c.Connect(t.Context())
				var verdict *errs.InvalidCredentialsError
				if errors.As(err, &verdict) || !c.typed(err) {
					t.Fatalf("Connect = %v", err)
				}
				r.wantNothingLeft(err)
				r.srv.ClearFaults()
				if err := r.c.Connect(t.Context()); err != nil {
					t.Fatalf("Connect afterwards: %v", err)
				}
				if p.count() != 1 {
					t.Errorf("provider asked %d times for a token that was good", p.count())
				}
			})
		})
	}
}
