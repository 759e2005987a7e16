package observable_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/callrx/callrx/observable"
	"github.com/reactivex/rxgo/v2"
)

// event is small and by value, as a typed SDK event is.
type event struct {
	Seq int
	At  int64
}

const batch = 1024 // events published per iteration of a fan-out benchmark, then waited for

// A bus is one way to fan out. Each subscriber calls got once per event.
type bus struct {
	publish   func(event)
	subscribe func(got func(event))
	stop      func()
}

// typedBus is Of.Subscribe.
func typedBus(opts ...observable.SubscribeOption) func(context.Context) bus {
	return func(ctx context.Context) bus {
		e := observable.NewEvents[event](0)
		return bus{
			publish:   e.Publish,
			subscribe: func(got func(event)) { e.Observe().Subscribe(ctx, got, opts...) },
			stop:      e.Complete,
		}
	}
}

func drain(ch <-chan rxgo.Item, got func(event)) {
	go func() {
		for it := range ch {
			got(it.V.(event))
		}
	}()
}

// rxBus is the channel of Of.Observe.
func rxBus(opts ...rxgo.Option) func(context.Context) bus {
	return func(ctx context.Context) bus {
		e := observable.NewEvents[event](0)
		with := append([]rxgo.Option{rxgo.WithContext(ctx)}, opts...)
		return bus{
			publish:   e.Publish,
			subscribe: func(got func(event)) { drain(e.Observe().Observe(slices.Clip(with)...), got) },
			stop:      e.Complete,
		}
	}
}

// callbackBus is the bound: no goroutine, no queue, and a slow subscriber stops everybody.
func callbackBus(context.Context) bus {
	var mu sync.Mutex
	var fns []func(event)
	return bus{
		publish: func(v event) {
			mu.Lock()
			defer mu.Unlock()
			for _, fn := range fns {
				fn(v)
			}
		},
		subscribe: func(got func(event)) { mu.Lock(); fns = append(fns, got); mu.Unlock() },
		stop:      func() {},
	}
}

// eventSourceBus is what rxgo offers for the same purpose, in its lossless mode.
func eventSourceBus(ctx context.Context) bus {
	in := make(chan rxgo.Item)
	o := rxgo.FromEventSource(in, rxgo.WithContext(ctx))
	return bus{
		publish: func(v event) { in <- rxgo.Of(v) },
		subscribe: func(got func(event)) {
			drain(o.Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(64)), got)
		},
		stop: func() { close(in) },
	}
}

// BenchmarkFanOut publishes bursts to S subscribers and waits until all of them have had every event.
func BenchmarkFanOut(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(context.Context) bus
	}{
		{"callbacks", callbackBus},
		{"typed", typedBus()},
		{"bounded", typedBus(observable.Bounded(2 * batch))},
		{"rxgo", rxBus()},
		{"rxgo64", rxBus(rxgo.WithBufferedChannel(64))},
		{"FromEventSource", eventSourceBus},
	} {
		for _, subscribers := range []int{1, 10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/S=%d", c.name, subscribers), func(b *testing.B) {
				benchmarkFanOut(b, c.make, subscribers)
			})
		}
	}
}

// A tally is what a benchmark's subscriber does with an event. Each has a cache line for itself.
type tally struct {
	events atomic.Int64
	_      [56]byte
}

func benchmarkFanOut(b *testing.B, open func(context.Context) bus, subscribers int) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	bus := open(ctx)
	defer bus.stop()
	var all sync.WaitGroup
	tallies := make([]tally, subscribers)
	for i := range tallies {
		t := &tallies[i]
		bus.subscribe(func(v event) {
			t.events.Add(1)
			if v.Seq == batch-1 {
				all.Done()
			}
		})
	}
	runtime.GC()
	before := mallocs()
	for b.Loop() {
		all.Add(subscribers)
		for i := range batch {
			bus.publish(event{Seq: i})
		}
		all.Wait()
	}
	allocated := mallocs() - before
	for i := range tallies {
		if got := int(tallies[i].events.Load()); got != b.N*batch {
			b.Fatalf("subscriber %d had %d events of %d", i, got, b.N*batch)
		}
	}
	events := float64(b.N) * batch
	b.ReportMetric(events*float64(subscribers)/b.Elapsed().Seconds()/1e6, "Mdeliveries/s")
	b.ReportMetric(float64(allocated)/events, "allocs/event")
	b.ReportMetric(0, "ns/op")
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// BenchmarkPublish publishes to nobody: before anybody has looked, after somebody has looked and left,
// and with an observer that has stopped reading.
func BenchmarkPublish(b *testing.B) {
	for name, watch := range map[string]func(context.Context, observable.Of[event]){
		"left":  func(ctx context.Context, o observable.Of[event]) { _, _ = o.Wait(ctx, nil) },
		"stuck": func(ctx context.Context, o observable.Of[event]) { o.Observe(rxgo.WithContext(ctx)) },
		"never": nil,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var e observable.Events[event]
			if watch != nil {
				o := e.Observe()
				e.Publish(event{})
				watch(b.Context(), o)
			}
			for b.Loop() {
				e.Publish(event{})
			}
		})
	}
}

func BenchmarkStateSet(b *testing.B) {
	for _, c := range []struct {
		name    string
		changes int
		watched bool
	}{{"equal", 1, true}, {"change", 2, true}, {"changeUnwatched", 2, false}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			s := observable.NewState(event{})
			if c.watched {
				_, _ = s.Observe().Wait(b.Context(), nil)
			}
			for i := 0; b.Loop(); i++ {
				s.Set(event{Seq: i % c.changes})
			}
		})
	}
}

func BenchmarkStateGet(b *testing.B) {
	b.ReportAllocs()
	s := observable.NewState(event{Seq: 1})
	for b.Loop() {
		if s.Get().Seq != 1 {
			b.Fatal("lost")
		}
	}
}

// BenchmarkFirst subscribes, gets the first value and leaves.
func BenchmarkFirst(b *testing.B) {
	s := observable.NewState(event{Seq: 1})
	o := s.Observe()
	for name, first := range map[string]func(context.Context){
		"Wait": func(ctx context.Context) { _, _ = o.Wait(ctx, nil) },
		"Seq": func(ctx context.Context) {
			for range o.Seq(ctx) {
				return
			}
		},
		"Subscribe": func(ctx context.Context) {
			got := make(chan event, 1)
			s := o.Subscribe(ctx, func(v event) { got <- v })
			<-got
			s.Cancel()
			<-s.Done()
		},
		"Observe": func(ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			ch := o.Observe(rxgo.WithContext(ctx))
			<-ch
			cancel()
			for range ch {
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				first(b.Context())
			}
		})
	}
}

// BenchmarkAccessor is the cost of calling an accessor and using nothing of it.
func BenchmarkAccessor(b *testing.B) {
	b.ReportAllocs()
	var e observable.Events[event]
	for b.Loop() {
		e.Observe()
	}
}

// BenchmarkIdle reports the bytes of a subject with nobody watching.
func BenchmarkIdle(b *testing.B) {
	for name, open := range map[string]func() any{
		"State":         func() any { return observable.NewState(event{}) },
		"Events":        func() any { return &observable.Events[event]{} },
		"watchedEvents": func() any { e := &observable.Events[event]{}; e.Observe(); return e },
	} {
		b.Run(name, func(b *testing.B) {
			const subjects = 1000
			var each float64
			for b.Loop() {
				keep := make([]any, subjects)
				before := heapBytes()
				for i := range keep {
					keep[i] = open()
				}
				each = float64(heapBytes()-before) / subjects
				runtime.KeepAlive(keep)
			}
			b.ReportMetric(each, "B/subject")
			b.ReportMetric(0, "ns/op")
		})
	}
}
