package observable

import "context"

// A Subscription is one call of [Of.Subscribe].
type Subscription struct {
	r      *reader
	cancel context.CancelFunc
	done   chan struct{}
}

// Cancel ends the subscription. No call of the function begins after the one that may be running; wait
// for Done to know that it has returned. Cancel may be called more than once, from any goroutine and
// from the function itself.
func (s *Subscription) Cancel() { s.cancel() }

// Done is closed when the subscription has ended and its function will not run again.
func (s *Subscription) Done() <-chan struct{} { return s.done }

// Dropped is how many published values this subscription has skipped so far, because it asked for
// [Latest] or [Bounded]. Without these it is zero.
func (s *Subscription) Dropped() uint64 { return s.r.dropped.Load() }

// A SubscribeOption says how much may wait for a subscriber that is slower than the publisher. Without
// one, everything waits and nothing is lost. If several are given, the last one counts.
type SubscribeOption struct{ bound int }

// Latest lets only the newest value wait: a slow subscriber skips the values in between.
func Latest() SubscribeOption { return SubscribeOption{1} }

// Bounded lets the n newest values wait and drops the oldest when there are more. n below 1 counts as 1.
func Bounded(n int) SubscribeOption { return SubscribeOption{max(n, 1)} }

// bound is the limit that opts ask for, zero for none.
func bound(opts []SubscribeOption) int {
	if len(opts) == 0 {
		return 0
	}
	return opts[len(opts)-1].bound
}
