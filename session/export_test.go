package session

import (
	"context"
	"encoding/json"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// Offline makes a call of which the service knows nothing, so that a test tells
// it everything: without media, and as fast as events can be applied.
func Offline(c *Client, id string) *Call {
	c.begun()
	k := c.newCall(context.Background(), id, errs.DirectionOutbound)
	if err := c.ask(context.Background(), func() { c.addCall(k) }); err != nil {
		panic(err)
	}
	return k
}

// Joined is a context of a method of something that ends with another.
func Joined(ctx, other context.Context) (context.Context, context.CancelFunc) {
	return joined(ctx, other)
}

// Feed has the client take in a frame as if it had come from the service. What
// it changes is changed when Feed returns.
func Feed(c *Client, frame string) {
	f, err := wire.Decode(frame)
	if err == nil {
		err = c.ask(context.Background(), func() { c.event(f.Event) })
	}
	if err != nil {
		panic(err)
	}
}

// FeedEvent is Feed of an event.
func FeedEvent(c *Client, eventType string, params any) {
	Feed(c, EventFrame(eventType, params))
}

// EventFrame is the frame of an event.
func EventFrame(eventType string, params any) string {
	payload, err := json.Marshal(params)
	if err != nil {
		panic(err)
	}
	text, err := wire.EncodeRequest("e", wire.MethodEvent, wire.EventParams{EventType: eventType, Params: payload})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// End ends a call that was made offline.
func End(k *Call) {
	_ = k.c.ask(context.Background(), func() { k.over(&errs.CallEndedError{By: errs.EndedByLocal}) })
	<-k.done
}

// Replay feeds n frames, over and over, in one go.
func Replay(c *Client, frames []string, n int) {
	_ = c.ask(context.Background(), func() {
		for i := range n {
			f, err := wire.Decode(frames[i%len(frames)])
			if err != nil {
				panic(err)
			}
			c.event(f.Event)
		}
	})
}

// Apply has the client take in n events that are decoded already but for their
// payload.
func Apply(c *Client, frames []string, n int) {
	events := make([]wire.Event, len(frames))
	for i, text := range frames {
		f, _ := wire.Decode(text)
		events[i] = f.Event
	}
	k := c.Calls()[0]
	_ = c.ask(context.Background(), func() {
		for i := range n {
			e := &events[i%len(events)]
			told, err := wire.DecodeCallEvent(e.Params)
			if err != nil {
				panic(err)
			}
			k.room.apply(e.Type, &told)
		}
	})
}

// Resubscribe asks for the call's events again, as after a new session.
func (k *Call) Resubscribe(ctx context.Context) { k.resubscribe(ctx) }

// Reattach makes a call expect its rooms to be told anew, as on a new session.
func Reattach(k *Call) {
	_ = k.c.ask(context.Background(), func() { k.room.afresh = true })
}

// Note has the client record a step of a call.
func Note(c *Client) {
	c.past.add(note{category: DiagnosticCall, what: "status", callID: "call-1", from: "new", to: "trying", on: "invite accepted"})
}

// Fail has the client record a failure of a call.
func Fail(c *Client, callID string, err error) {
	c.failed(note{category: DiagnosticFailure, what: "call_error", callID: callID}, err)
}

// UseICEServers stands in for what the service offers.
func UseICEServers(c *Client, s ...media.ICEServer) { c.offers(s) }

// Trace tells the client's Tracer of a request, as every request does.
func Trace(ctx context.Context, c *Client) {
	_, end := c.trace(ctx, Operation{Name: OperationRPC, Method: "signalwire.ping"})
	end(nil)
}

// Sleep has the client's wall clock jump, as that of a machine does that slept:
// timers have stood still meanwhile.
func Sleep(c *Client, d time.Duration) { c.clock.offset.Add(int64(d)) }
