package observable_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/observable"
	"github.com/reactivex/rxgo/v2"
)

// The tests of this file take what rxgo v2.5.0 does to the sources that come with it, and show that it
// does not happen to ours. Those whose names begin with TestRxgo pin what remains in rxgo's own
// operators, which the package comment warns of, so that the warnings stay true.

func TestAbandonedObserverFreezesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := observable.NewEvents[int](0)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_ = e.Observe().Observe(rxgo.WithContext(ctx)) // never read
		_ = e.Observe().Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(0))
		_ = e.Observe().Map(same).Filter(all).Observe(rxgo.WithContext(ctx))
		healthy := items(e.Observe().Observe())
		for i := range 1000 {
			e.Publish(i)
		}
		synctest.Wait() // the abandoned ones are stuck
		late := items(e.Observe().Observe())
		e.Publish(1000)
		e.Complete()
		wantEqual(t, "healthy observer", healthy(), numbers(1001))
		wantEqual(t, "new observer", late(), []int{1000})
	})
}

func TestCancelledObserverKeepsNoSeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := observable.NewEvents[int](0)
		healthy := items(e.Observe().Observe())
		before, heap := runtime.NumGoroutine(), heapBytes()
		for range 2000 {
			ctx, cancel := context.WithCancel(t.Context())
			ch := e.Observe().Observe(rxgo.WithContext(ctx))
			cancel()
			if _, open := <-ch; open {
				t.Fatal("a cancelled observer got an item")
			}
		}
		synctest.Wait()
		wantNoneLeft(t, before)
		if held := heapBytes() - heap; held > 256<<10 {
			t.Errorf("2000 cancelled observers hold %d B", held)
		}
		for i := range 100 {
			e.Publish(i)
		}
		e.Complete()
		wantEqual(t, "the other observer", healthy(), numbers(100))
	})
}

func TestAbandonedThenCancelledChainsLeaveNoGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		e, s := observable.NewEvents[int](0), observable.NewState(0)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 1000 {
			o := e.Observe().Observable
			if i%2 == 1 {
				o = s.Observe()
			}
			ch := o.Map(same).Filter(all).Observe(rxgo.WithContext(ctx))
			if i%4 == 0 {
				e.Publish(i)
				<-ch
			}
		}
		for i := range 100 {
			e.Publish(i)
			s.Set(i)
		}
		synctest.Wait() // every channel on the way is full
		if n := runtime.NumGoroutine() - before; n < 2900 {
			t.Fatalf("only %d goroutines before the cancellation: the chains did not run", n)
		}
		cancel()
		synctest.Wait()
		wantNoneLeft(t, before)
	})
}

func TestObservedTwiceDeliversAllTwice(t *testing.T) {
	e := observable.NewEvents[int](0)
	o := e.Observe()
	chain := o.Map(same).Filter(all)
	var wg sync.WaitGroup
	for range 20 { // at the same time: rxgo must not be handed a slice that two of them append to
		for _, obs := range []rxgo.Observable{o, o.Observable, chain} {
			wg.Go(func() {
				wantEqual(t, "one of many observers", items(obs.Observe(rxgo.WithBufferedChannel(2)))(), numbers(100))
			})
		}
	}
	for i := range 100 {
		e.Publish(i)
	}
	e.Complete()
	wg.Wait()
}

func TestTypedFirstOfAHotSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		e := observable.NewEvents[int](0)
		o := e.Observe()
		e.Publish(7)
		v, err := o.Wait(t.Context(), nil)
		wantEqual(t, "Wait", v, 7)
		if err != nil {
			t.Error(err)
		}
		for v := range o.Seq(t.Context()) {
			wantEqual(t, "Seq", v, 7)
			break
		}
		synctest.Wait()
		wantNoneLeft(t, before)
	})
}

func TestErrorsPublishedAsValuesSurviveOperators(t *testing.T) {
	boom := errors.New("boom")
	e := observable.NewEvents[error](0)
	got := e.Observe().Map(same).Filter(all).Observe()
	for range 3 {
		e.Publish(boom)
	}
	e.Complete()
	for n := range 3 {
		if it := <-got; it.E != nil || it.V != boom {
			t.Errorf("item %d is %v, %v, want the error as its value", n, it.V, it.E)
		}
	}
	if it, open := <-got; open {
		t.Errorf("unexpected item %v", it)
	}
}

func TestEventsRightAfterObserveArrive(t *testing.T) {
	for name, observe := range map[string]func(observable.Of[int]) <-chan rxgo.Item{
		"direct":    func(o observable.Of[int]) <-chan rxgo.Item { return o.Observe() },
		"chain":     func(o observable.Of[int]) <-chan rxgo.Item { return o.Map(same).Filter(all).Observe() },
		"interface": func(o observable.Of[int]) <-chan rxgo.Item { return o.Observable.Observe() },
		"merge": func(o observable.Of[int]) <-chan rxgo.Item {
			return rxgo.Merge([]rxgo.Observable{o, rxgo.Empty()}).Observe()
		},
	} {
		lost := 0
		for range 500 {
			e := observable.NewEvents[int](0)
			ch := observe(e.Observe())
			e.Publish(1)
			e.Complete()
			lost += 1 - len(items(ch)())
		}
		wantEqual(t, name+", lost of 500", lost, 0)
	}
}

func TestLateObserverGetsStateThroughOperators(t *testing.T) {
	s := observable.NewState("ringing")
	s.Set("answered")
	live, err := s.Observe().Map(same).First().Get(rxgo.WithContext(t.Context()))
	wantEqual(t, "while it lives", []any{live.V, err}, []any{"answered", nil})
	s.Complete()
	late, err := s.Observe().Map(same).ToSlice(0)
	wantEqual(t, "after completion", []any{late, err}, []any{[]any{"answered"}, nil})
}

func TestForEachEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		e := observable.NewEvents[int](0)
		ctx, cancel := context.WithCancel(t.Context())
		var got []int
		done := e.Observe().Filter(all).ForEach(
			func(v any) { got = append(got, v.(int)) },
			func(err error) { t.Error(err) },
			func() {},
			rxgo.WithContext(ctx))
		e.Publish(0)
		synctest.Wait()
		cancel()
		<-done
		e.Publish(1)
		synctest.Wait()
		wantEqual(t, "values", got, []int{0})
		wantNoneLeft(t, before)
	})
}

func TestFromEventSourceOptionsWorkOnTheFace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := observable.NewEvents[int](0)
		for _, c := range []struct {
			opts []rxgo.Option
			want int
		}{
			{nil, 16},
			{[]rxgo.Option{rxgo.WithBufferedChannel(3)}, 3},
			{[]rxgo.Option{rxgo.WithBufferedChannel(0)}, 0},
		} {
			wantEqual(t, "capacity", cap(e.Observe().Observe(c.opts...)), c.want)
			wantEqual(t, "capacity of the embedded one", cap(e.Observe().Observable.Observe(c.opts...)), c.want)
		}
		e.Complete()
	})
}

func TestRxgoTakeEndsOnlyOnTheNextItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		e := observable.NewEvents[int](0)
		ch := e.Observe().Take(1).Observe(rxgo.WithContext(ctx))
		e.Publish(1)
		wantEqual(t, "first item", (<-ch).V, any(1))
		select {
		case <-ch:
			t.Error("Take(1) ended with its item: the warning in the package comment can go")
		case <-time.After(time.Hour):
		}
		e.Publish(2)
		if it, open := <-ch; open {
			t.Errorf("unexpected item %v", it)
		}
	})
}

func TestRxgoJustTurnsErrorsIntoFailures(t *testing.T) {
	if it := <-rxgo.Just(errors.New("boom"))().Observe(); it.E == nil {
		t.Error("Just kept an error as a value: the warning in the package comment can go")
	}
}

func TestRxgoPoolReorders(t *testing.T) {
	for range 100 {
		e := observable.NewEvents[int](0)
		got := items(e.Observe().Map(same, rxgo.WithPool(4)).Observe())
		for i := range 1000 {
			e.Publish(i)
		}
		e.Complete()
		if !slices.IsSorted(got()) {
			return
		}
	}
	t.Error("WithPool kept the order: the warning in the package comment can go")
}

func TestRxgoOperatorsWithoutContextOutliveTheirReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := observable.NewEvents[int](0)
		abandoned := e.Observe().Map(same).Observe()
		for i := range 100 {
			e.Publish(i)
		}
		synctest.Wait()
		before := runtime.NumGoroutine()
		e.Complete()
		time.Sleep(time.Hour)
		wantNoneLeft(t, before-1) // ours has gone
		select {
		case <-abandoned: // the operator waits for its reader
		default:
			t.Error("the operator has gone: the warning in the package comment can go too")
		}
		items(abandoned)() // or the bubble would not end
	})
}
