package observable

import (
	"context"
	"errors"
	"iter"

	"github.com/reactivex/rxgo/v2"
)

// ErrCompleted is returned by [Of.Wait] when the observable completed and no value was the wanted one.
var ErrCompleted = errors.New("observable: completed")

// Of is an observable of values of type T. It is an [rxgo.Observable], so every operator of rxgo works
// on it, and it adds the typed verbs Subscribe, Seq and Wait. Get one from [State.Observe],
// [Events.Observe] or [Select]; the zero Of cannot be used.
//
// An Of is a small value. Copies are the same observable, and any number of goroutines may use it at
// the same time.
type Of[T any] struct {
	rxgo.Observable
	src source
}

func newOf[T any](src source) Of[T] {
	return Of[T]{rx(func() *reader { return src.open(0) }), src}
}

// Observe is rxgo's Observe, with a channel of 16 items unless opts say otherwise. The subscription has
// begun when it returns. Items carry values of type T, never errors: Item.E is always nil.
//
// Pass [rxgo.WithContext] and cancel it when you stop reading before the channel is closed. After
// completion what is pending is still delivered, but a reader that then takes nothing for 30 seconds
// is taken to be gone and its channel is closed.
func (o Of[T]) Observe(opts ...rxgo.Option) <-chan rxgo.Item {
	r := o.src.open(0)
	return rx(func() *reader { return r }).Observe(opts...)
}

// Subscribe calls fn with each value, in order, one at a time, on a goroutine of the subscription's own
// and never on the publisher's. It returns at once and waits for no call; the first may well begin
// before the caller has stored the result, so end a subscription from inside fn by cancelling ctx. It
// ends when ctx ends, when it is cancelled, or when the observable has completed and fn has had all of
// it. Every value is delivered unless opts say otherwise.
//
// fn may take as long as it likes: nobody else waits for it. It may publish, subscribe, cancel and
// complete. A panic in fn is not recovered.
func (o Of[T]) Subscribe(ctx context.Context, fn func(T), opts ...SubscribeOption) *Subscription {
	ctx, cancel := context.WithCancel(ctx)
	s := &Subscription{r: o.src.open(bound(opts)), cancel: cancel, done: make(chan struct{})}
	go func() { // ends with ctx or the observable; whoever cares waits for Done
		defer close(s.done)
		defer cancel()
		s.r.run(ctx.Done(), func(v any) bool {
			t, _ := v.(T)
			fn(t)
			return true
		})
	}()
	return s
}

// Seq is the observable as a sequence to range over. It starts no goroutine. Leaving the loop
// unsubscribes; the loop also ends when ctx ends or the observable completes. The body may do whatever a
// subscriber's function may.
func (o Of[T]) Seq(ctx context.Context, opts ...SubscribeOption) iter.Seq[T] {
	return func(yield func(T) bool) {
		o.src.open(bound(opts)).run(ctx.Done(), func(v any) bool {
			t, _ := v.(T)
			return yield(t)
		})
	}
}

// Wait returns the first value that satisfies pred; a nil pred is satisfied by any. For an observable of
// a state the current value is looked at first. The error is the cause of ctx's end, or [ErrCompleted].
// Wait starts no goroutine and leaves no subscription behind.
func (o Of[T]) Wait(ctx context.Context, pred func(T) bool) (T, error) {
	var got T
	found := false
	completed := o.src.open(0).run(ctx.Done(), func(v any) bool {
		got, _ = v.(T)
		found = pred == nil || pred(got)
		return !found
	})
	switch {
	case found:
		return got, nil
	case completed:
		return *new(T), ErrCompleted
	default:
		return *new(T), context.Cause(ctx)
	}
}
