package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

// Activation moves a session from the SAT it was opened with to a Client Bound
// SAT: POST devices/token with a proof of our key, then reauthenticate with the
// answer. It runs beside the live session, which does not wait for it, and if
// it fails the session goes on with the SAT.

// activate starts the exchange.
func (r *refresher) activate() {
	sat := r.sat
	limit := r.activationTime()
	r.activating = make(chan struct{})
	r.work(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx, end := r.c.trace(ctx, Operation{Name: OperationActivate})
		t, reply, err := r.c.bind(ctx, sat)
		end(err)
		return func() {
			if err != nil {
				r.declined(timedOut(err, "activation", limit))
				return
			}
			r.use(t)
			r.learnExpiry(reply.expiresAt)
			r.c.log.Info("token bound to the client's key", "expires_at", t.expiresAt)
			r.handle(activationDone)
		}
	})
}

// activationTime leaves the provider its turn before the token expires.
func (r *refresher) activationTime() time.Duration {
	now, limit := r.c.clock.now(), activationLimit
	if r.c.provider.refresh != nil && !r.due.IsZero() {
		limit = min(limit, r.due.Sub(now))
	} else if !r.token.expiresAt.IsZero() {
		limit = min(limit, r.token.expiresAt.Sub(now)-time.Second)
	}
	return max(limit, 0)
}

// declined reports why the session stays with its SAT.
func (r *refresher) declined(cause error) {
	if connectionGone(cause) {
		r.handle(connectionLost)
		return
	}
	e := &errs.DeviceTokenError{OriginalError: cause}
	var h *errs.HTTPError
	if errors.As(cause, &h) {
		e.Status = h.Status
	}
	r.c.report(e)
	if errors.Is(cause, context.DeadlineExceeded) {
		r.warnFallback(FallbackActivationTimeout)
	} else {
		r.warnFallback(FallbackEndpointFailed)
	}
	r.handle(activationDeclined)
}

// decline: the bound path is closed to this token.
func (r *refresher) decline() {
	switch {
	case r.info.canRefresh() && r.c.key == nil:
		r.warnFallback(FallbackNoDPoP)
	case r.c.provider.refresh != nil:
		r.warnFallback(FallbackNoScope)
	}
	if r.state == refreshArmed {
		r.arm()
	} else {
		r.disarm()
	}
}

// reconsider asks what a token from the provider may do, and whether the bound
// path is open to it.
func (r *refresher) reconsider() {
	r.work(func(ctx context.Context) func() {
		info, err := r.c.fetchUser(context.WithValue(ctx, reconsidering{}, true))
		return func() {
			if err != nil {
				r.c.report(err)
				return
			}
			r.info = info
			r.c.signedInAs(info)
			r.handle(authenticated)
		}
	})
}

// reconsidering marks a request whose refusal must not lead to a refresh: it was
// a refresh that led to it.
type reconsidering struct{}

// bind exchanges sat and opens the session to the new token.
func (c *Client) bind(ctx context.Context, sat token) (token, applied, error) {
	life := boundTTL
	if info := c.User(); info != nil && info.SATClaims != nil && !info.SATClaims.ExpiresAt.IsZero() {
		life = max(time.Second, info.SATClaims.ExpiresAt.Sub(c.clock.now()))
	}
	t, err := c.proving(func() (token, error) {
		proof, err := c.key.key.HTTPProof("POST", rest.DeviceTokenPath, "", c.clock.now())
		if err != nil {
			return token{}, &errs.DPoPInitError{OriginalError: err}
		}
		reply, err := c.api.DeviceToken(ctx, sat.text, proof, boundTTL)
		return c.boundToken(reply, life, sat.hosts), err
	})
	if err != nil {
		return token{}, applied{}, err
	}
	reply, err := c.reauthenticate(ctx, t)
	return t, reply, err
}

// boundToken fixes the expiry of a token when it arrives, once and for all.
func (c *Client) boundToken(reply rest.TokenReply, life time.Duration, h hosts) token {
	now := c.clock.now()
	t := token{text: reply.Token, receivedAt: now, expiresAt: reply.ExpiresAt, bound: true, hosts: h}
	if t.expiresAt.IsZero() {
		t.expiresAt = now.Add(life)
	}
	return t
}
