package relay_test

import (
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

func TestReconnectCutsAPauseShort(t *testing.T) {
	cutsAPauseShort(t, func(o *owner) {
		o.Reconnect(errDropped)
		synctest.Wait() // it has dialled
	})
}

// cutsAPauseShort does something in a pause of hours that has the relay dial.
func cutsAPauseShort(t *testing.T, do func(o *owner)) {
	t.Helper()
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = refuseAll
		o := start(t, s, func(c *relay.Config) {
			c.Retry = func() relay.Retry { return relay.Retry{Min: time.Hour, Max: 100 * time.Hour} }
		})
		time.Sleep(3 * time.Hour)
		before := len(s.dialed())
		do(o)
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
