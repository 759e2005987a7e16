package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
)

// Register makes the subscriber reachable for inbound calls on this client, now
// and after every reconnect, until Unregister. While the connection is being
// replaced it waits, as long as ctx lets it; without a session it returns
// *errs.NotConnectedError. When the service refuses, the token is presented once
// more and the registration repeated; a second refusal is a
// *errs.InvalidCredentialsError (guest tokens cannot register). Errors appear on
// ObserveErrors too.
func (c *Client) Register(ctx context.Context) error {
	ctx, end := c.trace(ctx, Operation{Name: OperationRegister})
	err := c.makeReachable(ctx)
	end(err)
	return err
}

func (c *Client) makeReachable(ctx context.Context) error {
	var before bool
	err := c.ask(ctx, func() { before, c.wanted = c.wanted, true })
	if err != nil {
		return err
	}
	if err = c.register(ctx); err == nil {
		return nil
	}
	var refused *errs.InvalidCredentialsError
	var none *errs.NotConnectedError
	if errors.As(err, &refused) {
		before = false
	}
	_ = c.ask(context.Background(), func() { c.wanted = before })
	if !errors.As(err, &none) && !errors.Is(err, errs.ErrClosed) {
		c.report(err)
	}
	return err
}

// Unregister ends the reachability; the connection stays.
func (c *Client) Unregister(ctx context.Context) error {
	if err := c.ask(ctx, func() { c.wanted = false }); err != nil {
		return err
	}
	done, err := c.oneRegistration(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err := c.call(ctx, wire.MethodOffline, nil); err != nil {
		return err
	}
	return c.ask(ctx, func() { c.setRegistered(false) })
}

// oneRegistration makes sure that what the service hears last is what is wanted.
func (c *Client) oneRegistration(ctx context.Context) (done func(), err error) {
	select {
	case c.registering <- struct{}{}:
		return func() { <-c.registering }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.ctx.Done():
		return nil, errs.ErrClosed
	}
}

func (c *Client) register(ctx context.Context) error {
	if err := c.settled(ctx); err != nil {
		return err
	}
	done, err := c.oneRegistration(ctx)
	if err != nil {
		return err
	}
	defer done()
	err = c.online(ctx)
	var refused *errs.JSONRPCError
	if !errors.As(err, &refused) {
		return err
	}
	if _, again := c.reauthenticate(ctx, *c.current.Load()); again != nil {
		return &errs.InvalidCredentialsError{Reason: errs.CredentialRegisterFailed, OriginalError: errors.Join(err, again)}
	}
	if err = c.online(ctx); errors.As(err, &refused) {
		return &errs.InvalidCredentialsError{Reason: errs.CredentialRegisterFailed, OriginalError: err}
	}
	return err
}

// settled waits until the client is ready, and for a while until its token is
// the one to register with.
func (c *Client) settled(ctx context.Context) error {
	if err := c.awaitOnline(ctx, "register"); err != nil {
		return err
	}
	var activating <-chan struct{}
	if err := c.ask(ctx, func() { activating = c.refresh.activating }); err != nil || activating == nil {
		return err
	}
	patience := time.NewTimer(registerPatience)
	defer patience.Stop()
	select {
	case <-activating:
	case <-patience.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// online registers, unless that is no longer wanted.
func (c *Client) online(ctx context.Context) error {
	var wanted bool
	if err := c.ask(ctx, func() { wanted = c.wanted }); err != nil || !wanted {
		return err
	}
	if _, err := c.call(ctx, wire.MethodOnline, nil); err != nil {
		return err
	}
	return c.ask(ctx, func() {
		if c.wanted && c.lastStatus == StatusOnline {
			c.setRegistered(true)
		}
	})
}

// setRegistered shows whether inbound calls reach this client. On the loop.
func (c *Client) setRegistered(now bool) {
	if now != c.streams.registered.Get() {
		what := map[bool]string{true: "registered", false: "unregistered"}[now]
		c.past.add(note{category: DiagnosticConnection, what: what})
	}
	c.streams.registered.Set(now)
}

// reregister restores what was wanted, after a reconnect. If nobody answers it
// is repeated; if the connection breaks again, the next one begins anew.
func (c *Client) reregister(l *life) {
	c.workers.Go(func() {
		for attempt := 1; ; attempt++ {
			err := c.register(l.ctx)
			if err == nil || l.ctx.Err() != nil || connectionGone(err) {
				return
			}
			c.report(err)
			if !errs.Retryable(err) {
				return
			}
			select {
			case <-time.After(c.opts.Refresh.backoff(attempt)):
			case <-l.ctx.Done():
				return
			}
		}
	})
}
