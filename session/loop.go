package session

import (
	"context"
	"time"

	"github.com/callrx/callrx/errs"
)

// loop owns the client's state: it runs what others post, and the refresher's
// timer. Nothing in it waits for the network, for the program or for an
// observer.
func (c *Client) loop() {
	defer close(c.looping)
	defer c.refresh.timer.Stop()
	for {
		select {
		case do := <-c.mailbox:
			do()
		case <-c.refresh.timer.C:
			c.refresh.tick()
		case <-c.ctx.Done():
			return
		}
		c.refresh.schedule()
	}
}

// begun starts the loop with the first need for it; Close ends and awaits it.
func (c *Client) begun() { c.startLoop.Do(func() { go c.loop() }) }

// post has do run on the loop, after what was posted before. It reports false
// when the loop has ended.
func (c *Client) post(do func()) bool {
	select {
	case c.mailbox <- do:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// ask runs do on the loop and waits for it.
func (c *Client) ask(ctx context.Context, do func()) error {
	done := make(chan struct{})
	if !c.post(func() { do(); close(done) }) {
		return errs.ErrClosed
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.looping:
		return errs.ErrClosed
	}
}

// until bounds work by the client's life and by a wall-clock time.
func (c *Client) until(end time.Time) (context.Context, context.CancelFunc) {
	if end.IsZero() {
		return context.WithCancel(c.ctx)
	}
	return context.WithTimeout(c.ctx, max(0, end.Sub(c.clock.now())))
}

// setStatus moves the status and the flags that follow from it.
func (c *Client) setStatus(e clientEvent) bool {
	next, ok := nextStatus(c.lastStatus, e)
	if !ok {
		return false
	}
	c.log.Debug("status", "from", c.lastStatus.String(), "to", next.String())
	c.past.add(note{category: DiagnosticConnection, what: "status", from: c.lastStatus.String(), to: next.String(), on: e.String()})
	c.lastStatus = next
	c.traceStatus(next)
	if next != StatusOnline {
		c.setRegistered(false)
		c.markGaps()
	}
	c.streams.connected.Set(next.connected())
	c.streams.ready.Set(next == StatusOnline)
	c.streams.status.Set(next)
	return true
}
