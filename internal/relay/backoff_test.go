package relay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/relay"
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
			c.Retry = func() relay.Retry {
				return relay.Retry{Delay: func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }}
			}
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

func TestBudgetGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = func(n int) (time.Duration, error) {
			if n == 1 {
				return 0, nil
			}
			return 0, errRefused
		}
		o := start(t, s, func(c *relay.Config) {
			c.PingInterval = -1
			retry := c.Retry()
			retry.Budget = 20 * time.Second
			c.Retry = func() relay.Retry { return retry }
		})
		p := s.live()
		time.Sleep(time.Hour)
		p.drop(errDropped) // a link lost after long does not count against the budget
		time.Sleep(20*time.Second - 1)
		if got := o.states(); got[len(got)-1] != relay.Reconnecting {
			t.Fatalf("states %v just before the budget is spent", got)
		}
		waiting := o.ask(t.Context(), "m")
		time.Sleep(time.Nanosecond)
		var spent *relay.BudgetError
		err := o.lastCause()
		if !errors.As(err, &spent) || spent.After != 20*time.Second || !errors.Is(err, errRefused) || err.Error() != "no connection for 20s" {
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

func TestReconnectInTheLastPauseOfTheBudgetStillTries(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = func(n int) (time.Duration, error) {
			if n == 1 {
				return 0, errRefused
			}
			return 0, nil
		}
		o := start(t, s, func(c *relay.Config) {
			c.Retry = func() relay.Retry { return relay.Retry{Min: time.Minute, Max: time.Minute, Budget: 20 * time.Second} }
		})
		time.Sleep(10 * time.Second)
		o.Reconnect(errDropped) // the network is back
		s.live()
		time.Sleep(20 * time.Second)
		if got := o.states(); got[len(got)-1] != relay.Live {
			t.Errorf("states %v", got)
		}
	})
}
