package observable_test

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"github.com/callrx/callrx/observable"
	"github.com/google/go-cmp/cmp"
	"github.com/reactivex/rxgo/v2"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbers is 0, 1, ... n-1.
func numbers(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func wantEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// wantNoneLeft fails if more goroutines than before stay. The runtime goes on counting one for a moment
// after synctest.Wait has seen it end.
func wantNoneLeft(t *testing.T, before int) {
	t.Helper()
	for range 2_000_000 { // a fraction of a second
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines are left", runtime.NumGoroutine()-before)
}

// A door is one of the ways to read an observable. It returns at once; the function that it returns
// waits for completion and returns what was delivered.
type door struct {
	name string
	open func(context.Context, observable.Of[int]) func() []int
}

func items(ch <-chan rxgo.Item) func() []int {
	return func() []int {
		got := []int{}
		for it := range ch {
			got = append(got, it.V.(int))
		}
		return got
	}
}

func same(_ context.Context, v any) (any, error) { return v, nil }
func all(any) bool                               { return true }

var doors = []door{
	{"Subscribe", func(ctx context.Context, o observable.Of[int]) func() []int {
		got := []int{}
		s := o.Subscribe(ctx, func(v int) { got = append(got, v) })
		return func() []int { <-s.Done(); return got }
	}},
	{"Seq", func(ctx context.Context, o observable.Of[int]) func() []int {
		seq := o.Seq(ctx)
		return func() []int { return slices.AppendSeq([]int{}, seq) }
	}},
	{"Observe", func(ctx context.Context, o observable.Of[int]) func() []int {
		return items(o.Observe(rxgo.WithContext(ctx)))
	}},
	{"Map.Filter.Observe", func(ctx context.Context, o observable.Of[int]) func() []int {
		return items(o.Map(same).Filter(all).Observe(rxgo.WithContext(ctx)))
	}},
	{"Filter", func(ctx context.Context, o observable.Of[int]) func() []int {
		got := []int{}
		o = observable.Filter(o, func(int) bool { return true })
		s := o.Subscribe(ctx, func(v int) { got = append(got, v) })
		return func() []int { <-s.Done(); return got }
	}},
	{"Map.Observe", func(ctx context.Context, o observable.Of[int]) func() []int {
		o = observable.Map(o, func(v int) int { return v })
		return items(o.Observe(rxgo.WithContext(ctx)))
	}},
}
