package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

func TestEventsAreAcknowledgedBeforeTheyAreDelivered(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		busy := make(chan struct{})
		o := start(t, s, func(c *relay.Config) {
			deliver := c.Event
			c.Event = func(e wire.Event) {
				<-busy
				deliver(e)
			}
		})
		p := s.live()
		p.event("e-1", "call.state", "")
		if ack := p.expectReply("e-1"); ack.Result != "{}" {
			t.Errorf("acknowledgement %+v", ack)
		}
		if got := o.delivered(); len(got) != 0 {
			t.Errorf("delivered %v before the subscriber was ready", got)
		}
		close(busy)
		if diff := cmp.Diff([]string{"call.state"}, o.delivered()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEventsArriveInOrderEvenBeforeAuthentication(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.accept()
		connect := p.expect(wire.MethodConnect)
		p.event("e-1", wire.EventAuthorizationState, "")
		p.expectReply("e-1")
		p.grant(connect)
		var want []string
		for i := range 100 {
			kind := fmt.Sprint("t-", i)
			p.event("x-"+kind, kind, "")
			want = append(want, kind)
		}
		if diff := cmp.Diff(append([]string{wire.EventAuthorizationState}, want...), o.delivered()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRepeatedEventIsAcknowledgedAgainButDeliveredOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		p.event("e-1", "a", "")
		p.event("e-1", "a", "")
		p.expectReply("e-1")
		p.expectReply("e-1")

		// The service repeats it on the next connection, too.
		p.drop(errDropped)
		time.Sleep(100 * time.Millisecond)
		q := s.live()
		q.event("e-1", "a", "")
		q.expectReply("e-1")
		q.event("e-2", "b", "")
		if diff := cmp.Diff([]string{"a", "b"}, o.delivered()); diff != "" {
			t.Error(diff)
		}
		if got := o.Stats(); got != (relay.Stats{Duplicates: 2}) {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestTheLast256EventsAreRemembered(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		for i := range 257 {
			p.event(fmt.Sprint("e-", i), "a", "")
		}
		for i := range 256 {
			p.event(fmt.Sprint("e-", i+1), "a", "") // remembered
		}
		p.event("e-0", "forgotten", "")
		got := o.delivered()
		if len(got) != 258 || got[257] != "forgotten" {
			t.Errorf("%d events delivered, the last is %q", len(got), got[len(got)-1])
		}
		if got := o.Stats().Duplicates; got != 256 {
			t.Errorf("%d duplicates", got)
		}
	})
}

func TestEventsOfAnotherSessionAreAcknowledgedAndDropped(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		p.event("e-1", "before", `"other"`) // no session is known yet
		synctest.Wait()
		o.SetProtocol("signalwire_j1")
		p.event("e-2", "stale", `"signalwire_j0"`)
		p.event("e-3", "mine", `["signalwire_j1.room"]`)
		p.event("e-4", "conversation.message", `"other"`)
		if diff := cmp.Diff([]string{"before", "mine", "conversation.message"}, o.delivered()); diff != "" {
			t.Error(diff)
		}
		for i := range 4 {
			p.expectReply(fmt.Sprint("e-", i+1))
		}
		if got := o.Stats(); got != (relay.Stats{Stale: 1}) {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestServerPingIsAnsweredWithOurClock(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		start(t, s, nil)
		p := s.accept() // even before authentication
		p.expect(wire.MethodConnect)
		p.send(`{"jsonrpc":"2.0","id":"ping-1","method":"signalwire.ping"}`)
		time.Sleep(1500 * time.Millisecond)
		p.send(`{"jsonrpc":"2.0","id":"ping-2","method":"signalwire.ping","params":{"timestamp":7}}`)
		first, second := p.expectReply("ping-1"), p.expectReply("ping-2")
		var a, b wire.Ping
		if err := errors.Join(json.Unmarshal([]byte(first.Result), &a), json.Unmarshal([]byte(second.Result), &b)); err != nil {
			t.Fatal(err)
		}
		if want := float64(time.Now().UnixMilli()) / 1e3; b.Timestamp != want || b.Timestamp-a.Timestamp != 1.5 {
			t.Errorf("timestamps %v and %v, want %v and 1.5 s earlier", a.Timestamp, b.Timestamp, want)
		}
	})
}

func TestFrameThatIsNotJSONIsReportedAndSkipped(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		for _, text := range []string{`{"jsonrpc":`, `<html>`, ``, "\x00"} {
			p.send(text)
		}
		p.event("e-1", "after", "")
		if diff := cmp.Diff([]string{"after"}, o.delivered()); diff != "" {
			t.Error(diff)
		}
		reports := o.reported()
		if len(reports) != 4 {
			t.Fatalf("%d reports: %v", len(reports), reports)
		}
		for i, size := range []int{11, 6, 0, 1} {
			var parse *errs.MessageParseError
			var syntax *json.SyntaxError
			if !errors.As(reports[i], &parse) || parse.Size != size || !errors.As(reports[i], &syntax) {
				t.Errorf("report %d: %#v", i, reports[i])
			}
		}
		if got := o.Stats(); got != (relay.Stats{Malformed: 4}) {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestFramesThatMeanNothingAreCountedAndNotAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		o := start(t, s, nil)
		p := s.live()
		for _, text := range []string{
			`[]`, `null`, `{}`,
			`{"jsonrpc":"2.0","method":"signalwire.ping"}`,
			`{"jsonrpc":"2.0","id":7,"method":"signalwire.ping"}`,
			`{"jsonrpc":"2.0","id":"x","method":"unknown.method","params":{}}`,
			`{"jsonrpc":"2.0","id":"x","method":"signalwire.event","params":{}}`,
		} {
			p.send(text)
		}
		p.silent()
		if got := o.Stats(); got != (relay.Stats{Ignored: 7}) {
			t.Errorf("stats %+v", got)
		}
		if got := o.reported(); len(got) != 0 {
			t.Errorf("reported %v", got)
		}
	})
}

// A bufferWatcher is a socket that knows the largest buffer it was given back.
type bufferWatcher struct {
	*peer
	given *atomic.Int64
}

func (w bufferWatcher) Read(ctx context.Context, buf []byte) ([]byte, error) {
	w.given.Store(int64(cap(buf)))
	return w.peer.Read(ctx, buf)
}

func TestLargeFrameDoesNotWeighOnAnIdleConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		var given atomic.Int64
		s.socket = func(p *peer) relay.Socket { return bufferWatcher{p, &given} }
		start(t, s, nil)
		p := s.live()
		p.event("e-1", strings.Repeat("x", 1000), "")
		synctest.Wait() // read
		if got := given.Load(); got < 1000 {
			t.Errorf("a buffer of %d bytes was used again, want the one of the last frame", got)
		}
		p.event("e-2", strings.Repeat("x", 1<<20), "")
		synctest.Wait() // read
		if got := given.Load(); got > 64<<10 {
			t.Errorf("a buffer of %d bytes is kept", got)
		}
	})
}

func TestTapSeesEveryFrame(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		type seen struct {
			generation uint64
			outgoing   bool
			start      string
		}
		taps := make(chan seen, 16)
		start(t, s, func(c *relay.Config) {
			c.Tap = func(generation uint64, outgoing bool, frame string) {
				method, _, _ := strings.Cut(frame, ",")
				taps <- seen{generation, outgoing, method}
			}
		})
		p := s.live()
		p.send(`nonsense`)
		synctest.Wait()
		want := []seen{{1, true, `{"jsonrpc":"2.0"`}, {1, false, `{"jsonrpc":"2.0"`}, {1, false, "nonsense"}}
		for _, w := range want {
			if got := <-taps; got != w {
				t.Errorf("tap %+v, want %+v", got, w)
			}
		}
	})
}
