package observable

import (
	"context"
	"time"

	"github.com/reactivex/rxgo/v2"
)

const (
	// rxBuffer is the capacity of the channel of an rxgo subscription, unless its options set one.
	rxBuffer = 16

	// rxPatience is how long, after completion, a pending item may wait for its reader. Nothing tells
	// a slow reader of a channel from one that has gone for good; this is where the line is drawn.
	rxPatience = 30 * time.Second
)

// rx is the rxgo face of readers: each subscription runs the one that open gives it.
func rx(open func() *reader) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		r := open()
		s := sender{next: next, stop: ctx.Done(), completed: r.log.completed()}
		r.run(s.stop, s.send)
	}}, rxgo.WithBufferedChannel(rxBuffer))
}

// A sender passes a reader's values on to a channel of rxgo, always as values, also if they are errors.
type sender struct {
	next      chan<- rxgo.Item
	stop      <-chan struct{} // closed when the subscription is cancelled
	completed <-chan struct{} // closed when no more will be published; nil once that is known
	patience  *time.Timer     // nil until then
}

// send waits until the channel's reader takes v. It returns false if the subscription is cancelled, or
// if the reader is taken to be gone.
func (s *sender) send(v any) bool {
	it := rxgo.Item{V: v}
	select {
	case s.next <- it:
		return true
	default:
	}
	select {
	case s.next <- it:
		return true
	case <-s.stop:
		return false
	case <-s.completed:
		s.completed = nil
		s.patience = time.NewTimer(rxPatience)
	case <-s.gone():
		return false
	}
	return s.send(v)
}

// gone fires when the reader's time is up, counted from this call. Before completion it never does.
func (s *sender) gone() <-chan time.Time {
	if s.patience == nil {
		return nil
	}
	s.patience.Reset(rxPatience)
	return s.patience.C
}
