package session

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
)

// A life is one session's connection: from Connect to its end for good.
type life struct {
	relay  *relay.Relay
	ctx    context.Context // ends with the session
	end    context.CancelFunc
	up     chan struct{} // closed by the loop when first authenticated
	isUp   bool          // owned by the loop: up is closed
	failed chan error    // the first failure before that; capacity 1
	passed atomic.Bool   // an attempt to authenticate has succeeded
	// The relay's run owns these two: a refused token was replaced and not yet
	// accepted; how often in a row there was no other.
	renewed  bool
	refusals int
}

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
func (c *Client) Connect(outer context.Context) error {
	ctx, release, err := c.turn(outer, "connect")
	if err != nil {
		return err
	}
	defer release()
	begun := false
	if err := c.ask(context.WithoutCancel(ctx), func() { begun = c.setStatus(connectBegun) }); err != nil {
		return err // not for ctx: what has begun is ended below
	}
	if !begun {
		release()
		return c.awaitOnline(outer, "connect")
	}
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
	l := c.newLife()
	saved := c.store.loadResume(ctx, info.ID)
	err = c.ask(ctx, func() {
		c.setSession(l)
		if c.resumeOf != info.ID {
			c.resume, c.resumeOf = resume{state: c.given}, info.ID
		}
		c.resume = c.resume.completedBy(saved)
		c.streams.user.Set(info)
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

func (c *Client) newLife() *life {
	l := &life{up: make(chan struct{}), failed: make(chan error, 1)}
	l.ctx, l.end = context.WithCancel(c.ctx)
	l.relay = relay.New(c.relayConfig(l))
	return l
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

// endedBy makes the reason a session ended of what went wrong.
func endedBy(cause error) *errs.SessionEndedError {
	var known *errs.SessionEndedError
	var credential *errs.InvalidCredentialsError
	var budget *relay.BudgetError
	switch {
	case errors.As(cause, &known):
		return known
	case errors.As(cause, &credential) && credential.Reason == errs.CredentialExpired:
		return &errs.SessionEndedError{By: errs.EndedByExpiry, Cause: errs.EndTokenExpired, Retryable: true, OriginalError: cause}
	case errors.As(cause, &credential):
		return &errs.SessionEndedError{By: errs.EndedByRemote, Cause: errs.EndCredentialsRejected, Retryable: true, OriginalError: cause}
	case errors.As(cause, &budget):
		return &errs.SessionEndedError{By: errs.EndedByNetwork, Cause: errs.EndReconnectBudgetSpent, Retryable: true, OriginalError: cause}
	case errors.Is(cause, errs.ErrClosed):
		return &errs.SessionEndedError{By: errs.EndedByLocal, Cause: errs.EndClosed, OriginalError: cause}
	case errors.Is(cause, errs.ErrDisconnected), errors.Is(cause, context.Canceled):
		return &errs.SessionEndedError{By: errs.EndedByLocal, Cause: errs.EndDisconnected, Retryable: true, OriginalError: cause}
	}
	return &errs.SessionEndedError{By: errs.EndedByNetwork, Cause: errs.EndConnectFailed, Retryable: true, OriginalError: cause}
}

func (c *Client) relayConfig(l *life) relay.Config {
	o := c.opts
	cfg := relay.Config{
		URL:          c.relayURL,
		Dial:         c.dial,
		Authenticate: func(ctx context.Context, link *relay.Link) error { return c.authenticate(ctx, l, link) },
		Event: func(e wire.Event) {
			c.post(func() {
				if c.session == l {
					c.event(e)
				}
			})
		},
		OnStatus: func(s relay.Status, cause error) { c.followRelay(l, s, cause) },
		Report:   func(err error) { c.reportRelay(l, err) },
		Retry: relay.Retry{
			Min: o.Reconnect.MinDelay, Max: o.Reconnect.MaxDelay,
			Budget: o.Reconnect.Budget, Delay: o.Reconnect.Delay,
		},
		ConnectTimeout: o.ConnectTimeout, AuthTimeout: authTimeout,
		RequestTimeout: o.RequestTimeout, WriteTimeout: writeTimeout,
		PingInterval: o.Reconnect.PingInterval, PingTimeout: o.Reconnect.PingTimeout,
		StableAfter: stableAfter, CloseTimeout: closeTimeout,
		QueueLimit: requestQueue, Logger: c.log,
	}
	cfg.Tap = c.tap()
	return cfg
}

// followRelay brings the relay's status to the loop.
func (c *Client) followRelay(l *life, s relay.Status, cause error) {
	switch s {
	case relay.Live:
		c.post(func() { c.live(l) })
	case relay.Reconnecting:
		c.post(func() { c.lost(l) })
	case relay.Ended:
		l.fail(cause)
		c.post(func() { c.relayEnded(l, cause) })
	}
}

// reportRelay: before the session is up, the first failure is Connect's.
func (c *Client) reportRelay(l *life, err error) {
	var parse *errs.MessageParseError
	if !l.passed.Load() && !errors.As(err, &parse) {
		l.fail(err)
		return
	}
	c.report(err)
}

func (l *life) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// live: a connection was authenticated.
func (c *Client) live(l *life) {
	if c.session != l || !c.setStatus(sessionUp) {
		return
	}
	if !l.isUp {
		l.isUp = true
		l.passed.Store(true)
		close(l.up)
	}
	if c.wanted {
		c.reregister(l)
	}
}

// lost: the connection broke; another one is on its way.
func (c *Client) lost(l *life) {
	if c.session == l {
		c.setStatus(sessionLost)
		c.refresh.lost()
	}
}

// relayEnded: the relay gave up by itself, for good.
func (c *Client) relayEnded(l *life, cause error) {
	if c.session != l || !l.isUp {
		return
	}
	c.setSession(nil)
	l.end()
	ended := endedBy(cause)
	c.refresh.handle(clientDisconnected)
	c.setStatus(sessionEnded)
	c.forgetRejected(cause)
	if !errors.As(cause, new(*errs.SessionEndedError)) {
		c.report(cause)
	}
	c.finish(ended)
}

// endSession closes the connection, if there is a session, and waits for it.
func (c *Client) endSession(why *errs.SessionEndedError, farewell string) {
	var l *life
	_ = c.ask(context.Background(), func() {
		l = c.session
		c.setSession(nil)
		c.setStatus(sessionEnded)
	})
	if l != nil {
		l.end()
		l.relay.Close(farewell, why)
		c.finish(why)
	}
}

// expired tears the session down for want of a fresh token. What can resume it
// is kept, for UpdateCredential and Connect.
func (c *Client) expired(last *errs.TokenRefreshError) {
	reason := &errs.InvalidCredentialsError{Reason: errs.CredentialExpired}
	if last != nil {
		reason.OriginalError = last
	}
	why := &errs.SessionEndedError{By: errs.EndedByExpiry, Cause: errs.EndTokenExpired, Retryable: true, OriginalError: reason}
	l := c.session
	c.setSession(nil)
	c.setStatus(sessionEnded)
	c.report(reason)
	if l != nil {
		l.end()
		c.finish(why)
		c.workers.Go(func() { l.relay.Close("token expired", why) })
	}
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
	c.streams.events.Publish(newEvent(e, c.sequence))
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
	l := c.calls.Load()
	if l == nil {
		return "", &errs.NotConnectedError{Operation: method}
	}
	return l.relay.Call(ctx, method, params)
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

// setSession is the one place where the session changes.
func (c *Client) setSession(l *life) {
	c.session = l
	c.calls.Store(l)
	if l != nil {
		c.counted.Store(l)
	}
}
