package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

func TestResponsesFindTheirRequestByID(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		a, b := o.ask(t.Context(), "a"), o.ask(t.Context(), "b")
		fa, fb := p.expect("a"), p.expect("b")
		if fa.ID == fb.ID {
			t.Fatal("two requests share an id")
		}
		p.send(string(wire.EncodeResult(fb.ID, `"for b"`)))
		if r := o.now(b); r.result != `"for b"` || r.err != nil {
			t.Errorf("b: %+v", r)
		}
		o.waiting(a)
		p.send(string(wire.EncodeResult(fa.ID, `"for a"`)))
		if r := o.now(a); r.result != `"for a"` || r.err != nil {
			t.Errorf("a: %+v", r)
		}
	})
}

func TestResponsesToNothingAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		done := o.ask(t.Context(), "a")
		f := p.expect("a")
		p.send(`{"jsonrpc":"2.0","id":"nobody","result":{}}`)
		p.send(`{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}`)
		p.grant(f)
		p.grant(f) // twice
		if r := o.now(done); r.err != nil {
			t.Error(r.err)
		}
		if got := o.Stats(); got != (relay.Stats{Ignored: 3}) {
			t.Errorf("stats %+v, want three ignored frames", got)
		}
		p.silent()
	})
}

func TestUnansweredRequestTimesOut(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		done := o.ask(t.Context(), "call.mute")
		f := p.expect("call.mute")
		time.Sleep(5*time.Second - 1)
		o.waiting(done)
		time.Sleep(time.Nanosecond)
		r := o.now(done)
		var timeout *errs.RPCTimeoutError
		if !errors.As(r.err, &timeout) || !errors.Is(r.err, context.DeadlineExceeded) {
			t.Fatalf("error %v, want a time-out", r.err)
		}
		want := &errs.RPCTimeoutError{RequestID: f.ID, Method: "call.mute", After: 5 * time.Second}
		if diff := cmp.Diff(want, timeout); diff != "" {
			t.Errorf("time-out (-want +got):\n%s", diff)
		}
		p.grant(f) // too late
		synctest.Wait()
		if got := o.Stats().Ignored; got != 1 {
			t.Errorf("%d frames ignored, want the late response", got)
		}
	})
}

func TestCallersDeadlineReplacesTheDefault(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		done := o.ask(ctx, "a")
		p.expect("a")
		time.Sleep(7 * time.Second)
		o.waiting(done)
		time.Sleep(time.Second)
		var timeout *errs.RPCTimeoutError
		if r := o.now(done); !errors.As(r.err, &timeout) || timeout.After != 8*time.Second {
			t.Errorf("error %#v", r.err)
		}
	})
}

func TestCancelledCallerGetsItsOwnCause(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		ctx, cancel := context.WithCancelCause(t.Context())
		done := o.ask(ctx, "a")
		p.expect("a")
		cancel(errDropped)
		if r := o.now(done); r.err != error(errDropped) {
			t.Errorf("error %v, want the caller's cause", r.err)
		}
		if r := o.now(o.ask(ctx, "b")); r.err != error(errDropped) {
			t.Errorf("error %v, want the caller's cause", r.err)
		}
		p.silent()
	})
}

// A secret that is a number leaves the data of an error JSON.
func TestDataOfAnErrorIsJSONWithoutItsSecrets(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, func(c *relay.Config) { c.Secrets = func() []string { return []string{"471147"} } })
		p := s.live()
		done := o.ask(t.Context(), "a")
		f := p.expect("a")
		p.send(`{"jsonrpc":"2.0","id":"` + f.ID + `","error":{"code":-32002,"message":"no","data":{"pin":471147}}}`)
		var got *errs.JSONRPCError
		if r := o.now(done); !errors.As(r.err, &got) || !json.Valid(got.Data) || strings.Contains(string(got.Data), "471147") {
			t.Errorf("error %v with data %s", r.err, got.Data)
		}
	})
}

func TestRefusalsOfEveryShapeBecomeJSONRPCErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want errs.JSONRPCError
	}{
		"error object": {`"error":{"code":-32002,"message":"401","data":{"a":1}}`,
			errs.JSONRPCError{Code: -32002, Message: "401", Data: json.RawMessage(`{"a":1}`)}},
		"code beside the data": {`"result":{"code":"-32001","message":"Permission Denied."}`,
			errs.JSONRPCError{Code: -32001, Message: "Permission Denied."}},
		"nested error": {`"result":{"code":"200","node_id":"n","result":{"jsonrpc":"2.0","id":"v","error":{"code":-32002,"message":"CALL DOES NOT EXIST"}}}`,
			errs.JSONRPCError{Code: -32002, Message: "CALL DOES NOT EXIST"}},
		"code that is no number": {`"error":{"code":"INVALID","message":"no"}`,
			errs.JSONRPCError{CodeText: "INVALID", Message: "no"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *fakeService) {
				o := start(t, s, nil)
				p := s.live()
				done := o.ask(t.Context(), "webrtc.verto")
				f := p.expect("webrtc.verto")
				p.send(`{"jsonrpc":"2.0","id":"` + f.ID + `",` + tc.body + `}`)
				r := o.now(done)
				var got *errs.JSONRPCError
				if !errors.As(r.err, &got) {
					t.Fatalf("error %v", r.err)
				}
				want := tc.want
				want.RequestID, want.Method = f.ID, "webrtc.verto"
				if diff := cmp.Diff(&want, got); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRequestsInFlightFailWithTheirConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		done := o.ask(t.Context(), "a")
		f := p.expect("a")
		p.drop(errDropped)
		r := o.now(done)
		var lost *errs.TransportError
		if !errors.As(r.err, &lost) || lost.Stage != errs.TransportClosed || lost.URL != where || !errors.Is(r.err, errDropped) {
			t.Errorf("error %#v", r.err)
		}
		if r.after != 0 {
			t.Errorf("it took %v", r.after)
		}

		// A reply that belongs to the old connection comes on the new one.
		time.Sleep(100 * time.Millisecond)
		q := s.live()
		again := o.ask(t.Context(), "a")
		q.expect("a")
		q.grant(f)
		o.waiting(again)
		if got := o.Stats().Ignored; got != 1 {
			t.Errorf("%d frames ignored, want the reply to the lost request", got)
		}
		q.silent()
	})
}

func TestCloseFrameOfThePeerIsInTheError(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		done := o.ask(t.Context(), "a")
		p.drop(&relay.ClosedError{Code: 4001, Reason: "token expired"})
		var lost *errs.TransportError
		if r := o.now(done); !errors.As(r.err, &lost) || lost.CloseCode != 4001 || lost.CloseReason != "token expired" || lost.URL != where {
			t.Errorf("error %v", r.err)
		}
	})
}

func TestUnencodableParamsAreTheCallersError(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		var invalid *errs.InvalidParamsError
		if _, err := o.Call(t.Context(), "call.mute", func() {}); !errors.As(err, &invalid) || invalid.Param != "call.mute" || !errors.As(err, new(*json.UnsupportedTypeError)) {
			t.Errorf("error %v", err)
		}
		p.silent()
	})
}

func TestWriterThatIsStuckFailsTheConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		s.socket = func(p *peer) relay.Socket { return stuckWriter{p} }
		o := start(t, s, nil)
		s.live()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		first := o.ask(ctx, "a")
		for range 80 { // more than the writer buffers: these wait for it
			o.ask(ctx, "b")
		}
		short, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		blocked := o.ask(short, "c")
		time.Sleep(3 * time.Second)
		var timeout *errs.RPCTimeoutError
		if r := o.now(blocked); !errors.As(r.err, &timeout) || timeout.After != 3*time.Second {
			t.Errorf("request behind the stuck writer: %#v", r.err)
		}
		r := <-first
		var broken *errs.WebSocketError
		if !errors.As(r.err, &broken) || time.Since(began) != 10*time.Second {
			t.Errorf("after %v: %v, want the failed write after 10 s", time.Since(began), r.err)
		}
	})
}

func TestManyCallersAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, func(c *relay.Config) { c.RequestTimeout = time.Hour })
		p := s.live()
		const n = 500
		replies := make(chan reply, n)
		for range n {
			go func() {
				result, err := o.Call(t.Context(), "m", nil)
				replies <- reply{result: result, err: err}
			}()
		}
		for range n {
			p.grant(p.expect("m"))
		}
		for range n {
			if r := <-replies; r.err != nil || r.result != "{}" {
				t.Fatalf("reply %+v", r)
			}
		}
	})
}
