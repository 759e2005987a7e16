package session

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
)

// Connect signs in and opens the session. ctx bounds the connecting, not the
// session. It returns nil when the session is up, also when it was already, and
// otherwise the first error met, with nothing left running:
//
//   - *errs.InvalidCredentialsError: no credential, or one that is refused
//   - *errs.TransportError, *errs.WebSocketTimeoutError: no connection
//   - *errs.UnexpectedError, *errs.JSONRPCError, *errs.RPCTimeoutError: the
//     service fails, or its answer makes no sense
//   - the cause of ctx
//
// Errors, except that of ctx, appear on ObserveErrors too.
//
// Calls of an earlier process are taken up then; see
// Options.ReconnectAttachedCalls.
func (c *Client) Connect(ctx context.Context) error {
	err := c.comeOnline(ctx)
	if err == nil {
		c.takeUp()
	}
	return err
}

// comeOnline is Connect without the calls of an earlier process.
func (c *Client) comeOnline(ctx context.Context) error {
	ctx, end := c.trace(ctx, Operation{Name: OperationConnect})
	err := c.goOnline(ctx)
	end(err)
	return err
}

func (c *Client) goOnline(outer context.Context) error {
	ctx, release, err := c.turn(outer, "connect")
	if err != nil {
		return err
	}
	defer release()
	if c.opts.Network != nil {
		c.listening.Do(func() { c.workers.Go(c.followNetwork) })
	}
	begun := false
	if err := c.ask(context.WithoutCancel(ctx), func() {
		begun = c.setStatus(connectBegun)
		c.devices.start()
	}); err != nil {
		return err // not for ctx: what has begun is ended below
	}
	if !begun {
		release()
		return c.awaitOnline(outer, "connect")
	}
	defer c.entering.under(ctx)()
	c.renew()
	if err = c.connect(ctx); err != nil {
		c.failConnect(ctx, err)
	}
	c.dropIdle() // an idle session needs no idle HTTP connections
	return err
}

// awaitOnline waits for a lost connection to be replaced.
func (c *Client) awaitOnline(ctx context.Context, operation string) error {
	if ctx.Value(askingProvider{c}) != nil {
		return errAskingProvider(operation)
	}
	s, err := c.ObserveStatus().Wait(ctx, func(s Status) bool { return s != StatusReconnecting && s != StatusConnecting })
	if err == nil && s != StatusOnline {
		err = &errs.NotConnectedError{Operation: operation}
	}
	return err
}

// connect does the steps of signing in, one after the other.
func (c *Client) connect(ctx context.Context) error {
	if err := c.signedIn(ctx); err != nil {
		return err
	}
	h := c.current.Load().hosts
	c.hosts.Store(&h)
	info, err := c.fetchUser(ctx)
	if err != nil {
		return causeOf(ctx, err)
	}
	l, saved := c.newLife(), c.store.loadResume(ctx, info.ID)
	elsewhere, err := c.inherit(ctx, l, info.ID, saved.usable())
	if err != nil {
		l.end()
		return err
	}
	if elsewhere {
		saved = resume{}
	}
	err = c.ask(ctx, func() {
		c.setSession(l)
		if c.resumeOf != info.ID {
			c.resume, c.resumeOf = resume{state: c.given}, info.ID
		}
		c.resume = c.resume.completedBy(saved)
		c.signedInAs(info)
		c.refresh.accept(c.refresh.token, info)
		l.relay.Start()
	})
	if err != nil {
		return err
	}
	select {
	case <-l.up:
		return nil
	case err := <-l.failed:
		return causeOf(ctx, err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// failConnect leaves nothing running of a Connect that failed.
func (c *Client) failConnect(ctx context.Context, cause error) {
	ended, given := endedBy(cause), errors.Is(ctx.Err(), context.Canceled)
	if given { // up, by the program
		ended = &errs.SessionEndedError{By: errs.EndedByLocal, Cause: errs.EndDisconnected, Retryable: true, OriginalError: cause}
	}
	c.endSession(ended, "not connected")
	_ = c.ask(context.Background(), func() {
		c.refresh.handle(clientDisconnected)
		c.setStatus(sessionEnded)
		c.forgetRejected(cause)
	})
	c.finish(ended)
	if !given {
		c.report(cause)
	}
}

// forgetRejected makes sure that a token the service refused is never presented
// again: the next Connect asks for another.
func (c *Client) forgetRejected(cause error) {
	var refused *errs.InvalidCredentialsError
	if errors.As(cause, &refused) && refused.Reason == errs.CredentialRejected {
		c.refresh.token = token{}
		c.store.forgetCredential()
	}
}

// causeOf prefers the reason that a context was cancelled for.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return context.Cause(ctx)
	}
	return err
}

// event handles what the session layer knows and shows everything.
func (c *Client) event(e wire.Event) {
	if e.Type == wire.EventAuthorizationState {
		state, err := wire.DecodeAuthorizationState(e.Params)
		if err != nil {
			c.report(&errs.AuthStateError{OriginalError: err})
			return
		}
		c.setResumeState(state)
		return // a secret: not for observers
	}
	c.sequence++
	shown := newEvent(e, c.sequence)
	c.route(e, shown)
	c.converse(shown)
	c.streams.events.Publish(shown)
}

// Execute sends any request of the protocol and decodes its result into result,
// unless that is nil. While the connection is being replaced it waits, 256
// requests at most. Errors: *errs.JSONRPCError when the service refuses,
// *errs.RPCTimeoutError, *errs.TransportError when the connection is lost
// before the answer, *errs.SessionEndedError when the session ends before it,
// *errs.QueueFullError, *errs.NotConnectedError without a session.
func (c *Client) Execute(ctx context.Context, method string, params, result any) error {
	raw, err := c.call(ctx, method, params)
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal([]byte(raw), result); err != nil {
		return &errs.UnexpectedError{At: "result of " + method, OriginalError: err}
	}
	return nil
}

func (c *Client) call(ctx context.Context, method string, params any) (wire.Raw, error) {
	if c.ctx.Err() != nil {
		return "", errs.ErrClosed
	}
	l := c.active.Load()
	if l == nil {
		return "", &errs.NotConnectedError{Operation: method}
	}
	o := Operation{Name: OperationRPC, Method: method}
	if env, ok := params.(wire.VertoEnvelope); ok {
		o.Verto, o.CallID = env.Message.Method, env.CallID
	}
	ctx, end := c.trace(ctx, o)
	raw, err := l.relay.Call(ctx, method, params)
	end(err)
	return raw, err
}

// completedBy fills in what is missing from what was stored.
func (r resume) completedBy(saved resume) resume {
	if r.state == "" {
		r.state = saved.state
	}
	if r.protocol == "" {
		r.protocol = saved.protocol
	}
	return r
}
