package relay_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

// ended proves that o is over and answers nobody any more. Goroutines left
// behind fail the bubble by themselves.
func ended(t *testing.T, o *owner, cause error) {
	t.Helper()
	select {
	case <-o.Done():
	default:
		t.Error("Close returned before the end")
	}
	if got := o.states(); got[len(got)-1] != relay.Ended || !errors.Is(o.lastCause(), cause) {
		t.Errorf("states %v, cause %v", got, o.lastCause())
	}
	if _, err := o.Call(t.Context(), "m", nil); err != cause {
		t.Errorf("request after the end: %v, want %v", err, cause)
	}
	dials := len(o.service.dialed())
	o.Reconnect(errDropped)
	o.Start()
	time.Sleep(time.Hour)
	if got := len(o.service.dialed()); got != dials {
		t.Errorf("%d dials after the end", got-dials)
	}
	o.Close("again", errDropped) // returns, and changes nothing
	if got := o.lastCause(); !errors.Is(got, cause) {
		t.Errorf("cause became %v", got)
	}
}

func TestCloseOfALiveRelayAnswersEverybody(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		inFlight := o.ask(t.Context(), "m")
		p.expect("m")
		o.Close("session over", errClosed)
		if r := o.now(inFlight); !errors.Is(r.err, errClosed) || r.after != 0 {
			t.Errorf("request in flight: %v after %v", r.err, r.after)
		}
		if got := p.left(); got != "1000 session over" {
			t.Errorf("farewell %q", got)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
		ended(t, o, errClosed)
	})
}

func TestCloseWithoutReasonStillSaysFarewell(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		o.Close("", errClosed)
		if got := p.left(); got != "1000 " {
			t.Errorf("farewell %q", got)
		}
	})
}

func TestCloseBeforeStart(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		var states []relay.Status
		cfg := config(s)
		cfg.OnStatus = func(s relay.Status, _ error) { states = append(states, s) }
		r := relay.New(cfg)
		early := make(chan error)
		go func() {
			_, err := r.Call(t.Context(), "m", nil)
			early <- err
		}()
		synctest.Wait() // the request is queued
		r.Close("", errClosed)
		if err := <-early; err != error(errClosed) {
			t.Errorf("queued request: %v", err)
		}
		r.Start()
		synctest.Wait()
		if diff := cmp.Diff([]relay.Status{relay.Ended}, states); diff != "" || len(s.dialed()) != 0 {
			t.Errorf("%d dials, states (-want +got):\n%s", len(s.dialed()), diff)
		}
	})
}

func TestCloseDuringDial(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.hang = true
		o := start(t, s, nil)
		queued := o.ask(t.Context(), "m")
		o.Close("bye", errClosed)
		if r := o.now(queued); r.err != error(errClosed) || r.after != 0 {
			t.Errorf("queued request: %+v", r)
		}
		ended(t, o, errClosed)
	})
}

func TestCloseDuringAuthentication(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.accept()
		p.expect(wire.MethodConnect)
		queued := o.ask(t.Context(), "m")
		o.Close("bye", errClosed)
		if r := o.now(queued); r.err != error(errClosed) {
			t.Errorf("queued request: %v", r.err)
		}
		if got := p.left(); got != "1000 bye" {
			t.Errorf("farewell %q", got)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
		ended(t, o, errClosed)
	})
}

func TestCloseDuringPause(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.refuse = refuseAll
		o := start(t, s, func(c *relay.Config) {
			c.Retry = func() relay.Retry { return relay.Retry{Min: time.Hour, Max: time.Hour} }
		})
		queued := o.ask(t.Context(), "m")
		began := time.Now()
		o.Close("bye", errClosed)
		if r := o.now(queued); r.err != error(errClosed) || time.Since(began) != 0 {
			t.Errorf("queued request: %v after %v", r.err, time.Since(began))
		}
		if got := len(s.dialed()); got != 1 {
			t.Errorf("%d dials, want none after Close", got)
		}
		ended(t, o, errClosed)
	})
}

func TestCloseDuringDrainAndProbe(t *testing.T) {
	for name, prepare := range map[string]func(*peer){
		"drain": func(p *peer) { p.send(`{"jsonrpc":"2.0","id":"d","method":"signalwire.disconnect"}`) },
		"probe": func(*peer) { time.Sleep(30 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *fakeService) {
				o := start(t, s, nil)
				p := s.live()
				prepare(p)
				synctest.Wait() // the relay is draining or probing
				began := time.Now()
				o.Close("bye", errClosed)
				if got := p.left(); got != "1000 bye" || time.Since(began) != 0 {
					t.Errorf("farewell %q after %v", got, time.Since(began))
				}
				ended(t, o, errClosed)
			})
		})
	}
}

func TestCloseFromManyGoroutines(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		s.live()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				o.Close("bye", errClosed)
				select {
				case <-o.Done():
				default:
					t.Error("Close returned before the end")
				}
			})
		}
		wg.Wait()
		ended(t, o, errClosed)
	})
}

func TestCloseWaitsForTheFarewellOnlySoLong(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.socket = func(p *peer) relay.Socket { return silentCloser{p} }
		o := start(t, s, nil)
		p := s.live()
		inFlight := o.ask(t.Context(), "m")
		began := time.Now()
		go o.Close("bye", errClosed)
		if r := o.now(inFlight); !errors.Is(r.err, errClosed) || r.after != 0 {
			t.Errorf("request in flight: %v after %v", r.err, r.after)
		}
		<-o.Done()
		if got := time.Since(began); got != time.Second {
			t.Errorf("Close took %v, want a second", got)
		}
		if got := p.left(); got != "1000 bye" {
			t.Errorf("farewell %q", got)
		}
		ended(t, o, errClosed)
	})
}

func TestCloseWithAStuckWriter(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.socket = func(p *peer) relay.Socket { return stuckWriter{p} }
		o := start(t, s, nil)
		s.live()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var waiting []<-chan reply
		for range 100 {
			waiting = append(waiting, o.ask(ctx, "m"))
		}
		began := time.Now()
		o.Close("bye", errClosed)
		if got := time.Since(began); got > time.Second {
			t.Errorf("Close took %v", got)
		}
		for _, w := range waiting {
			if r := o.now(w); !errors.Is(r.err, errClosed) {
				t.Fatalf("waiting request: %v", r.err)
			}
		}
		ended(t, o, errClosed)
	})
}
