package observable_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/callrx/callrx/observable"
)

func TestG1OrderIsThatOfPublishingForEverybody(t *testing.T) {
	const publishers, each = 4, 500
	e := observable.NewEvents[int](0)
	var results []func() []int
	for _, d := range doors {
		results = append(results, d.open(t.Context(), e.Observe()))
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				e.Publish(p*each + i)
			}
		})
	}
	wg.Wait()
	e.Complete()

	first := results[0]()
	last := [publishers]int{-1, -1, -1, -1}
	for _, v := range first {
		if p, i := v/each, v%each; i != last[p]+1 {
			t.Fatalf("publisher %d: event %d follows event %d", p, i, last[p])
		} else {
			last[p] = i
		}
	}
	wantEqual(t, "number of events", len(first), publishers*each)
	for i, result := range results[1:] {
		wantEqual(t, doors[i+1].name+" against "+doors[0].name, result(), first)
	}
}

func TestG2ReplayComesFirst(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			s := observable.NewState(1)
			s.Set(2)
			state := d.open(t.Context(), s.Observe())
			s.Complete()
			wantEqual(t, "state", state(), []int{2})

			for published, want := range map[int][]int{0: {9}, 2: {0, 1, 9}, 3: {0, 1, 2, 9}, 50: {47, 48, 49, 9}} {
				e := observable.NewEvents[int](3)
				for i := range published {
					e.Publish(i)
				}
				events := d.open(t.Context(), e.Observe())
				e.Publish(9)
				e.Complete()
				wantEqual(t, fmt.Sprintf("replay 3 of %d events", published), events(), want)
			}
		})
	}
}

func TestG3EqualValuesAreSuppressed(t *testing.T) {
	parity := func(a, b int) bool { return a%2 == b%2 }
	for _, c := range []struct {
		name  string
		state *observable.State[int]
		want  []int
	}{
		{"==", observable.NewState(0), []int{0, 2, 3, 2}},
		{"by function", observable.NewStateFunc(0, parity), []int{0, 3, 2}},
		{"never equal", observable.NewStateFunc(0, nil), []int{0, 0, 2, 2, 3, 2}},
	} {
		got := c.state.Observe().Observe()
		for _, v := range []int{0, 2, 2, 3, 2} {
			c.state.Set(v)
		}
		c.state.Complete()
		wantEqual(t, c.name, items(got)(), c.want)
	}
}

func TestG3EqualValuesAreSuppressedAcrossPublishers(t *testing.T) {
	s := observable.NewState(0)
	got := items(s.Observe().Observe())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				s.Set(i / 10)
			}
		})
	}
	wg.Wait()
	s.Complete()
	for last, v := range pairs(got()) {
		if last == v {
			t.Fatalf("%d was delivered twice in a row", v)
		}
	}
}

// pairs are the neighbours in s.
func pairs(s []int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for i := 1; i < len(s); i++ {
			if !yield(s[i-1], s[i]) {
				return
			}
		}
	}
}

func TestG4CompletionComesAfterWhatIsPending(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			e := observable.NewEvents[int](0)
			events := d.open(t.Context(), e.Observe())
			for i := range 1000 {
				e.Publish(i)
			}
			e.Complete()
			e.Complete()
			e.Publish(-1)
			wantEqual(t, "events", events(), numbers(1000))
		})
	}
	s := observable.NewState(1)
	got := items(s.Observe().Observe())
	s.Set(2)
	s.Complete()
	s.Set(3)
	wantEqual(t, "state", got(), []int{1, 2})
	wantEqual(t, "current value after completion", s.Get(), 2)
}

func TestG4CompletionWakesWhoSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := observable.NewEvents[int](0)
		var ended sync.WaitGroup
		for _, d := range doors {
			result := d.open(t.Context(), e.Observe())
			ended.Go(func() { result() })
		}
		ended.Go(func() {
			if _, err := e.Observe().Wait(t.Context(), nil); err != observable.ErrCompleted {
				t.Errorf("Wait returned %v, want ErrCompleted", err)
			}
		})
		synctest.Wait() // all of them have nothing to read
		e.Complete()
		ended.Wait()
	})
}

func TestG5LateSubscriberGetsReplayThenCompletion(t *testing.T) {
	s := observable.NewState(1)
	s.Set(2)
	s.Complete()
	e := observable.NewEvents[int](2)
	for i := range 5 {
		e.Publish(i)
	}
	e.Complete()
	var none observable.Events[int]
	none.Publish(1)
	none.Complete()
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			wantEqual(t, "state", d.open(t.Context(), s.Observe())(), []int{2})
			wantEqual(t, "events with replay", d.open(t.Context(), e.Observe())(), []int{3, 4})
			wantEqual(t, "events", d.open(t.Context(), none.Observe())(), []int{})
		})
	}
}

func TestG6NothingIsLostAfterTheAccessor(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			for range 100 {
				var e observable.Events[int]
				o := e.Observe()
				e.Publish(0)
				first := d.open(t.Context(), o)
				e.Publish(1)
				second := d.open(t.Context(), o)
				e.Publish(2)
				e.Complete()
				wantEqual(t, "first subscription", first(), numbers(3))
				wantEqual(t, "second subscription", second(), numbers(3))
			}
		})
	}
}

func TestG6StateSubscriptionMissesNoChange(t *testing.T) {
	for range 100 {
		s := observable.NewState(0)
		o := s.Observe()
		s.Set(1) // before the subscription: not a change that it sees
		s.Set(2)
		got := items(o.Observe())
		s.Set(3)
		s.Set(4)
		s.Complete()
		wantEqual(t, "changes", got(), []int{2, 3, 4})
	}
}

// An accessor's place is forgotten once a subscription is well past it; then a new subscription begins
// as one to a fresh accessor call does.
func TestG6PlaceIsForgottenOnceFarBehind(t *testing.T) {
	e := observable.NewEvents[int](1)
	o := e.Observe()
	for i := range 1000 {
		e.Publish(i)
	}
	wantLast := func(want int) {
		t.Helper()
		if _, err := o.Wait(t.Context(), func(v int) bool { return v == 999 }); err != nil {
			t.Fatal(err)
		}
		first, err := o.Wait(t.Context(), nil)
		if err != nil || first != want {
			t.Errorf("next subscription begins with %d, %v, want %d", first, err, want)
		}
	}
	if first, _ := o.Wait(t.Context(), nil); first != 0 {
		t.Errorf("first subscription begins with %d, want 0", first)
	}
	wantLast(999)
}

func TestG12ErrorsAreValues(t *testing.T) {
	e := observable.NewEvents[error](0)
	all := e.Observe().Observe()
	o := e.Observe()
	picked := o.
		Filter(func(v any) bool { err, _ := v.(error); return errors.As(err, new(*fs.PathError)) }).
		Map(func(_ context.Context, v any) (any, error) { return v.(error).Error(), nil }).
		Observe()
	selected := observable.Select[*fs.PathError](o)
	var typed []string
	for i := range 3 {
		e.Publish(errors.New("plain"))
		e.Publish(fmt.Errorf("wrapped: %w", &fs.PathError{Op: "open", Path: fmt.Sprint(i), Err: fs.ErrNotExist}))
	}
	e.Publish(nil)
	e.Complete()
	n := 0
	for it := range all {
		if it.E != nil {
			t.Errorf("item carries the error %v as E", it.E)
		}
		n++
	}
	wantEqual(t, "errors", n, 7)
	for err := range selected.Seq(t.Context()) {
		typed = append(typed, err.Path)
	}
	wantEqual(t, "selected by type", typed, []string{"0", "1", "2"})
	n = 0
	for it := range picked {
		wantEqual(t, "filtered by rxgo", it.V, any(fmt.Sprintf("wrapped: open %d: file does not exist", n)))
		n++
	}
	wantEqual(t, "filtered by rxgo", n, 3)
	n = 0
	for it := range selected.Observe() {
		wantEqual(t, "selected, through rxgo", it.V.(*fs.PathError).Path, fmt.Sprint(n))
		n++
	}
	wantEqual(t, "selected, through rxgo", n, 3)
}

func TestG14SnapshotKeepsInStep(t *testing.T) {
	s := observable.NewState(0)
	var seen atomic.Int64
	sub := s.Observe().Subscribe(t.Context(), func(v int) { seen.Store(int64(v)) })
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20_000 {
			s.Set(i + 1)
		}
		s.Complete()
	})
	for v := 0; v < 20_000; {
		ahead := int(seen.Load())
		v = s.Get()
		if ahead > v {
			t.Fatalf("an observer had %d while Get returned %d", ahead, v)
		}
		if first, err := s.Observe().Wait(t.Context(), nil); err != nil || first < v {
			t.Fatalf("Get returned %d, then an observer began with %d, %v", v, first, err)
		}
	}
	wg.Wait()
	<-sub.Done()
	wantEqual(t, "last value", seen.Load(), 20_000)
}
