// Package program calls what the program has brought, such as a provider, a source
// or a sink: code that may panic, and may never return.
package program

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/callrx/callrx/errs"
)

// Patience is how long code of the program may take to return when it has been
// told to.
const Patience = 2 * time.Second

// Ask calls what the program brought and returns no later than ctx ends. A call
// that ignores its context keeps its goroutine until it returns; nobody waits for
// it, and what it brings too late goes to discard. A panic is an
// [*errs.PanicError].
func Ask[T any](ctx context.Context, where string, ask func(context.Context) (T, error), discard func(T)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	done, gone := make(chan answer), make(chan struct{})
	go func() {
		var a answer
		defer func() {
			if v := recover(); v != nil {
				a.err = &errs.PanicError{Where: where, Value: v, Stack: debug.Stack()}
			}
			select {
			case done <- a:
			case <-gone:
				if a.err == nil {
					discard(a.v)
				}
			}
		}()
		a.v, a.err = ask(ctx)
	}()
	select {
	case a := <-done:
		return a.v, a.err
	case <-ctx.Done():
		close(gone)
		var none T
		return none, fmt.Errorf("%s did not answer: %w", where, context.Cause(ctx))
	}
}

// Forget is for answers that need no care.
func Forget[T any](T) {}

// Run calls what the program brought and returns no later than [Patience] after ctx
// has ended, then with an error that wraps [context.DeadlineExceeded].
func Run(ctx context.Context, where string, run func(context.Context) error) error {
	waiting, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	stop := context.AfterFunc(ctx, func() {
		late := time.NewTimer(Patience)
		defer late.Stop()
		select {
		case <-late.C:
			giveUp(fmt.Errorf("after %v: %w", Patience, context.DeadlineExceeded))
		case <-waiting.Done():
		}
	})
	defer stop()
	_, err := Ask(waiting, where, func(context.Context) (none struct{}, err error) { return none, run(ctx) }, Forget)
	return err
}

// Finish calls what is to return at once, and waits no longer than [Patience].
func Finish(where string, f func() error) error {
	over, end := context.WithCancel(context.Background())
	end()
	return Run(over, where, func(context.Context) error { return f() })
}

// Close closes what can be closed, and waits no longer than [Patience].
func Close(v any) error {
	c, ok := v.(io.Closer)
	if !ok {
		return nil
	}
	return Finish(Name(v)+".Close", c.Close)
}

// Name is the type of what the program brought, also of what stands for it: that
// has a method Original.
func Name(v any) string {
	if stands, ok := v.(interface{ Original() any }); ok {
		return Name(stands.Original())
	}
	return fmt.Sprintf("%T", v)
}
