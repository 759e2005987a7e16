package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
)

// What becomes of a call whose device cannot be opened, or is lost.

// What could not be opened is tried again with the next change of devices, and before
// that if another program may be done with it by then.
const (
	reopenMin = time.Second
	reopenMax = 30 * time.Second
)

// failed tells once that the target could not be opened.
func (i *callInput) failed(err error) {
	if i.failures++; i.failures == 1 {
		i.report(err)
	}
	if !mayPass(err) {
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(reopenAfter(i.failures), func() {
		i.k.c.post(func() {
			if i.retry == mine && !i.k.state.status.ended() {
				i.aim(i.target)
			}
		})
	})
	i.retry = mine
}

// reopenAfter is how long to wait after so many failures in a row.
func reopenAfter(failures int) time.Duration {
	return RefreshPolicy{MinBackoff: reopenMin, MaxBackoff: reopenMax}.backoff(failures)
}

// mayPass reports whether a device that could not be opened may be by itself. One
// whose provider has not answered may still be at it.
func mayPass(err error) bool {
	var access *errs.MediaAccessError
	return !(errors.As(err, &access) && access.Denied) && !errors.Is(err, context.DeadlineExceeded) &&
		!errors.As(err, new(*errs.DeviceNotFoundError)) && !errors.As(err, new(*errs.OverconstrainedFallbackError))
}

// A device that is lost is opened again if it is there, or is back. One that was lost
// within a second so often in a row waits for a change of devices.
const (
	steadyCapture = time.Second
	shortCaptures = 3
)

// lost is told of a capture that has ended by itself, which the leg has reported. Not
// on the loop.
func (i *callInput) lost(c *capture, err error) {
	i.k.c.post(func() {
		c.over = true
		if i.now != c {
			return
		}
		i.k.c.workers.Go(func() { i.k.c.shut(c) })
		if i.short++; time.Since(c.began) >= steadyCapture {
			i.short = 0
		}
		if errors.As(err, new(*errs.DeviceNotFoundError)) && i.short < shortCaptures {
			i.k.c.devices.recover()
		}
	})
}
