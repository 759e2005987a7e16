package relay_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

func TestFatalEndsTheRelay(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, func(c *relay.Config) {
			try := c.Authenticate
			c.Authenticate = func(ctx context.Context, l *relay.Link) error {
				if err := try(ctx, l); err != nil {
					return fmt.Errorf("sign in: %w", relay.Fatal(err))
				}
				return nil
			}
		})
		p := s.accept()
		waiting := o.ask(t.Context(), "m")
		p.send(string(wire.EncodeError(p.expect(wire.MethodConnect).ID, wire.Error{Code: wire.CodeAuthenticationFailed, Message: "401"})))
		var refused *errs.JSONRPCError
		if err := o.lastCause(); !errors.As(err, &refused) || refused.Code != wire.CodeAuthenticationFailed {
			t.Errorf("cause %v", err)
		}
		<-o.Done()
		if diff := cmp.Diff([]relay.Status{relay.Connecting, relay.Ended}, o.states()); diff != "" {
			t.Error(diff)
		}
		if r := o.now(waiting); !errors.As(r.err, &refused) {
			t.Errorf("queued request: %v", r.err)
		}
		if got := p.left(); got != "1000 not authenticated" {
			t.Errorf("farewell %q", got)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v, although the owner got it as the cause", got)
		}
		time.Sleep(time.Hour)
		if got := len(s.dialed()); got != 1 {
			t.Errorf("%d dials", got)
		}
	})
}

func TestAgainRetriesSoonAndUnreported(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		tries := 0
		o := start(t, s, func(c *relay.Config) {
			c.Authenticate = func(context.Context, *relay.Link) error {
				if tries++; tries <= 5 {
					return relay.Again(errRefused)
				}
				return nil
			}
		})
		time.Sleep(time.Second)
		for i, gap := range gaps(s.dialed()) {
			if gap > 100*time.Millisecond {
				t.Errorf("pause %d is %v", i+1, gap)
			}
		}
		if got := o.states(); tries != 6 || got[len(got)-1] != relay.Live {
			t.Errorf("%d tries, states %v", tries, got)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
	})
}

func TestOtherRefusalsAreReportedAndRetried(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.accept()
		p.send(string(wire.EncodeError(p.expect(wire.MethodConnect).ID, wire.Error{Code: -32000, Message: "busy"})))
		var refused *errs.JSONRPCError
		if got := o.reported(); len(got) != 1 || !errors.As(got[0], &refused) || refused.Code != -32000 {
			t.Errorf("reported %v", got)
		}
		if got := p.left(); got != "1000 not authenticated" {
			t.Errorf("farewell %q", got)
		}
		time.Sleep(100 * time.Millisecond)
		s.live()
	})
}

func TestUnansweredConnectIsTriedOnANewConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.accept()
		p.expect(wire.MethodConnect)
		time.Sleep(5 * time.Second)
		if got := o.reported(); len(got) != 1 || !errors.Is(got[0], context.DeadlineExceeded) {
			t.Errorf("reported %v after 5 s", got)
		}
		time.Sleep(100 * time.Millisecond)
		s.live()
	})
}

func TestAuthenticationIsBoundedAsAWhole(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, func(c *relay.Config) {
			c.Authenticate = func(ctx context.Context, _ *relay.Link) error {
				<-ctx.Done()
				return ctx.Err()
			}
		})
		s.accept()
		time.Sleep(15*time.Second - 1)
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
		time.Sleep(time.Nanosecond)
		if got := o.reported(); len(got) != 1 || !errors.Is(got[0], context.DeadlineExceeded) {
			t.Errorf("reported %v", got)
		}
	})
}

func TestAuthenticationEndsWithItsConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		type attempt struct {
			generation uint64
			err        error
			at         time.Time
		}
		attempts := make(chan attempt, 8)
		o := start(t, s, func(c *relay.Config) {
			c.Authenticate = func(ctx context.Context, l *relay.Link) error {
				_, err := l.Call(ctx, wire.MethodConnect, nil)
				if err == nil { // then something slow that knows only its context
					select {
					case <-ctx.Done():
						err = ctx.Err()
						var lost *errs.TransportError
						if _, late := l.Call(context.WithoutCancel(ctx), "m", nil); !errors.As(late, &lost) {
							t.Errorf("request on the lost link: %v", late)
						}
					case <-time.After(10 * time.Second):
					}
				}
				attempts <- attempt{l.Generation(), err, time.Now()}
				return err
			}
		})
		var lost *errs.TransportError

		p := s.accept()
		p.expect(wire.MethodConnect)
		p.drop(errDropped) // while it waits for a reply
		synctest.Wait()    // the attempt is over
		if a := <-attempts; a.generation != 1 || !a.at.Equal(time.Now()) || !errors.As(a.err, &lost) {
			t.Errorf("attempt %+v", a)
		}
		time.Sleep(100 * time.Millisecond)

		q := s.accept()
		q.grant(q.expect(wire.MethodConnect))
		synctest.Wait()    // it does the slow thing
		q.drop(errDropped) // while it does
		synctest.Wait()    // the attempt is over
		if a := <-attempts; a.generation != 2 || !a.at.Equal(time.Now()) || !errors.Is(a.err, context.Canceled) {
			t.Errorf("attempt %+v", a)
		}
		time.Sleep(200 * time.Millisecond)

		r := s.accept()
		r.grant(r.expect(wire.MethodConnect))
		time.Sleep(10 * time.Second)
		if a := <-attempts; a.generation != 3 || a.err != nil {
			t.Errorf("attempt %+v", a)
		}
		reports := o.reported()
		if len(reports) != 2 {
			t.Fatalf("reported %v", reports)
		}
		for _, err := range reports {
			if !errors.As(err, &lost) || !errors.Is(err, errDropped) {
				t.Errorf("reported %v, want why the link was lost", err)
			}
		}
		if got := o.states(); got[len(got)-1] != relay.Live {
			t.Errorf("states %v", got)
		}
	})
}
