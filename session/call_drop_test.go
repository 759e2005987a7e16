package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4"
)

// unanswered leaves the next invites without an answer.
func unanswered(srv *sessiontest.Server) {
	srv.Inject(sessiontest.Fault{
		Match: sessiontest.Match{Verto: "verto.invite"}, Times: -1,
		Action: sessiontest.Action{Kind: sessiontest.FaultRPCSilent},
	})
}

// taken has the gateway take the next call and say so late.
func taken(srv *sessiontest.Server, delay time.Duration) {
	srv.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{Verto: "verto.invite"},
		Action: sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: delay},
	})
}

// dialAside dials beside the test.
func dialAside(t *testing.T, ctx context.Context, c *session.Client, to string, o session.DialOptions) <-chan error {
	t.Helper()
	failed := make(chan error, 1)
	go func() {
		_, err := c.Dial(ctx, to, o)
		failed <- err
	}()
	return failed
}

func TestDialEndsWithItsContext(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want errs.CallCreateReason
		is   error
	}{
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 300*time.Millisecond)
		}, errs.CallTimeout, context.DeadlineExceeded},
		{"cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(300*time.Millisecond, cancel)
			return ctx, cancel
		}, errs.CallFailed, context.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := sessiontest.NewServer(t)
			c := onLoopback(t, srv, "ann")
			taken(srv, time.Second) // the answer comes too late: the call has to be ended all the same
			ctx, cancel := tc.end(t.Context())
			defer cancel()
			began := time.Now()
			_, err := c.Dial(ctx, "/public/ring", dialing())
			if took := time.Since(began); took > time.Second {
				t.Errorf("Dial took %v", took)
			}
			if why := wantNoCall(t, err, tc.want); why == nil || !errors.Is(err, tc.is) {
				t.Errorf("Dial: %v, ended %v", err, why)
			}
			journal(t, srv, received("verto.bye"))
			wantOver(t, srv, c)
		})
	}
}

func TestDialWithoutDeadlineTakesSixSecondsAtMost(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		unanswered(b.srv)
		began := time.Now()
		_, err := ann.Dial(t.Context(), "/public/ring", ann.dialing(session.MediaOptions{}))
		wantNoCall(t, err, errs.CallTimeout)
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("Dial took %v", took)
		}
		wantOver(t, b.srv, ann.Client)
	})
}

// TestClosingEndsADial: whatever it waits for.
func TestClosingEndsADial(t *testing.T) {
	closing := func(_ *testing.T, c *session.Client) { _ = c.Close() }
	disconnecting := func(t *testing.T, c *session.Client) {
		if err := c.Disconnect(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for _, tc := range []struct {
		name string
		end  func(*testing.T, *session.Client)
	}{{"Close", closing}, {"Disconnect", disconnecting}} {
		t.Run(tc.name+" while the invite is out", func(t *testing.T) {
			srv := sessiontest.NewServer(t)
			c := onLoopback(t, srv, "ann")
			unanswered(srv)
			failed := dialAside(t, t.Context(), c, "/public/ring", dialing())
			journal(t, srv, received("verto.invite"))
			tc.end(t, c)
			wantNoCall(t, <-failed, errs.CallNotConnected)
			journal(t, srv, received("verto.bye"))
			wantOver(t, srv, c)
		})
		t.Run(tc.name+" while candidates are gathered", func(t *testing.T) {
			srv := sessiontest.NewServer(t)
			c := onLoopback(t, srv, "ann")
			gathering, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			o := dialing()
			o.SettingEngine = func(s *webrtc.SettingEngine) {
				loopbackMedia(s)
				once.Do(func() { close(gathering); <-goOn })
			}
			failed := dialAside(t, t.Context(), c, "/public/ring", o)
			<-gathering
			calls := c.Calls()
			if len(calls) != 1 {
				t.Fatalf("%d calls", len(calls))
			}
			ended := make(chan struct{})
			go func() { defer close(ended); tc.end(t, c) }()
			if _, err := calls[0].ObserveStatus().Wait(t.Context(), func(s session.CallStatus) bool {
				return s >= session.CallStatusDisconnected
			}); err != nil {
				t.Error(err)
			}
			close(goOn)
			<-ended
			wantNoCall(t, <-failed, errs.CallNotConnected)
			if sent := srv.Journal().RPC("webrtc.verto"); len(sent) != 0 {
				t.Errorf("the service heard of the call: %v", sent)
			}
			wantOver(t, srv, c)
		})
	}
}

func TestDialWithoutASession(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	if err := c.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := c.Dial(t.Context(), "/public/echo", dialing())
	wantNoCall(t, err, errs.CallNotConnected)
	_ = c.Close()
	_, err = c.Dial(t.Context(), "/public/echo", dialing())
	wantNoCall(t, err, errs.CallNotConnected)
	if !errors.Is(err, errs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestLeavingHangsUpFirst: the service has answered each bye before the socket
// goes.
func TestLeavingHangsUpFirst(t *testing.T) {
	for name, leave := range map[string]func(*session.Client) error{
		"Disconnect": func(c *session.Client) error { return c.Disconnect(context.Background()) },
		"Close":      (*session.Client).Close,
	} {
		t.Run(name, func(t *testing.T) {
			srv := sessiontest.NewServer(t)
			c := onLoopback(t, srv, "ann")
			calls := []*session.Call{connected(t, c, "/public/echo", dialing()), mustDial(t, c, "/public/ring", dialing())}
			if err := leave(c); err != nil {
				t.Error(err)
			}
			wantOver(t, srv, c, calls...)
			for _, k := range calls {
				byes := srv.Journal().Call(k.ID()).Verto("verto.bye")
				if len(byes) != 1 || byes[0].Answered.IsZero() || byes[0].Code != 0 {
					t.Errorf("byes %+v", byes)
				}
				wantEnd(t, k, errs.EndedByLocal, 0)
			}
		})
	}
}

func TestSocketLostWhileDialling(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	taken(srv, 3*time.Second)
	failed := dialAside(t, t.Context(), c, "/public/ring", dialing())
	journal(t, srv, received("verto.invite"))
	srv.Drop("ann")
	var lost *errs.TransportError
	err := <-failed
	if why := wantNoCall(t, err, errs.CallNotConnected); why == nil || why.By != errs.EndedByNetwork || !why.Retryable || !errors.As(err, &lost) {
		t.Errorf("Dial: %v, ended %v", err, why)
	}
	// the gateway has taken the call: it is ended over the next connection
	journal(t, srv, received("verto.bye"))
	wantOver(t, srv, c)
}

func TestCallOutlivesItsSocket(t *testing.T) {
	srv := sessiontest.NewServer(t)
	c := onLoopback(t, srv, "ann")
	k := connected(t, c, "/public/echo", dialing())
	h := watch(k)
	id := k.ID()
	refused := srv.RefuseConnections(503, 0)
	statuses := c.ObserveStatus()
	srv.Drop("ann")
	if _, err := statuses.Wait(t.Context(), func(s session.Status) bool { return s == session.StatusReconnecting }); err != nil {
		t.Fatal(err)
	}
	before := k.Stats().Audio
	eventually(t, "media flows without a socket", func() bool {
		now := k.Stats().Audio
		return now.PacketsReceived > before.PacketsReceived+10 && now.PacketsSent > before.PacketsSent+10
	})
	if c.Status() != session.StatusReconnecting || k.Status() != session.CallStatusConnected {
		t.Errorf("the client is %v, the call %v", c.Status(), k.Status())
	}
	refused.Remove()
	if _, err := c.ObserveStatus().Wait(t.Context(), func(s session.Status) bool { return s == session.StatusOnline }); err != nil {
		t.Fatal(err)
	}
	if calls := c.Calls(); len(calls) != 1 || calls[0] != k || k.ID() != id || k.Status() != session.CallStatusConnected {
		t.Errorf("after the reconnect: calls %v, id %s, status %v", calls, k.ID(), k.Status())
	}
	if err := k.SendDigits(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	if err := k.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	wantEnd(t, k, errs.EndedByLocal, errs.CauseNormalClearing)
	wantOver(t, srv, c, k)
	forward(t, h.all(t))
	if info, _ := srv.Call(id); info.EndedBy != "client" {
		t.Errorf("at the gateway: %+v", info)
	}
}

// TestDialIsPatientWithASlowSource, as one that asks a person for leave: only
// the caller's context bounds it.
func TestDialIsPatientWithASlowSource(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		var once sync.Once
		slow := waitingSource{media.NewSilence(), func() { once.Do(func() { pass(7 * time.Second) }) }}
		before := len(b.srv.Journal())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		k, err := ann.Dial(ctx, "/public/echo", ann.dialing(session.MediaOptions{AudioSource: slow}))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 7*time.Second || took > 8*time.Second {
			t.Errorf("Dial took %v", took)
		}
		for _, e := range b.srv.Journal()[before:] { // and looks nothing up first
			if e.Path != "" {
				t.Errorf("Dial asked for %s", e.Path)
			}
		}
		b.over(t, ann, k)
	})
}
