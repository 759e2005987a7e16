package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

func TestFlagsFollowTheSession(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		var mu sync.Mutex
		var seen []string
		follow := func(o observable.Of[bool], name string) {
			o.Subscribe(context.Background(), func(on bool) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, name+map[bool]string{true: "+", false: "-"}[on])
			})
		}
		follow(r.c.ObserveConnected(), "connected")
		follow(r.c.ObserveReady(), "ready")
		follow(r.c.ObserveRegistered(), "registered")
		steps := []func() error{
			func() error { return r.c.Connect(r.t.Context()) },
			func() error { return r.c.Register(r.t.Context()) },
			func() error { return r.c.Unregister(r.t.Context()) },
			func() error { return r.c.Disconnect(r.t.Context()) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // observers have seen it
		}
		if r.c.Connected() || r.c.Ready() || r.c.Registered() || r.c.User() == nil || r.c.User().DisplayName != "ann" {
			t.Errorf("after Disconnect: connected %v, ready %v, registered %v, user %+v", r.c.Connected(), r.c.Ready(), r.c.Registered(), r.c.User())
		}
		if len(seen) != 9 {
			t.Errorf("observers saw %v, want each flag off, on and off again", seen)
		}
	})
}

func TestDisconnectThenConnectStartsANewSession(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(10*time.Minute, "")}
		p.next = func(context.Context, int) (session.Credential, error) { return r.sat(time.Hour, ""), nil }
		r.connect(p)
		first := r.c.Done()
		if err := r.c.Disconnect(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		<-first
		if !errors.Is(r.c.Err(), errs.ErrDisconnected) {
			t.Errorf("Err = %v", r.c.Err())
		}
		if err := r.c.Connect(r.t.Context()); err != nil {
			t.Fatal(err)
		}
		if r.c.Err() != nil || r.c.Done() == first {
			t.Error("the new session shows the end of the old one")
		}
		if s := r.srv.Journal().RPC(rpcConnect); len(s) != 2 || s[0].Session == s[1].Session {
			t.Errorf("connects %+v, want two different sessions", s)
		}
		r.to(20 * time.Minute)
		r.wantOnline("past the first expiry: refresh was armed again")
	})
}

func TestConnectTwiceIsHarmlessAndDuringReconnectItWaits(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := r.c.Connect(r.t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r.srv.Drop("ann")
		synctest.Wait() // the client has noticed
		if err := r.c.Connect(r.t.Context()); err != nil || !r.c.Ready() {
			t.Errorf("Connect while reconnecting: %v, ready %v", err, r.c.Ready())
		}
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 2 {
			t.Errorf("%d connects, want two", n)
		}
	})
}

func TestConnectEndsWithItsContextAndLeavesNothing(t *testing.T) {
	for _, where := range []struct {
		name  string
		fault sessiontest.Match
	}{{"subscriber info", sessiontest.Match{Path: pathInfo}}, {"handshake", sessiontest.Match{Path: "/"}}, {"authentication", sessiontest.Match{RPC: rpcConnect}}} {
		t.Run(where.name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				r.srv.Inject(sessiontest.Fault{Match: where.fault, Action: sessiontest.Action{Kind: sessiontest.FaultHang}})
				r.open(session.StaticCredentials(r.sat(time.Hour, "")))
				why := errors.New("the user lost interest")
				ctx, cancel := context.WithCancelCause(r.t.Context())
				time.AfterFunc(2*time.Second, func() { cancel(why) })
				err := r.c.Connect(ctx)
				if took := time.Since(r.start); !errors.Is(err, why) || took > 4*time.Second {
					t.Errorf("Connect: %v after %v", err, took)
				}
				if r.c.Status() != session.StatusOffline || r.c.Connected() {
					t.Errorf("status %v", r.c.Status())
				}
				if err := r.c.Connect(r.t.Context()); err != nil {
					t.Errorf("Connect again: %v", err)
				}
			})
		})
	}
}

func TestDisconnectAndCloseInterruptConnect(t *testing.T) {
	for name, c := range map[string]struct {
		stop func(c *session.Client) error
		want error
	}{
		"Disconnect": {func(c *session.Client) error { return c.Disconnect(context.Background()) }, errs.ErrDisconnected},
		"Close":      {(*session.Client).Close, errs.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				r.rpcFault(rpcConnect, -1, sessiontest.Action{Kind: sessiontest.FaultRPCSilent})
				r.open(session.StaticCredentials(r.sat(time.Hour, "")))
				result := make(chan error, 1)
				go func() { result <- r.c.Connect(context.Background()) }()
				time.Sleep(time.Second)
				if err := c.stop(r.c); err != nil {
					t.Fatal(err)
				}
				if err := <-result; !errors.Is(err, c.want) {
					t.Errorf("Connect returned %v, want %v", err, c.want)
				}
				r.to(time.Minute)
				if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
					t.Errorf("%d connects, want no more after the first", n)
				}
			})
		})
	}
}

func TestCloseCompletesEverythingFromAnyStateAndTwice(t *testing.T) {
	states := map[string]func(r *rig){
		"new":          func(*rig) {},
		"online":       func(r *rig) { _ = r.c.Connect(r.t.Context()) },
		"disconnected": func(r *rig) { _ = r.c.Connect(r.t.Context()); _ = r.c.Disconnect(r.t.Context()) },
		"reconnecting": func(r *rig) {
			_ = r.c.Connect(r.t.Context())
			r.srv.RefuseConnections(503, 0)
			r.srv.Drop("ann")
			synctest.Wait()
		},
		"expired": func(r *rig) { _ = r.c.Connect(r.t.Context()); <-r.c.Done() },
	}
	for name, enter := range states {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{}, func(r *rig) {
				r.open(session.StaticCredentials(r.sat(time.Minute, "")))
				enter(r)
				completed := make(chan string, 8)
				watch := func(name string, done <-chan struct{}) { go func() { <-done; completed <- name }() }
				watch("errors", r.c.ObserveErrors().Subscribe(context.Background(), func(error) {}).Done())
				watch("status", r.c.ObserveStatus().Subscribe(context.Background(), func(session.Status) {}).Done())
				watch("events", r.c.ObserveSignalingEvents().Subscribe(context.Background(), func(*session.Event) {}).Done())
				began := time.Now()
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						if err := r.c.Close(); err != nil {
							t.Errorf("Close: %v", err)
						}
					})
				}
				wg.Wait()
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("Close took %v", took)
				}
				for range 3 {
					<-completed
				}
				<-r.c.Done()
				ended := map[string]errs.EndCause{"disconnected": errs.EndDisconnected, "expired": errs.EndTokenExpired}[name]
				var why *errs.SessionEndedError
				if ended == "" {
					ended = errs.EndClosed
				}
				if !errors.As(r.c.Err(), &why) || why.Cause != ended {
					t.Errorf("Err = %v, want %v", r.c.Err(), ended)
				}
				if r.c.Status() != session.StatusClosed {
					t.Errorf("status %v", r.c.Status())
				}
				for what, err := range map[string]error{
					"Connect": r.c.Connect(r.t.Context()), "Disconnect": r.c.Disconnect(r.t.Context()),
					"Register": r.c.Register(r.t.Context()), "Execute": r.c.Execute(r.t.Context(), "x", nil, nil),
					"UpdateCredential": r.c.UpdateCredential(r.t.Context(), session.Credential{}),
				} {
					if !errors.Is(err, errs.ErrClosed) {
						t.Errorf("%s after Close: %v", what, err)
					}
				}
			})
		})
	}
}

func TestClientMayBeUsedFromItsObservers(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		done := make(chan error, 2)
		r.c.ObserveReady().Subscribe(context.Background(), func(ready bool) {
			if ready {
				done <- r.c.Execute(context.Background(), "signalwire.ping", nil, nil)
				done <- r.c.Close()
			}
		})
		if err := r.c.Connect(r.t.Context()); err != nil && !errors.Is(err, errs.ErrClosed) {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestUpdateCredentialInterruptsNothing(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
		var got []uint64
		r.c.ObserveSignalingEvents().Subscribe(context.Background(), func(e *session.Event) { got = append(got, e.Sequence) })
		r.rpcFault("test.slow", 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 3 * time.Second})
		inFlight := make(chan error, 1)
		go func() { inFlight <- r.c.Execute(context.Background(), "test.slow", nil, nil) }()
		time.Sleep(time.Second)
		for range 50 {
			if _, err := r.srv.SendEvent("ann", "test.event", nil, map[string]any{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.c.UpdateCredential(r.t.Context(), r.sat(time.Hour, "")); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if _, err := r.srv.SendEvent("ann", "test.event", nil, map[string]any{}); err != nil {
				t.Fatal(err)
			}
		}
		var refused *errs.JSONRPCError
		if err := <-inFlight; !errors.As(err, &refused) {
			t.Errorf("the request in flight got %v, want the service's answer", err)
		}
		r.to(10 * time.Minute)
		r.wantOnline("after the old expiry")
		want := make([]uint64, 100)
		for i := range want {
			want[i] = uint64(i + 1)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("events %v", got)
		}
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 {
			t.Errorf("%d connects, want one", n)
		}
	})
}

func TestUpdateCredentialRefusedKeepsThePrevious(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(10*time.Minute, "")))
		before := r.c.Credential().Fingerprint
		r.rpcFault(rpcReauthenticate, 1, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32002})
		var refused *errs.JSONRPCError
		if err := r.c.UpdateCredential(r.t.Context(), r.sat(time.Hour, "")); !errors.As(err, &refused) {
			t.Fatalf("UpdateCredential: %v", err)
		}
		if got := r.c.Credential().Fingerprint; got != before {
			t.Error("the refused token is still in use")
		}
		r.wantOnline("after the refusal")
	})
}

func TestUpdateCredentialWhileTheConnectionIsLostAppliesWithTheNext(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.connect(session.StaticCredentials(r.sat(time.Minute, "")))
		down := r.srv.RefuseConnections(503, 0)
		r.srv.Drop("ann")
		time.AfterFunc(4*time.Second, down.Remove)
		synctest.Wait()
		fresh := r.sat(time.Hour, "")
		if err := r.c.UpdateCredential(r.t.Context(), fresh); err != nil {
			t.Fatal(err)
		}
		r.to(30 * time.Minute)
		r.wantOnline("after the old expiry")
	})
}
