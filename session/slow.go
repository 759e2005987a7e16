package session

import (
	"fmt"

	"github.com/callrx/callrx/observable"
)

// WarningSlowConsumer comes with *SlowConsumerWarning.
const WarningSlowConsumer WarningCode = "slow_consumer"

// A SlowConsumerWarning says that one of the program's subscriptions does not
// keep up: it has asked for [observable.Bounded] and begins to lose values, or
// it is lossless and so far behind that memory grows. It is told once for each
// subscription, when that takes its next value.
type SlowConsumerWarning struct {
	Stream  string // as its accessor is named: "ObserveErrors"
	CallID  string // of a call's stream
	Waiting int    // values that the subscription has not had yet
	Dropped uint64 // values that it has skipped
}

// Code is WarningSlowConsumer.
func (*SlowConsumerWarning) Code() WarningCode { return WarningSlowConsumer }

func (w *SlowConsumerWarning) String() string {
	of := ""
	if w.CallID != "" {
		of = " of call " + w.CallID
	}
	return fmt.Sprintf("a subscription to %s%s is slow: %d values wait, %d were skipped", w.Stream, of, w.Waiting, w.Dropped)
}

// A telling stream tells of its slow subscriptions.
type telling interface{ OnSlow(func(observable.Lag)) }

// warnOfSlow warns of slow subscriptions to s.
func (c *Client) warnOfSlow(s telling, stream, callID string) {
	s.OnSlow(func(l observable.Lag) {
		c.warn(&SlowConsumerWarning{Stream: stream, CallID: callID, Waiting: l.Waiting, Dropped: l.Dropped})
	})
}

// watchStreams does so for the client's streams, before anybody sees them.
func (c *Client) watchStreams() {
	c.warnOfSlow(c.streams.errors, "ObserveErrors", "")
	c.warnOfSlow(c.streams.events, "ObserveSignalingEvents", "")
	c.warnOfSlow(c.streams.incoming, "ObserveIncoming", "")
	c.warnOfSlow(c.streams.calls, "ObserveCalls", "")
	c.warnOfSlow(c.streams.status, "ObserveStatus", "")
}

// watchStreams does so for the call's streams.
func (k *Call) watchStreams() {
	k.c.warnOfSlow(k.errors, "ObserveErrors", k.id)
	k.c.warnOfSlow(k.events, "ObserveEvents", k.id)
	k.c.warnOfSlow(k.digits, "ObserveDigits", k.id)
}
