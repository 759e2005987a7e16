package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

func TestReconnectResumesTheSessionAndRestoresRegistration(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		if err := r.c.Register(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		protocol := r.srv.Sessions()[0].Protocol
		r.srv.Drop("ann")
		synctest.Wait() // the client has noticed
		if r.c.Ready() || !r.c.Connected() || r.c.Registered() {
			t.Errorf("after the drop: ready %v, connected %v, registered %v; want only connected", r.c.Ready(), r.c.Connected(), r.c.Registered())
		}
		r.to(time.Second)
		r.wantOnline("after a drop")
		if !r.c.Registered() {
			t.Error("the registration was not restored")
		}
		connects := r.srv.Journal().RPC(rpcConnect)
		if len(connects) != 2 || connects[1].Session != protocol {
			t.Errorf("connects %+v, want the second to resume %s", connects, protocol)
		}
	})
}

func TestReconnectDoesNotRegisterUnlessAsked(t *testing.T) {
	for name, prepare := range map[string]func(r *rig) error{
		"never registered": func(*rig) error { return nil },
		"unregistered": func(r *rig) error {
			return errors.Join(r.c.Register(r.t.Context()), r.c.Unregister(r.t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
				if err := prepare(r); err != nil {
					t.Fatal(err)
				}
				before := len(r.srv.Journal().RPC(rpcOnline))
				r.srv.Drop("ann")
				r.to(10 * time.Second)
				r.wantOnline("after a drop")
				if r.c.Registered() || len(r.srv.Journal().RPC(rpcOnline)) != before {
					t.Error("registered although nobody asked")
				}
			})
		})
	}
}

func TestReconnectAfterRefusedResumeOpensAFreshSessionUnreported(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.rpcFault(rpcConnect, 1, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32003})
		r.srv.Drop("ann")
		r.to(time.Second)
		r.wantOnline("after a refused resume")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 3 {
			t.Errorf("%d connects, want: first, refused resume, fresh", n)
		}
		if f := allErrors[*errs.InvalidCredentialsError](r); len(f) != 0 {
			t.Errorf("the refused resume was reported: %v", f)
		}
	})
}

func TestReconnectWithARefusedTokenAsksTheProviderOnce(t *testing.T) {
	refuse := sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32002}
	for name, c := range map[string]struct {
		refusals int
		online   bool
	}{"then accepted": {2, true}, "then refused again": {3, false}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				p := &scripted{first: r.sat(time.Hour, "")}
				p.next = func(context.Context, int) (session.Credential, error) { return r.sat(2*time.Hour, ""), nil }
				r.connect(p)
				r.rpcFault(rpcConnect, c.refusals, refuse) // the resume, the fresh one, ...
				r.srv.Drop("ann")
				if c.online {
					r.to(10 * time.Second)
					r.wantOnline("with the new token")
				} else {
					r.wantEnded(0, errs.EndCredentialsRejected)
				}
				if p.count() != 1 {
					t.Errorf("provider asked %d times, want once", p.count())
				}
				n := len(r.srv.Journal().RPC(rpcConnect))
				r.to(10 * time.Minute)
				if again := len(r.srv.Journal().RPC(rpcConnect)); again != n {
					t.Errorf("%d more connects later on", again-n)
				}
			})
		})
	}
}

func TestRequestsWaitForTheConnectionInOrderAndLapsedOnesAreNeverSent(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		down := r.srv.RefuseConnections(503, 0)
		r.srv.Drop("ann")
		synctest.Wait()
		results := make(chan error, 3)
		for i := range 3 {
			go func() {
				limit := 20 * time.Second
				if i == 1 {
					limit = time.Second
				}
				ctx, cancel := context.WithTimeout(r.t.Context(), limit)
				defer cancel()
				results <- r.c.Execute(ctx, fmt.Sprintf("test.number%d", i), nil, nil)
			}()
			synctest.Wait() // it has queued
		}
		time.Sleep(5 * time.Second)
		down.Remove()
		var timeouts, answers int
		for range 3 {
			err := <-results
			var timeout *errs.RPCTimeoutError
			var refused *errs.JSONRPCError
			switch {
			case errors.As(err, &timeout):
				timeouts++
			case errors.As(err, &refused) && refused.Code == errs.CodeMethodNotFound:
				answers++
			default:
				t.Errorf("unexpected %v", err)
			}
		}
		var order []string
		for _, e := range r.srv.Journal().RPC("") {
			if e.Method != rpcConnect {
				order = append(order, e.Method)
			}
		}
		if timeouts != 1 || answers != 2 || !cmp.Equal(order, []string{"test.number0", "test.number2"}) {
			t.Errorf("%d time-outs, %d answers, sent %v", timeouts, answers, order)
		}
	})
}

func TestHalfOpenSocketIsReplacedWithin36Seconds(t *testing.T) {
	inBubble(t, sessiontest.Options{PingTimeout: -1}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.srv.Stall("ann", sessiontest.StallDeaf) // still sends pings, hears nothing
		r.to(34 * time.Second)
		r.wantOnline("before the probe is lost")
		r.to(36500 * time.Millisecond)
		r.wantOnline("after replacing the socket")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 2 {
			t.Errorf("%d connects, want a second", n)
		}
		if f := allErrors[*errs.TransportError](r); len(f) != 1 || f[0].Stage != errs.TransportLiveness {
			t.Errorf("errors %v, want one liveness failure", f)
		}
	})
}

func TestServerHintDelaysReconnect(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		down := r.srv.RefuseConnections(http.StatusServiceUnavailable, 20*time.Second)
		r.srv.Drop("ann")
		r.to(time.Second)
		down.Remove()
		r.to(19 * time.Second)
		if r.c.Ready() {
			t.Error("came back before the server wanted it")
		}
		r.to(22 * time.Second)
		r.wantOnline("after the hint")
	})
}

func TestReconnectBudgetGivesAVerdict(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.opts.Reconnect.Budget = 30 * time.Second
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.srv.RefuseConnections(503, 0)
		r.srv.Drop("ann")
		ended := r.wantEnded(30*time.Second, errs.EndReconnectBudgetSpent)
		var h *errs.HTTPError
		if ended.By != errs.EndedByNetwork || !ended.Retryable || !errors.As(ended, &h) || h.Status != 503 {
			t.Errorf("ended %+v", ended)
		}
		if r.c.Connected() || r.c.Ready() || r.c.Status() != session.StatusOffline {
			t.Error("flags say otherwise")
		}
		r.srv.ClearFaults()
		if err := r.c.Connect(r.t.Context()); err != nil {
			t.Fatalf("Connect after the verdict: %v", err)
		}
		if r.c.Err() != nil {
			t.Errorf("Err = %v in a new session", r.c.Err())
		}
	})
}

func TestServiceAnnouncingDisconnectIsLeftAtOnce(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.srv.AnnounceDisconnect("ann")
		r.to(2 * time.Second)
		r.wantOnline("after the announcement")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 2 {
			t.Errorf("%d connects, want two", n)
		}
		if len(r.errors) != 0 {
			t.Errorf("reported %v", r.errors)
		}
	})
}

func TestSessionLostBeforeExpiryMayResumeAfterIt(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(40*time.Second, "")}
		p.next = func(context.Context, int) (session.Credential, error) {
			if time.Since(r.start) < 50*time.Second {
				return session.Credential{}, errBackend
			}
			return r.sat(time.Hour, ""), nil
		}
		r.connect(p)
		r.to(10 * time.Second)
		down := r.srv.RefuseConnections(503, 0)
		r.srv.Drop("ann")
		r.to(60 * time.Second)
		down.Remove()
		r.to(70 * time.Second)
		r.wantOnline("after the outage")
		r.to(10 * time.Minute)
		r.wantOnline("with a fresh token")
	})
}

func TestServerClosingAtExpiryEndsTheSessionWithItsReason(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(60*time.Second, "")))
		ended := r.wantEnded(60*time.Second, errs.EndTokenExpired)
		if ended.By != errs.EndedByExpiry {
			t.Errorf("ended %+v", ended)
		}
		r.to(5 * time.Minute)
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
			t.Errorf("%d connects, want no reconnect with a dead token", n)
		}
		fresh := r.sat(time.Hour, "")
		if err := r.c.UpdateCredential(r.t.Context(), fresh); err != nil {
			t.Fatal(err)
		}
		if err := r.c.Connect(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		r.to(20 * time.Minute)
		r.wantOnline("with the fresh token")
	})
}
