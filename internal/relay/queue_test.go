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
)

func TestOnlyAuthenticationPassesBeforeAuthentication(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		early := o.ask(t.Context(), "early")
		p := s.accept()
		connect := p.expect(wire.MethodConnect)
		late := o.ask(t.Context(), "late")
		p.silent()
		p.grant(connect)
		p.grant(p.expect("early"))
		p.grant(p.expect("late"))
		if a, b := o.now(early), o.now(late); a.err != nil || b.err != nil {
			t.Errorf("replies %+v, %+v", a, b)
		}
	})
}

func TestQueuedRequestsGoOutInOrderBeforeNewOnes(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		const n = 200 // more than the writer buffers
		for i := range n {
			o.ask(t.Context(), fmt.Sprint("queued-", i))
		}
		p := s.live()
		o.ask(t.Context(), "new")
		for i := range n {
			p.grant(p.expect(fmt.Sprint("queued-", i)))
		}
		p.grant(p.expect("new"))
	})
}

func TestRequestsMadeWhileTheQueueDrainsKeepTheirTurn(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, func(c *relay.Config) { c.RequestTimeout = time.Hour })
		for i := range 50 {
			o.ask(t.Context(), fmt.Sprint("m-", i))
		}
		p := s.accept()
		p.grant(p.expect(wire.MethodConnect))
		// No wait: these race with the adoption of the link.
		o.ask(t.Context(), "m-50")
		o.ask(t.Context(), "m-51")
		for i := range 52 {
			p.expect(fmt.Sprint("m-", i))
		}
	})
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.hang = true
		o := start(t, s, nil)
		ctx, cancel := context.WithCancel(t.Context())
		for range 256 {
			o.ask(ctx, "m")
		}
		r := o.now(o.ask(t.Context(), "call.mute"))
		var full *errs.QueueFullError
		if !errors.As(r.err, &full) || full.Capacity != 256 || full.Method != "call.mute" || r.after != 0 {
			t.Errorf("reply %+v, want a full queue at once", r)
		}
		cancel()
		synctest.Wait() // those 256 have left the queue
		o.waiting(o.ask(t.Context(), "m"))
	})
}

func TestRequestsThatEndInTheQueueAreNeverSent(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.accept()
		connect := p.expect(wire.MethodConnect)

		cancelled, cancel := context.WithCancelCause(t.Context())
		dropped := o.ask(cancelled, "cancelled")
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		expired := o.ask(short, "expired")
		kept := o.ask(t.Context(), "kept")
		cancel(errDropped)
		time.Sleep(time.Second)
		if r := o.now(dropped); r.err != error(errDropped) {
			t.Errorf("cancelled request: %v, want the caller's cause", r.err)
		}
		var late *errs.RPCTimeoutError
		if r := o.now(expired); !errors.As(r.err, &late) || late.Method != "expired" || late.After != time.Second {
			t.Errorf("expired request: %#v", r.err)
		}
		p.grant(connect)
		p.grant(p.expect("kept"))
		if r := o.now(kept); r.err != nil {
			t.Error(r.err)
		}
		p.silent()
	})
}

func TestRequestsThatEndWhileTheQueueDrainsAreNeverSent(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		gate := make(chan struct{})
		s.socket = func(p *peer) relay.Socket { return gatedWriter{p, gate} }
		o := start(t, s, func(c *relay.Config) { c.RequestTimeout = time.Hour })
		const n, dropped = 100, 90 // more than the writer takes at once
		ctx, cancel := context.WithCancelCause(t.Context())
		for i := range n {
			if i == dropped {
				o.ask(ctx, "dropped")
			} else {
				o.ask(t.Context(), "m")
			}
		}
		p := s.accept()
		p.grant(p.expect(wire.MethodConnect))
		synctest.Wait() // the queue has left for the writer, which is stuck
		cancel(errDropped)
		synctest.Wait() // the caller has gone
		close(gate)
		for range n - 1 {
			p.expect("m")
		}
		p.silent()
	})
}

func TestRequestsMadeRightAfterALossWaitForTheNextConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		s.grantAll(t)
		for range 100 {
			o.Reconnect(relay.Again(errDropped))
			if _, err := o.Call(t.Context(), "m", nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRequestsNotYetSentWaitForTheNextConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		links := 0
		s.socket = func(p *peer) relay.Socket {
			if links++; links > 1 {
				return p
			}
			return stuckWriter{p}
		}
		o := start(t, s, func(c *relay.Config) { c.RequestTimeout = time.Hour })
		const n = 100 // more than the writer takes
		var replies []<-chan reply
		for i := range n {
			replies = append(replies, o.ask(t.Context(), fmt.Sprint("m-", i)))
		}
		p := s.accept()
		p.grant(p.expect(wire.MethodConnect))
		time.Sleep(10*time.Second + 100*time.Millisecond) // the write fails, another link opens
		sent := 0
		for ; sent < n && len(replies[sent]) > 0; sent++ {
			var lost *errs.TransportError
			if r := o.now(replies[sent]); !errors.As(r.err, &lost) {
				t.Fatalf("request %d: %v", sent, r.err)
			}
		}
		if sent == 0 || sent == n {
			t.Fatalf("%d requests failed with the link, want some", sent)
		}
		if got := o.states(); got[len(got)-1] == relay.Live {
			t.Error("a link that took no request was called live")
		}
		q := s.live()
		for i := sent; i < n; i++ {
			q.expect(fmt.Sprint("m-", i))
		}
		q.silent()
	})
}
