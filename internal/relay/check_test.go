package relay_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
)

// check has the relay checked beside the test.
func (o *owner) check(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- o.Check(ctx, 2*time.Second) }()
	synctest.Wait() // it has asked, or given up
	return done
}

func TestCheckedConnectionThatAnswersStays(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		done := o.check(t.Context())
		p.grant(p.expect(wire.MethodPing))
		if err := <-done; err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		if got := len(s.dialed()); got != 1 || len(o.reported()) != 0 {
			t.Errorf("%d dials, reports %v", got, o.reported())
		}
	})
}

func TestCheckedConnectionThatIsDeadIsReplacedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		done := o.check(t.Context())
		p.expect(wire.MethodPing)
		time.Sleep(2 * time.Second)
		s.live() // without a pause
		var dead *errs.TransportError
		if err := <-done; !errors.As(err, &dead) || dead.Stage != errs.TransportLiveness {
			t.Errorf("Check: %v", err)
		}
		if got := o.reported(); len(got) != 1 || !errors.As(got[0], &dead) {
			t.Errorf("reported %v", got)
		}
	})
}

func TestCheckCutsAPauseShort(t *testing.T) {
	cutsAPauseShort(t, func(o *owner) {
		if err := <-o.check(t.Context()); err == nil {
			t.Error("there is no connection that could work")
		}
	})
}

// A socket that is being opened over a network that is no more would be waited
// for in vain.
func TestCheckGivesUpADialUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.hang = true
		o := start(t, s, nil)
		synctest.Wait() // it is dialling
		<-o.check(t.Context())
		if got := len(s.dialed()); got != 2 {
			t.Errorf("%d dials, want the second at once", got)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
	})
}

func TestCheckThatIsGivenUpChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		ctx, cancel := context.WithCancelCause(t.Context())
		done := o.check(ctx)
		p.expect(wire.MethodPing)
		cancel(errDropped)
		if err := <-done; !errors.Is(err, errDropped) {
			t.Errorf("Check: %v", err)
		}
		time.Sleep(5 * time.Second)
		if got := len(s.dialed()); got != 1 {
			t.Errorf("%d dials", got)
		}
	})
}

// Before it knows who asks, a service takes a ping for a breach of its protocol.
func TestCheckAsksNothingOfAConnectionThatIsNotAuthenticated(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.accept()
		p.expect(wire.MethodConnect)
		if err := <-o.check(t.Context()); err == nil {
			t.Error("nobody knows whether it works")
		}
		p.silent()
		q := s.live() // without a pause
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
		done := o.check(t.Context())
		q.grant(q.expect(wire.MethodPing))
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestCheckLeavesAConnectionThatIsBeingLeftItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		under := o.ask(t.Context(), "under way")
		f := p.expect("under way")
		p.send(`{"jsonrpc":"2.0","id":"disc-1","method":"signalwire.disconnect","params":{}}`)
		p.expectReply("disc-1")
		if err := <-o.check(t.Context()); err == nil {
			t.Error("there is no connection that could work")
		}
		p.grant(f)
		if r := o.now(under); r.err != nil {
			t.Error(r.err)
		}
		time.Sleep(time.Second)
		s.live() // without a pause
	})
}
