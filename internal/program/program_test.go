package program_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A sluggish thing closes when it may.
type sluggish struct{ may chan struct{} }

func (s *sluggish) Close() error { <-s.may; return errors.New("closed") }

// A standIn is for something of the program.
type standIn struct{ of *sluggish }

func (s standIn) Original() any { return s.of }
func (s standIn) Close() error  { return s.of.Close() }

func TestCloseWaitsNoLongerThanPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sluggish{make(chan struct{})}
		for _, v := range []any{s, standIn{s}} {
			start := time.Now()
			err := program.Close(v)
			if time.Since(start) != program.Patience || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if !strings.Contains(err.Error(), "*program_test.sluggish.Close") {
				t.Errorf("%q names nobody", err)
			}
		}
		close(s.may)
		if err := program.Close(s); err == nil || err.Error() != "closed" {
			t.Error(err)
		}
		if err := program.Close(3); err != nil {
			t.Error(err)
		}
	})
}

func TestRunLastsAsLongAsItsContextAndALittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		if err := program.Run(ctx, "it", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Second); return nil }); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != time.Hour+time.Second {
			t.Errorf("it took %v", took)
		}
		may := make(chan struct{})
		if err := program.Run(ctx, "it", func(context.Context) error { <-may; return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		close(may)
	})
}

func TestPanicIsAnError(t *testing.T) {
	err := program.Finish("it", func() error { panic("no") })
	if p, ok := errors.AsType[*errs.PanicError](err); !ok || p.Where != "it" {
		t.Error(err)
	}
}

func TestAnswerThatComesTooLateIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := make(chan int, 2)
		for _, fails := range []error{nil, errors.New("none")} {
			_, err := program.Ask(ctx, "it", func(context.Context) (int, error) {
				time.Sleep(time.Minute)
				return 7, fails
			}, func(v int) { late <- v })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			time.Sleep(time.Hour)
		}
		if len(late) != 1 || <-late != 7 {
			t.Error("not the one answer that is no failure was discarded")
		}
	})
}
