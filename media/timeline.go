package media

import (
	"context"
	"time"
)

// A timeline paces what has times of its own: a file. Delays do not add up, and
// after a long one the rest is late by as much, instead of coming all at once.
type timeline struct {
	start time.Time
	timer *time.Timer
}

func newTimeline() *timeline {
	return &timeline{start: time.Now(), timer: time.NewTimer(0)}
}

// wait returns false if ctx is done before the time has come.
func (t *timeline) wait(ctx context.Context, at time.Duration) bool {
	due := t.start.Add(at)
	if late := time.Since(due); late > catchUp*frameLength {
		t.start = t.start.Add(late)
	}
	t.timer.Reset(time.Until(due))
	select {
	case <-t.timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *timeline) stop() { t.timer.Stop() }

// A frameClock calls a function for every 20 ms that are over, and none less,
// until it is stopped or the function has had enough.
type frameClock struct {
	tick    func() bool
	stopped chan struct{}
	done    chan struct{}
	running bool
}

func newFrameClock(tick func() bool) *frameClock {
	return &frameClock{tick: tick, stopped: make(chan struct{}), done: make(chan struct{})}
}

func (c *frameClock) start() {
	c.running = true
	go c.run() // stop waits for it
}

// stop returns after the last whole frame, or when the function has not returned
// for so long that nobody knows whether it will.
func (c *frameClock) stop() (stopped bool) {
	if !c.running {
		return true
	}
	close(c.stopped)
	return overWithin(stopPatience, c.done)
}

func (c *frameClock) run() {
	defer close(c.done)
	start := time.Now()
	timer := time.NewTimer(frameLength)
	defer timer.Stop()
	for n := int64(0); ; {
		last := false
		select {
		case <-timer.C:
		case <-c.stopped:
			last = true
		}
		for due := int64(time.Since(start) / frameLength); n < due; n++ {
			if !c.tick() {
				return
			}
		}
		if last {
			return
		}
		timer.Reset(time.Until(start.Add(time.Duration(n+1) * frameLength)))
	}
}
