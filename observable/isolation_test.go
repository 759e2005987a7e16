package observable_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/observable"
	"github.com/reactivex/rxgo/v2"
)

func TestG7SlowSubscriberDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const events = 500
		e := observable.NewEvents[int](0)
		start := time.Now()
		var slow, delayed, fast int
		last := e.Observe().Subscribe(t.Context(), func(int) { slow++; time.Sleep(2 * time.Millisecond) })
		s := e.Observe().Subscribe(t.Context(), func(i int) {
			fast++
			if time.Since(start) != time.Duration(i)*time.Millisecond {
				delayed++
			}
		})
		abandoned, cancel := context.WithCancel(t.Context())
		_ = e.Observe().Observe(rxgo.WithContext(abandoned))
		_ = e.Observe().Map(same).Observe(rxgo.WithContext(abandoned))
		for i := range events {
			e.Publish(i)
			time.Sleep(time.Millisecond)
		}
		wantEqual(t, "time that publishing took", time.Since(start), events*time.Millisecond)
		e.Complete()
		<-s.Done()
		wantEqual(t, "fast subscriber: events, late ones", []int{fast, delayed}, []int{events, 0})
		cancel()
		<-last.Done()
		wantEqual(t, "slow subscriber: events", slow, events)
	})
}

func TestG8CallbackMayDoAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const events = 10_000
		e := observable.NewEvents[int](0)
		s := observable.NewState(0)
		ctx, cancel := context.WithCancel(t.Context())
		inner := make(chan *observable.Subscription, 1)
		var own, others int
		outer := e.Observe().Subscribe(ctx, func(i int) {
			own++
			s.Set(i)
			if i == 0 {
				inner <- e.Observe().Subscribe(t.Context(), func(int) { others++ })
				for j := 1; j < events; j++ {
					e.Publish(j)
				}
			}
			if v, err := s.Observe().Wait(ctx, nil); v != i || err != nil {
				t.Errorf("Wait inside a callback returned %d, %v, want %d", v, err, i)
			}
			if i == events-1 {
				e.Complete()
				s.Complete()
				cancel()
			}
		})
		e.Publish(0)
		<-outer.Done()
		<-(<-inner).Done()
		wantEqual(t, "events had by outer and inner", []int{own, others}, []int{events, events - 1})
	})
}

func TestG8SubscriptionMayCancelItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := observable.NewEvents[int](0)
		handle := make(chan *observable.Subscription, 1)
		calls := 0
		s := e.Observe().Subscribe(t.Context(), func(int) {
			calls++
			(<-handle).Cancel()
		})
		handle <- s
		e.Publish(0)
		e.Publish(1)
		<-s.Done()
		s.Cancel()
		wantEqual(t, "calls", calls, 1)
	})
}

func TestG9CancellationFreesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		e := observable.NewEvents[int](0)
		s := observable.NewState(0)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		for range 100 {
			for _, d := range doors {
				result := d.open(ctx, e.Observe())
				if d.name == "Seq" {
					go result()
				}
				d.open(ctx, s.Observe())
			}
			e.Observe().Subscribe(ctx, func(int) {}, observable.Latest())
			go func() {
				if _, err := e.Observe().Wait(ctx, func(int) bool { return false }); err != cause {
					t.Errorf("Wait returned %v, want the cause", err)
				}
			}()
		}
		for i := range 100 {
			e.Publish(i)
			s.Set(i)
		}
		synctest.Wait() // readers are asleep, those that nobody reads from are blocked
		cancel(cause)
		synctest.Wait() // whoever heard of the end has gone
		wantNoneLeft(t, before)
	})
}

func TestG9SubscriptionsThatEndedLeaveTheContextAlone(t *testing.T) {
	const subscriptions, limit = 5000, 50
	s := observable.NewState(0)
	s.Complete()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := heapBytes()
	for range subscriptions {
		<-s.Observe().Subscribe(ctx, func(int) {}).Done()
	}
	if each := float64(heapBytes()-before) / subscriptions; each > limit {
		t.Errorf("a subscription that has ended holds %.0f B", each)
	}
}

func TestG9NothingIsDeliveredAfterCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := observable.NewEvents[int](0)
		ctx, cancel := context.WithCancel(t.Context())
		o := e.Observe()
		e.Publish(0)
		cancel()
		for _, d := range doors {
			wantEqual(t, d.name, d.open(ctx, o)(), []int{})
		}
		_, err := o.Wait(ctx, nil)
		wantEqual(t, "Wait", errors.Is(err, context.Canceled), true)

		calls := 0
		s := o.Subscribe(t.Context(), func(int) { calls++; time.Sleep(time.Second) })
		synctest.Wait() // the first call is under way
		e.Publish(1)
		s.Cancel()
		<-s.Done()
		wantEqual(t, "calls", calls, 1)
	})
}

func TestG9LeavingALoopUnsubscribes(t *testing.T) {
	e := observable.NewEvents[int](0)
	seq := e.Observe().Seq(t.Context())
	for i := range 10 {
		e.Publish(i)
	}
	for range 2 {
		for v := range seq {
			wantEqual(t, "first value of the loop", v, 0)
			break
		}
	}
}

func TestG15LateReaderThatIsGoneIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		e := observable.NewEvents[int](100)
		for i := range 100 {
			e.Publish(i)
		}
		e.Complete()
		_ = e.Observe().Observe()
		time.Sleep(31 * time.Second)
		synctest.Wait()
		wantNoneLeft(t, before)
	})
}

func TestG15ReaderThatIsGoneIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		e := observable.NewEvents[int](0)
		gone := e.Observe().Observe()
		slow := e.Observe().Observe(rxgo.WithBufferedChannel(0))
		for i := range 100 {
			e.Publish(i)
		}
		time.Sleep(time.Hour) // however long: while the observable lives, its readers may come back
		e.Complete()
		n := 0
		for range slow {
			n++
			time.Sleep(29 * time.Second)
		}
		wantEqual(t, "items for a slow reader", n, 100)
		synctest.Wait()
		wantNoneLeft(t, before)
		wantEqual(t, "what the buffer held is still there", len(items(gone)()), 16)
	})
}
