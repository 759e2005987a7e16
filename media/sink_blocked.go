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

// abandon gives up what a sink writes to and is blocked: closing it may let go of
// who writes. It returns the error that says so.
func abandon(to any, writing *frameClock) error {
	if c, ok := to.(io.Closer); ok {
		closed := make(chan struct{})
		go func() { // waited for here, unless it blocks too
			defer close(closed)
			_ = c.Close()
		}()
		late := time.NewTimer(abandonPatience)
		defer late.Stop()
		select {
		case <-closed:
		case <-late.C:
		}
		if writing != nil {
			writing.over(abandonPatience)
		}
	}
	return fmt.Errorf("%s has not taken what was written: %w", program.Name(to), context.DeadlineExceeded)
}
