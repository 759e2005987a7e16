package session

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

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
	// The relay's run owns these: a refused token was replaced and not yet
	// accepted; how often in a row there was no other, and since when.
	renewed   bool
	refusals  int
	refusedAt time.Time
}

func (c *Client) newLife() *life {
	l := &life{up: make(chan struct{}), failed: make(chan error, 1)}
	l.ctx, l.end = context.WithCancel(c.ctx)
	l.relay = relay.New(c.relayConfig(l))
	return l
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
		Retry:    c.retry, ConnectTimeout: c.connectTimeout, AuthTimeout: authTimeout,
		RequestTimeout: c.requestTimeout(), WriteTimeout: writeTimeout,
		PingInterval: o.Reconnect.PingInterval, PingTimeout: o.Reconnect.PingTimeout,
		StableAfter: stableAfter, CloseTimeout: closeTimeout,
		QueueLimit: requestQueue, Logger: c.log,
	}
	cfg.Tap, cfg.Secrets = c.tap(), c.iceSecrets
	return cfg
}

// followRelay brings the relay's status to the loop.
func (c *Client) followRelay(l *life, s relay.Status, cause error) {
	switch s {
	case relay.Live:
		c.post(func() { c.live(l) })
	case relay.Reconnecting:
		c.failed(note{category: DiagnosticConnection, what: "connection_lost"}, cause)
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
	c.catchUp()
	c.serviceChanged(serviceBack)
}

// lost: the connection broke; another one is on its way.
func (c *Client) lost(l *life) {
	if c.session == l {
		c.setStatus(sessionLost)
		c.serviceChanged(serviceLost)
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

// setSession is the one place where the session changes.
func (c *Client) setSession(l *life) {
	c.session = l
	c.active.Store(l)
	if l == nil {
		c.dropCalls()
	}
	if l != nil {
		c.counted.Store(l)
	}
}
