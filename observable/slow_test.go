package observable_test

import (
	"context"
	"testing"

	"github.com/callrx/callrx/observable"
)

// lags counts the slow subscriptions of a stream.
func lags(t *testing.T) (*observable.Events[int], <-chan observable.Lag) {
	t.Helper()
	e, told := observable.NewEvents[int](0), make(chan observable.Lag, 10)
	e.OnSlow(func(l observable.Lag) { told <- l })
	return e, told
}

// read publishes n values while a subscription is busy with the first, and lets
// it have the rest.
func read(e *observable.Events[int], n int, opts ...observable.SubscribeOption) *observable.Subscription {
	busy, goOn := make(chan struct{}), make(chan struct{})
	first := true
	s := e.Observe().Subscribe(context.Background(), func(int) {
		if first {
			first = false
			close(busy)
			<-goOn
		}
	}, opts...)
	e.Publish(0)
	<-busy
	for i := range n {
		e.Publish(i)
	}
	close(goOn)
	return s
}

func TestSubscriptionThatLosesValuesIsToldOnce(t *testing.T) {
	e, told := lags(t)
	one := read(e, 10, observable.Bounded(4))
	if l := <-told; l.Waiting != 4 || l.Dropped != 6 {
		t.Errorf("behind by %+v", l)
	}
	another := read(e, 10, observable.Bounded(4)) // and the first one may lose some more
	if l := <-told; l.Dropped != 6 {
		t.Errorf("behind by %+v", l)
	}
	e.Complete()
	<-one.Done()
	<-another.Done()
	if n := len(told); n != 0 {
		t.Errorf("told %d times more", n)
	}
}

func TestSubscriptionFarBehindIsToldOnce(t *testing.T) {
	e, told := lags(t)
	s := read(e, 10_000)
	if l := <-told; l.Waiting < 9_900 || l.Waiting > 10_000 || l.Dropped != 0 {
		t.Errorf("behind by %+v", l)
	}
	e.Complete()
	<-s.Done()
	if n := len(told); n != 0 {
		t.Errorf("told %d times more", n)
	}
}

func TestSubscriptionThatMeansToSkipIsNotSlow(t *testing.T) {
	e, told := lags(t)
	latest, quick, bounded := read(e, 100, observable.Latest()), read(e, 1000), read(e, 10, observable.Bounded(10))
	e.Complete()
	for _, s := range []*observable.Subscription{latest, quick, bounded} {
		<-s.Done()
	}
	if latest.Dropped() == 0 || len(told) != 0 {
		t.Errorf("%d dropped, told %d times", latest.Dropped(), len(told))
	}
}

func TestStateTellsOfSlowSubscriptionsToo(t *testing.T) {
	s, told := observable.NewState(-1), make(chan observable.Lag, 10)
	s.OnSlow(func(l observable.Lag) { told <- l })
	for range s.Observe().Seq(t.Context(), observable.Bounded(2)) {
		for i := range 5 {
			s.Set(i)
		}
		if s.Complete(); len(told) > 0 {
			break
		}
	}
	if l := <-told; l.Dropped != 3 {
		t.Errorf("behind by %+v", l)
	}
}
