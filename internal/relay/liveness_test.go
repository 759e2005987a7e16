package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
)

func TestQuietConnectionIsPinged(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		time.Sleep(30*time.Second - 1)
		p.silent()
		time.Sleep(time.Nanosecond)
		ping := p.expect(wire.MethodPing)
		var body wire.Ping
		if err := json.Unmarshal([]byte(ping.Params), &body); err != nil || body.Timestamp != float64(time.Now().UnixMilli())/1e3 {
			t.Errorf("ping %s, error %v", ping.Params, err)
		}
		p.grant(ping)
		time.Sleep(30*time.Second - 1)
		p.silent()
		time.Sleep(time.Nanosecond)
		// A refusal is an answer.
		p.send(string(wire.EncodeError(p.expect(wire.MethodPing).ID, wire.Error{Code: wire.CodeMethodNotFound, Message: "no"})))
		time.Sleep(30 * time.Second)
		p.grant(p.expect(wire.MethodPing))
		if got := len(s.dialed()); got != 1 || len(o.reported()) != 0 {
			t.Errorf("%d dials, reports %v", got, o.reported())
		}
	})
}

func TestAnsweredRequestsMakePingsUnnecessary(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		for range 10 {
			time.Sleep(20 * time.Second)
			o.ask(t.Context(), "m")
			p.grant(p.expect("m")) // a ping would come first
		}
		time.Sleep(30*time.Second - 1)
		p.silent()
		time.Sleep(time.Nanosecond)
		p.expect(wire.MethodPing)
	})
}

// A deaf peer still sends, but what we send no longer reaches it.
func TestDeafPeerIsLeftAlthoughItsEventsKeepComing(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		pending := o.ask(context.WithoutCancel(t.Context()), "m")
		p.expect("m")
		for i := range 34 {
			time.Sleep(time.Second)
			p.event(fmt.Sprint("e-", i), "member.talking", "")
		}
		if r := o.now(pending); !errors.Is(r.err, context.DeadlineExceeded) {
			t.Errorf("request: %v", r.err)
		}
		inFlight := o.ask(t.Context(), "m")
		if got := o.states(); got[len(got)-1] != relay.Live {
			t.Fatalf("states %v after 34 s", got)
		}
		time.Sleep(time.Second)
		if got := o.states(); got[len(got)-1] != relay.Reconnecting {
			t.Fatalf("states %v after 35 s", got)
		}
		var lost *errs.TransportError
		if err := o.lastCause(); !errors.As(err, &lost) || lost.Stage != errs.TransportLiveness || lost.URL != where || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cause %#v", err)
		}
		if r := o.now(inFlight); !errors.As(r.err, &lost) || r.after != time.Second {
			t.Errorf("request in flight: %v after %v", r.err, r.after)
		}
		if got := len(o.reported()); got != 1 {
			t.Errorf("%d reports, want one", got)
		}
		time.Sleep(100 * time.Millisecond)
		s.live()
	})
}

func TestDeafPeerIsNotWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.socket = func(p *peer) relay.Socket { return silentCloser{p} }
		start(t, s, nil)
		p := s.live()
		time.Sleep(30 * time.Second)
		p.expect(wire.MethodPing)
		time.Sleep(5*time.Second + 100*time.Millisecond) // the ping, and the shortest pause
		s.live()
	})
}

func TestLossDuringAPingIsNotTakenForDeafness(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		time.Sleep(30 * time.Second)
		p.expect(wire.MethodPing)
		p.drop(errDropped)
		var broken *errs.WebSocketError
		var deaf *errs.TransportError
		if err := o.lastCause(); !errors.As(err, &broken) || errors.As(err, &deaf) || !errors.Is(err, errDropped) {
			t.Errorf("cause %v", err)
		}
	})
}

func TestNegativePingIntervalMeansNever(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		start(t, s, func(c *relay.Config) { c.PingInterval = -1 })
		p := s.live()
		time.Sleep(24 * time.Hour)
		p.silent()
	})
}

func TestServiceThatLeavesIsFollowed(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		under := o.ask(t.Context(), "under way")
		f := p.expect("under way")
		p.send(`{"jsonrpc":"2.0","id":"disc-1","method":"signalwire.disconnect","params":{}}`)
		p.send(`{"jsonrpc":"2.0","id":"disc-2","method":"signalwire.disconnect"}`)
		p.expectReply("disc-1")
		p.expectReply("disc-2")
		queued := o.ask(t.Context(), "queued")
		p.silent()
		time.Sleep(500 * time.Millisecond)
		p.grant(f) // what is under way may still be answered
		if r := o.now(under); r.err != nil {
			t.Error(r.err)
		}
		p.silent()
		time.Sleep(600 * time.Millisecond) // a second in all, and the shortest pause
		q := s.live()
		q.grant(q.expect("queued"))
		if r := o.now(queued); r.err != nil {
			t.Error(r.err)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
	})
}

func TestServiceThatLeavesAndClosesIsFollowedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		p.send(`{"jsonrpc":"2.0","id":"disc-1","method":"signalwire.disconnect"}`)
		p.expectReply("disc-1")
		under := o.ask(t.Context(), "m")
		p.drop(errDropped)
		time.Sleep(100 * time.Millisecond)
		q := s.live()
		q.grant(q.expect("m"))
		if r := o.now(under); r.err != nil {
			t.Error(r.err)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
	})
}
