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

// refuseAll turns every dial away.
func refuseAll(int) (time.Duration, error) { return 0, errRefused }

// gaps returns the pauses between dials; a refused dial takes no time.
func gaps(dials []time.Time) (gaps []time.Duration) {
	for i := range len(dials) - 1 {
		gaps = append(gaps, dials[i+1].Sub(dials[i]))
	}
	return gaps
}

func TestPausesDoubleWithEqualJitter(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = refuseAll
		start(t, s, nil)
		time.Sleep(30 * time.Minute)
		var low, high int
		for i, got := range gaps(s.dialed()) {
			most := 3 * time.Second
			if i < 5 {
				most = 100 * time.Millisecond << i
			}
			if got < most/2 || got > most {
				t.Errorf("pause %d is %v, want %v to %v", i+1, got, most/2, most)
			}
			if i >= 5 && got < 2*time.Second {
				low++
			} else if i >= 5 && got > 2500*time.Millisecond {
				high++
			}
		}
		if low < 100 || high < 100 {
			t.Errorf("%d short and %d long pauses: they are not spread", low, high)
		}
	})
}

func TestPausesStartAfreshOnlyAfterAStableConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		start(t, s, nil)
		pause := func(life time.Duration) time.Duration {
			p := s.live()
			time.Sleep(life)
			before := len(s.dialed())
			p.drop(errDropped)
			lost := time.Now()
			time.Sleep(3 * time.Second)
			return s.dialed()[before].Sub(lost)
		}
		check := func(life, most time.Duration) {
			t.Helper()
			// Each link has lived for the rest of the last 3 s, too.
			if got := pause(life); got < most/2 || got > most {
				t.Errorf("pause %v, want %v to %v", got, most/2, most)
			}
		}
		check(time.Second, 100*time.Millisecond)
		check(time.Second, 200*time.Millisecond)
		check(time.Second, 400*time.Millisecond)
		check(20*time.Second, 100*time.Millisecond)
		check(time.Second, 200*time.Millisecond)
	})
}

func TestOwnDelayReplacesTheBackoff(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = refuseAll
		start(t, s, func(c *relay.Config) {
			c.Retry.Delay = func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }
		})
		time.Sleep(10*time.Minute + 1)
		want := []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute, 4 * time.Minute}
		if diff := cmp.Diff(want, gaps(s.dialed())); diff != "" {
			t.Error(diff)
		}
	})
}

func TestServersWishToWaitIsHonoured(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = func(n int) (time.Duration, error) {
			if n == 1 {
				return 7 * time.Second, errRefused
			}
			return time.Millisecond, errRefused // less than ours
		}
		start(t, s, nil)
		time.Sleep(8 * time.Second)
		got := gaps(s.dialed())
		if got[0] != 7*time.Second {
			t.Errorf("first pause %v, want 7 s", got[0])
		}
		if got[1] < 100*time.Millisecond {
			t.Errorf("second pause %v", got[1])
		}
	})
}

func TestStatesTellTheStory(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		p.drop(errDropped)
		if err := o.lastCause(); !errors.Is(err, errDropped) {
			t.Errorf("cause %v", err)
		}
		time.Sleep(100 * time.Millisecond)
		s.live()
		o.Close("bye", errClosed)
		want := []relay.Status{relay.Connecting, relay.Live, relay.Reconnecting, relay.Live, relay.Ended}
		if diff := cmp.Diff(want, o.states()); diff != "" {
			t.Error(diff)
		}
		if got := o.reported(); len(got) != 1 || !errors.Is(got[0], errDropped) {
			t.Errorf("reported %v", got)
		}
	})
}

func TestBudgetGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = func(n int) (time.Duration, error) {
			if n == 1 {
				return 0, nil
			}
			return 0, errRefused
		}
		o := start(t, s, func(c *relay.Config) {
			c.Retry.Budget, c.PingInterval = 20*time.Second, -1
		})
		p := s.live()
		time.Sleep(time.Hour)
		p.drop(errDropped) // a link lost after long does not count against the budget
		time.Sleep(19 * time.Second)
		if got := o.states(); got[len(got)-1] != relay.Reconnecting {
			t.Fatalf("states %v after 19 s", got)
		}
		waiting := o.ask(t.Context(), "m")
		time.Sleep(4 * time.Second)
		var spent *relay.BudgetError
		err := o.lastCause()
		if !errors.As(err, &spent) || spent.After != 20*time.Second || !errors.Is(err, errRefused) {
			t.Errorf("cause %#v", err)
		}
		if got := o.states(); got[len(got)-1] != relay.Ended {
			t.Errorf("states %v", got)
		}
		<-o.Done()
		if r := o.now(waiting); !errors.As(r.err, &spent) {
			t.Errorf("queued request: %v", r.err)
		}
		if _, err := o.Call(t.Context(), "m", nil); !errors.As(err, &spent) {
			t.Errorf("later request: %v", err)
		}
	})
}

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
		time.Sleep(1)
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

func TestReconnectCutsAPauseShort(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = refuseAll
		o := start(t, s, func(c *relay.Config) {
			c.Retry = relay.Retry{Min: time.Hour, Max: 100 * time.Hour}
		})
		time.Sleep(3 * time.Hour)
		before := len(s.dialed())
		o.Reconnect(errDropped)
		synctest.Wait() // it has dialled
		if got := len(s.dialed()); got != before+1 {
			t.Fatalf("%d dials, want %d", got, before+1)
		}
		time.Sleep(time.Hour) // and the pauses start afresh
		if got := len(s.dialed()); got != before+2 {
			t.Errorf("%d dials an hour later, want %d", got, before+2)
		}
	})
}

func TestReconnectReplacesALiveConnectionAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		s.live()
		inFlight := o.ask(t.Context(), "m")
		o.Reconnect(relay.Again(errDropped))
		if r := o.now(inFlight); !errors.Is(r.err, errDropped) {
			t.Errorf("request in flight: %v", r.err)
		}
		q := s.live() // no time has passed
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}

		// The wish is fulfilled: the next loss is an ordinary one.
		before := len(s.dialed())
		q.drop(errDropped)
		synctest.Wait()
		if got := len(s.dialed()); got != before {
			t.Error("dialled without a pause")
		}
	})
}

func TestReconnectReplacesAConnectionBeingAuthenticated(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.accept()
		p.expect(wire.MethodConnect)
		o.Reconnect(errDropped)
		q := s.live() // no time has passed
		before := len(s.dialed())
		q.drop(errDropped)
		synctest.Wait()
		if got := len(s.dialed()); got != before {
			t.Error("dialled without a pause")
		}
		if got := p.left(); got == "" {
			t.Error("the first connection was not closed")
		}
	})
}

func TestReconnectDuringADialIsSatisfiedByIt(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = func(int) (time.Duration, error) {
			time.Sleep(time.Second) // a slow dial
			return 0, nil
		}
		o := start(t, s, nil)
		synctest.Wait() // it is dialling
		o.Reconnect(errDropped)
		time.Sleep(time.Second)
		p := s.live()
		if got := len(s.dialed()); got != 1 {
			t.Fatalf("%d dials", got)
		}
		p.drop(errDropped)
		synctest.Wait() // the relay knows
		if got := len(s.dialed()); got != 1 {
			t.Error("dialled without a pause, hours after the wish")
		}
	})
}

func TestAddressIsAskedBeforeEveryAttempt(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		n := 0
		o := start(t, s, func(c *relay.Config) {
			c.URL = func() string {
				n++
				return fmt.Sprintf("wss://host-%d.example.com/path?secret", n)
			}
		})
		p := s.live()
		done := o.ask(t.Context(), "m")
		p.drop(errDropped)
		var lost *errs.TransportError
		if r := o.now(done); !errors.As(r.err, &lost) || lost.URL != "wss://host-1.example.com" {
			t.Errorf("error %v", r.err)
		}
		time.Sleep(100 * time.Millisecond)
		s.live()
		if n != 2 {
			t.Errorf("the address was asked %d times for 2 attempts", n)
		}
	})
}
