package session

import (
	"context"
	"sync"

	"github.com/callrx/callrx/errs"
)

// finish closes Done, once for each session.
func (c *Client) finish(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
	default:
		c.err = why
		close(c.done)
	}
}

// renew makes a new Done for a new session.
func (c *Client) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		c.done, c.err = make(chan struct{}), nil
	default:
	}
}

// turn waits until no Connect, Disconnect or UpdateCredential is under way and
// takes its place. The context it returns ends early if Disconnect or Close
// want the place.
func (c *Client) turn(ctx context.Context, what string) (mine context.Context, release func(), err error) {
	switch {
	case ctx.Err() != nil:
		return nil, nil, context.Cause(ctx)
	case ctx.Value(askingProvider{c}) != nil: // it would wait for itself
		return nil, nil, errAskingProvider(what)
	}
	select {
	case c.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case <-c.ctx.Done():
		return nil, nil, errs.ErrClosed
	}
	mine, cancel := context.WithCancelCause(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		cancel(errs.ErrClosed)
		<-c.turns
		return nil, nil, errs.ErrClosed
	}
	c.begun()
	if what != disconnecting {
		c.interrupt = cancel
	}
	return mine, sync.OnceFunc(func() {
		cancel(nil)
		c.mu.Lock()
		c.interrupt = nil
		c.mu.Unlock()
		<-c.turns
	}), nil
}

// disconnecting is the turn that nobody interrupts: it is short.
const disconnecting = "disconnect"

// askingProvider marks the context that Connect asks a client's provider with:
// who waits under it for the client would wait for itself.
type askingProvider struct{ c *Client }

func errAskingProvider(what string) error {
	return &errs.InvalidStateTransitionError{From: "asking the credential provider", To: what}
}

// abort interrupts whoever has the turn.
func (c *Client) abort(cause error) {
	c.mu.Lock()
	interrupt := c.interrupt
	c.mu.Unlock()
	if interrupt != nil {
		interrupt(cause)
	}
}
