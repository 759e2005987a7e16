package session

import (
	"sync/atomic"
	"time"
)

// A clock tells wall-clock time, set right by the service where ours is wrong.
type clock struct{ offset atomic.Int64 }

// now has no monotonic reading: expiry is a matter of wall clocks.
func (c *clock) now() time.Time { return time.Now().Add(c.skew()).Round(0) }

func (c *clock) skew() time.Duration { return time.Duration(c.offset.Load()) }

// correct takes over the service's time if ours is off by more than can be
// tolerated, and reports whether it was.
func (c *clock) correct(service time.Time) bool {
	if off := service.Sub(c.now()); off > skewTolerance || off < -skewTolerance {
		c.offset.Add(int64(off))
		return true
	}
	return false
}
