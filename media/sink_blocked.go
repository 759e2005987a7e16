package media

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/callrx/callrx/internal/program"
)

const (
	// stopPatience is how long the end of a sink waits for what it writes to.
	stopPatience = time.Second
	// abandonPatience is how long that may then take to close, and to let go.
	abandonPatience = 400 * time.Millisecond
)

// overWithin waits for done to be closed, but no longer than that.
func overWithin(limit time.Duration, done <-chan struct{}) bool {
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}

// abandon gives up what a sink writes to and is blocked: closing it may let go of
// who writes. It returns the error that says so.
func abandon(to any, writing *frameClock) error {
	if c, ok := to.(io.Closer); ok {
		closed := make(chan struct{})
		go func() { // waited for here, unless it blocks too
			defer close(closed)
			_ = c.Close()
		}()
		overWithin(abandonPatience, closed)
		if writing != nil {
			overWithin(abandonPatience, writing.done)
		}
	}
	return fmt.Errorf("%s has not taken what was written: %w", program.Name(to), context.DeadlineExceeded)
}
