package observable_test

import (
	"context"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/callrx/callrx/observable"
	"github.com/reactivex/rxgo/v2"
)

func TestG10NothingRunsForTheUnwatched(t *testing.T) {
	before := runtime.NumGoroutine()
	var keep []any
	for range 1000 {
		s, e := observable.NewState(0), observable.NewEvents[int](5)
		errs := observable.NewEvents[error](0)
		keep = append(keep, s.Observe(), e.Observe().Map(same).Filter(all),
			observable.Select[*fs.PathError](errs.Observe()))
		s.Set(1)
		e.Publish(1)
		errs.Publish(fs.ErrClosed)
	}
	wantNoneLeft(t, before)
	runtime.KeepAlive(keep)
}

// Whoever publishes can tell whether anybody reads, in each of the four ways.
func TestG10StateKnowsWhetherItIsWatched(t *testing.T) {
	s := observable.NewState(0)
	now := func(what string, want bool) {
		t.Helper()
		if s.Watched() != want {
			t.Errorf("%s: watched is %t", what, !want)
		}
	}
	kept := s.Observe()
	now("kept only", false)
	sub := observable.Map(kept, func(v int) int { return v }).Subscribe(t.Context(), func(int) {})
	now("subscribed", true)
	sub.Cancel()
	<-sub.Done()
	now("cancelled", false)
	for range kept.Seq(t.Context()) {
		now("in a loop", true)
		break
	}
	_, _ = kept.Wait(t.Context(), func(int) bool { now("waited for", true); return true })
	now("found", false)
	ctx, cancel := context.WithCancel(t.Context())
	items := kept.Observe(rxgo.WithContext(ctx))
	now("observed", true)
	cancel()
	for range items {
	}
	now("let go", false)
	latest := kept.Subscribe(t.Context(), func(int) {}, observable.Latest())
	s.Complete()
	<-latest.Done()
	now("completed", false)
}

func TestG10UnwatchedSubjectIsSmall(t *testing.T) {
	const subjects = 10_000
	for _, c := range []struct {
		name  string
		limit float64
		open  func() any
	}{
		{"State", 200, func() any { s := observable.NewState(event{}); s.Set(event{Seq: 1}); return s }},
		{"State that was watched", 512, func() any {
			s := observable.NewState(event{})
			_, _ = s.Observe().Wait(t.Context(), nil)
			return s
		}},
		{"Events", 128, func() any { e := observable.NewEvents[event](0); e.Publish(event{}); return e }},
		{"Events that was watched", 512, func() any { e := observable.NewEvents[event](0); e.Observe(); return e }},
	} {
		keep := make([]any, subjects)
		before := heapBytes()
		for i := range keep {
			keep[i] = c.open()
		}
		each := float64(heapBytes()-before) / subjects
		t.Logf("%s: %.0f B", c.name, each)
		if each > c.limit {
			t.Errorf("an idle %s takes %.0f B, want at most %.0f", c.name, each, c.limit)
		}
		runtime.KeepAlive(keep)
	}
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestG11DropsAreCounted(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []observable.SubscribeOption
		want []int
	}{
		{"lossless", nil, numbers(100)},
		{"latest", []observable.SubscribeOption{observable.Latest()}, []int{0, 99}},
		{"bounded", []observable.SubscribeOption{observable.Bounded(3)}, []int{0, 97, 98, 99}},
		{"bounded above a chunk", []observable.SubscribeOption{observable.Bounded(40)}, append([]int{0}, numbers(100)[60:]...)},
		{"bounded below 1", []observable.SubscribeOption{observable.Bounded(-1)}, []int{0, 99}},
		{"bound never reached", []observable.SubscribeOption{observable.Bounded(1000)}, numbers(100)},
		{"the last option counts", []observable.SubscribeOption{observable.Bounded(9), observable.Latest()}, []int{0, 99}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := observable.NewEvents[int](0)
				release := make(chan struct{})
				var got []int
				s := e.Observe().Subscribe(t.Context(), func(v int) { got = append(got, v); <-release }, c.opts...)
				e.Publish(0)
				synctest.Wait() // stuck in the first call
				for i := 1; i < 100; i++ {
					e.Publish(i)
				}
				close(release)
				e.Complete()
				<-s.Done()
				wantEqual(t, "delivered", got, c.want)
				wantEqual(t, "dropped", s.Dropped(), uint64(100-len(c.want)))
			})
		})
	}
}

func TestG11BoundCountsWhatWaitedBeforeSubscribing(t *testing.T) {
	e := observable.NewEvents[int](0)
	o := e.Observe()
	for i := range 100 {
		e.Publish(i)
	}
	e.Complete()
	var got []int
	s := o.Subscribe(t.Context(), func(v int) { got = append(got, v) }, observable.Bounded(20))
	<-s.Done()
	wantEqual(t, "delivered", got, numbers(100)[80:])
	wantEqual(t, "dropped", s.Dropped(), 80)
}

// Whatever a bounded subscriber has not dropped it gets, in order, while everybody is busy.
func TestG11BoundedUnderLoad(t *testing.T) {
	const events = 100_000
	e := observable.NewEvents[int](0)
	var subs []*observable.Subscription
	var counts [8]int
	for i := range counts {
		last := -1
		subs = append(subs, e.Observe().Subscribe(t.Context(), func(v int) {
			if v <= last {
				t.Errorf("%d after %d", v, last)
			}
			last = v
			counts[i]++
		}, observable.Bounded(1<<i)))
	}
	for i := range events {
		e.Publish(i)
	}
	e.Complete()
	for i, s := range subs {
		<-s.Done()
		wantEqual(t, "delivered and dropped", counts[i]+int(s.Dropped()), events)
	}
}

// Of the values published here, a few stay reachable: a chunk that is not yet full, the chunks that an
// accessor remembers, and what a stack has not yet overwritten.
func TestG13WhatNobodyHasLeftToReadIsFreed(t *testing.T) {
	const events, slack = 5000, 400
	type value struct{ _ [64]byte }
	for name, watch := range map[string]func(context.Context, *observable.Events[*value]) (seen func() bool, keep any){
		"nobody": func(_ context.Context, e *observable.Events[*value]) (func() bool, any) {
			e.Observe()
			return func() bool { return true }, nil
		},
		"Subscribe, observable kept": func(ctx context.Context, e *observable.Events[*value]) (func() bool, any) {
			var n atomic.Int64
			o := e.Observe()
			o.Subscribe(ctx, func(*value) { n.Add(1) })
			return func() bool { return n.Load() == events }, o
		},
		"rxgo Observe": func(ctx context.Context, e *observable.Events[*value]) (func() bool, any) {
			var n atomic.Int64
			o := e.Observe()
			d := o.ForEach(func(any) { n.Add(1) }, func(error) {}, func() {}, rxgo.WithContext(ctx))
			return func() bool { return n.Load() == events }, []any{o, d}
		},
		"rxgo chain": func(ctx context.Context, e *observable.Events[*value]) (func() bool, any) {
			var n atomic.Int64
			o := e.Observe().Map(same).Filter(all)
			d := o.ForEach(func(any) { n.Add(1) }, func(error) {}, func() {}, rxgo.WithContext(ctx))
			return func() bool { return n.Load() == events }, []any{o, d}
		},
		"stuck and bounded": func(ctx context.Context, e *observable.Events[*value]) (func() bool, any) {
			o := e.Observe()
			for range 100 {
				o.Subscribe(ctx, func(*value) { <-ctx.Done() }, observable.Bounded(64))
			}
			s := o.Subscribe(ctx, func(*value) { <-ctx.Done() }, observable.Latest())
			return func() bool { return true }, []any{o, s}
		},
		"cancelled bounded": func(ctx context.Context, e *observable.Events[*value]) (func() bool, any) {
			o := e.Observe()
			s := o.Subscribe(ctx, func(*value) {}, observable.Bounded(2000))
			o.Subscribe(ctx, func(*value) { <-ctx.Done() }, observable.Bounded(10))
			s.Cancel()
			<-s.Done()
			return func() bool { return true }, []any{o, s}
		},
		"cancelled, subscription kept": func(ctx context.Context, e *observable.Events[*value]) (func() bool, any) {
			s := e.Observe().Subscribe(ctx, func(*value) {})
			s.Cancel()
			<-s.Done()
			return func() bool { return true }, s
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				e := observable.NewEvents[*value](0)
				seen, keep := watch(ctx, e)
				refs := make([]weak.Pointer[value], events)
				for i := range refs {
					v := &value{}
					refs[i] = weak.Make(v)
					e.Publish(v)
				}
				synctest.Wait() // everybody who reads has read everything
				wantEqual(t, "read everything", seen(), true)
				runtime.GC()
				live := 0
				for _, r := range refs {
					if r.Value() != nil {
						live++
					}
				}
				t.Logf("%d of %d values are still reachable", live, events)
				if live > slack {
					t.Errorf("%d of %d values are still reachable, want at most %d", live, events, slack)
				}
				runtime.KeepAlive(keep)
				runtime.KeepAlive(e)
			})
		})
	}
}

func TestG13StateKeepsNoOldValue(t *testing.T) {
	type value struct{ _ [64]byte }
	initial := &value{}
	first := weak.Make(initial)
	s := observable.NewState(initial)
	initial = nil
	_, _ = s.Observe().Wait(t.Context(), nil)
	for range 100 {
		s.Set(&value{})
	}
	runtime.GC()
	if first.Value() != nil {
		t.Error("the initial value is still reachable")
	}
	runtime.KeepAlive(s)
}

func TestG13BoundIsSharedByStuckSubscribers(t *testing.T) {
	const subscribers, events, limit = 1000, 1500, 1_000_000
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e := observable.NewEvents[event](0)
	var stuck sync.WaitGroup
	stuck.Add(subscribers)
	var subs []*observable.Subscription
	for range subscribers {
		first := true
		subs = append(subs, e.Observe().Subscribe(ctx, func(event) {
			if first {
				first = false
				stuck.Done()
			}
			<-ctx.Done()
		}, observable.Bounded(1024)))
	}
	e.Publish(event{})
	stuck.Wait()
	before := heapBytes()
	for i := range events {
		e.Publish(event{Seq: i})
	}
	held := heapBytes() - before
	t.Logf("%d stuck subscribers and %d events take %d B", subscribers, events, held)
	if held > limit {
		t.Errorf("%d stuck subscribers hold %d B, want at most %d", subscribers, held, limit)
	}
	cancel()
	for _, s := range subs {
		<-s.Done()
	}
}
