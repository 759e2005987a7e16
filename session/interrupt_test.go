package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestDisconnectsAtOnceDoNotInterruptEachOther(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		r.srv.Stall("ann", sessiontest.StallBoth) // saying goodbye takes a while
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := r.c.Disconnect(context.Background()); err != nil {
					t.Errorf("Disconnect = %v", err)
				}
			})
		}
		wg.Wait()
		if r.c.Status() != session.StatusOffline {
			t.Errorf("status %v", r.c.Status())
		}
	})
}

func TestDisconnectWithACancelledContextInterruptsNothing(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		r.rpcFault(rpcConnect, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 2 * time.Second})
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		connected := make(chan error, 1)
		go func() { connected <- r.c.Connect(context.Background()) }()
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := r.c.Disconnect(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Disconnect = %v", err)
		}
		if err := <-connected; err != nil {
			t.Errorf("Connect = %v", err)
		}
	})
}

func TestConnectReturnsThoughDialSocketIgnoresItsContext(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		t := r.t
		release := make(chan struct{})
		defer close(release)
		r.opts.DialSocket = func(context.Context, string) (session.Socket, error) {
			<-release
			return nil, errors.New("no route")
		}
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		returned := make(chan error, 1)
		go func() { returned <- r.c.Connect(ctx) }()
		select {
		case err := <-returned:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Connect = %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("Connect has not returned 55 s after its deadline")
		}
	})
}

func TestSocketThatArrivesTooLateIsClosed(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		s := playSocket(func(*playedSocket, string, string) {})
		r.opts.DialSocket = func(context.Context, string) (session.Socket, error) {
			time.Sleep(time.Minute)
			return s, nil
		}
		r.open(session.StaticCredentials(r.sat(time.Hour, "")))
		ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
		defer cancel()
		if err := r.c.Connect(ctx); err == nil {
			t.Error("connected")
		}
		time.Sleep(time.Hour)
		if s.gone.Err() == nil {
			t.Error("it is still open")
		}
	})
}

// TestNothingIsBegunForWhatHasEnded: not even in the moment that it takes to tell.
func TestNothingIsBegunForWhatHasEnded(t *testing.T) {
	ended, end := context.WithCancelCause(t.Context())
	end(errs.ErrClosed)
	for range 100 {
		ctx, cancel := session.Joined(t.Context(), ended)
		if !errors.Is(context.Cause(ctx), errs.ErrClosed) {
			t.Fatalf("the cause is %v", context.Cause(ctx))
		}
		cancel()
	}
}
