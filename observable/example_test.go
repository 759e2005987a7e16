package observable_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/callrx/callrx/observable"
	"github.com/reactivex/rxgo/v2"
)

func ExampleState() {
	status := observable.NewState("new")
	status.Set("ringing")
	sub := status.Observe().Subscribe(context.Background(), func(s string) { fmt.Println(s) })
	status.Set("ringing") // no change
	status.Set("answered")
	status.Set("ended")
	status.Complete()
	<-sub.Done()
	fmt.Println("now:", status.Get())
	// Output:
	// ringing
	// answered
	// ended
	// now: ended
}

// A value that is costly to find is found for those who watch only.
func ExampleState_Watched() {
	level := observable.NewState(0)
	fmt.Println(level.Watched())
	sub := level.Observe().Subscribe(context.Background(), func(int) {})
	fmt.Println(level.Watched())
	sub.Cancel()
	<-sub.Done()
	fmt.Println(level.Watched())
	// Output:
	// false
	// true
	// false
}

func ExampleNewStateFunc() {
	// The level changes all the time; only steps of ten matter.
	level := observable.NewStateFunc(0, func(a, b int) bool { return a/10 == b/10 })
	sub := level.Observe().Subscribe(context.Background(), func(l int) { fmt.Println(l) })
	for _, l := range []int{3, 12, 14, 19, 31} {
		level.Set(l)
	}
	level.Complete()
	<-sub.Done()
	// Output:
	// 0
	// 12
	// 31
}

func ExampleEvents() {
	var joined observable.Events[string]
	joined.Publish("too early") // nobody has asked yet
	names := joined.Observe()
	joined.Publish("ada")
	joined.Publish("bob")
	joined.Complete()
	for name := range names.Seq(context.Background()) {
		fmt.Println(name)
	}
	// Output:
	// ada
	// bob
}

func ExampleNewEvents() {
	log := observable.NewEvents[string](2)
	for _, line := range []string{"one", "two", "three"} {
		log.Publish(line)
	}
	recent := log.Observe()
	log.Publish("four")
	log.Complete()
	for line := range recent.Seq(context.Background()) {
		fmt.Println(line)
	}
	// Output:
	// two
	// three
	// four
}

func ExampleOf_Subscribe() {
	ticks := observable.NewEvents[int](0)
	ctx, cancel := context.WithCancel(context.Background())
	sub := ticks.Observe().Subscribe(ctx, func(n int) {
		fmt.Println("tick", n)
		if n == 2 {
			cancel()
		}
	})
	for n := range 5 {
		ticks.Publish(n)
	}
	<-sub.Done()
	// Output:
	// tick 0
	// tick 1
	// tick 2
}

func ExampleOf_Seq() {
	counter := observable.NewState(0)
	for n := range counter.Observe().Seq(context.Background()) {
		fmt.Println(n)
		if n == 3 {
			break // unsubscribes
		}
		counter.Set(n + 1) // from inside the loop is fine
	}
	// Output:
	// 0
	// 1
	// 2
	// 3
}

func ExampleOf_Wait() {
	status := observable.NewState("trying")
	go status.Set("answered")
	s, err := status.Observe().Wait(context.Background(), func(s string) bool { return s == "answered" })
	fmt.Println(s, err)

	status.Complete()
	_, err = status.Observe().Wait(context.Background(), func(s string) bool { return s == "ended" })
	fmt.Println(err)
	// Output:
	// answered <nil>
	// observable: completed
}

func ExampleOf_Observe() {
	volume := observable.NewState(10)
	items := volume.Observe().Observe(rxgo.WithContext(context.Background()))
	volume.Set(20)
	volume.Complete()
	for item := range items {
		fmt.Println(item.V)
	}
	// Output:
	// 10
	// 20
}

// Every operator of rxgo works on an observable of this package.
func ExampleOf_rxgo() {
	numbers := observable.NewEvents[int](0)
	evenSquares := numbers.Observe().
		Filter(func(v any) bool { return v.(int)%2 == 0 }).
		Map(func(_ context.Context, v any) (any, error) { return v.(int) * v.(int), nil })
	for n := range 7 {
		numbers.Publish(n)
	}
	numbers.Complete()
	<-evenSquares.ForEach(
		func(v any) { fmt.Println(v) },
		func(err error) { fmt.Println("failed:", err) },
		func() { fmt.Println("completed") },
		rxgo.WithContext(context.Background()))
	// Output:
	// 0
	// 4
	// 16
	// 36
	// completed
}

func ExampleSelect() {
	failures := observable.NewEvents[error](0)
	paths := observable.Select[*fs.PathError](failures.Observe())
	_, err := os.Open("/no/such/file")
	failures.Publish(errors.New("something else"))
	failures.Publish(fmt.Errorf("load settings: %w", err))
	failures.Complete()
	for e := range paths.Seq(context.Background()) {
		fmt.Println(e.Op, e.Path)
	}
	// Output: open /no/such/file
}

// The same as [observable.Select], with rxgo's own Filter and errors.As.
func ExampleSelect_rxgo() {
	failures := observable.NewEvents[error](0)
	items := failures.Observe().
		Filter(func(v any) bool {
			var e *fs.PathError
			return errors.As(v.(error), &e)
		}).
		Observe(rxgo.WithContext(context.Background()))
	_, err := os.Open("/no/such/file")
	failures.Publish(errors.New("something else"))
	failures.Publish(fmt.Errorf("load settings: %w", err))
	failures.Complete()
	for item := range items {
		fmt.Println(item.V)
	}
	// Output: load settings: open /no/such/file: no such file or directory
}

func ExampleFilter() {
	levels := observable.NewEvents[int](0)
	loud := observable.Filter(levels.Observe(), func(l int) bool { return l > 50 })
	for _, l := range []int{10, 80, 20, 60} {
		levels.Publish(l)
	}
	levels.Complete()
	for l := range loud.Seq(context.Background()) {
		fmt.Println(l)
	}
	// Output:
	// 80
	// 60
}

func ExampleMap() {
	digits := observable.NewEvents[int](0)
	words := observable.Map(digits.Observe(), func(d int) string { return []string{"zero", "one", "two"}[d] })
	digits.Publish(2)
	digits.Publish(0)
	digits.Complete()
	for w := range words.Seq(context.Background()) {
		fmt.Println(w)
	}
	// Output:
	// two
	// zero
}

func ExampleLatest() {
	level := observable.NewEvents[int](0)
	stuck, release := make(chan bool), make(chan bool)
	sub := level.Observe().Subscribe(context.Background(), func(l int) {
		fmt.Println("drawing", l)
		if l == 0 {
			close(stuck)
			<-release
		}
	}, observable.Latest())
	level.Publish(0)
	<-stuck
	for l := range 100 {
		level.Publish(l + 1)
	}
	close(release)
	level.Complete()
	<-sub.Done()
	fmt.Println(sub.Dropped(), "skipped")
	// Output:
	// drawing 0
	// drawing 100
	// 99 skipped
}

func ExampleBounded() {
	lines := observable.NewEvents[int](0)
	late := lines.Observe()
	for n := range 10 {
		lines.Publish(n)
	}
	lines.Complete()
	sub := late.Subscribe(context.Background(), func(n int) { fmt.Println(n) }, observable.Bounded(2))
	<-sub.Done()
	fmt.Println(sub.Dropped(), "dropped")
	// Output:
	// 8
	// 9
	// 8 dropped
}

// The owner of a stream learns of a subscription that loses events.
func ExampleEvents_OnSlow() {
	events := observable.NewEvents[int](0)
	events.OnSlow(func(l observable.Lag) {
		fmt.Println("a subscription is slow:", l.Waiting, "wait,", l.Dropped, "were lost")
	})
	observed := events.Observe()
	for n := range 5 {
		events.Publish(n)
	}
	events.Complete()
	for n := range observed.Seq(context.Background(), observable.Bounded(2)) {
		fmt.Println("got", n)
	}
	// Output:
	// a subscription is slow: 2 wait, 3 were lost
	// got 3
	// got 4
}
