package session

import (
	"context"
	"errors"
	"time"
)

// UpdateCredential hands the client a fresh credential, at any time: in answer
// to a *errs.TokenRefreshError, ahead of its expiry, or after the session ended
// for want of it. With a live session it returns nil once the service has
// accepted the token; nothing of the session is interrupted, and refreshing is
// scheduled anew. Without one it only takes the credential over: call Connect.
//
// It returns *errs.InvalidCredentialsError for a credential that cannot be used,
// or *errs.JSONRPCError when the service refuses it: the previous one is then in
// use again. Any other error means that the service has not answered yet: the
// credential is kept, used by the next connection, and presented again.
func (c *Client) UpdateCredential(ctx context.Context, cred Credential) error {
	ctx, release, err := c.turn(ctx, "update the credential")
	if err != nil {
		return err
	}
	defer release()
	if err := c.prepareKey(ctx); err != nil {
		return err
	}
	fresh, err := c.accepted(cred)
	if err != nil {
		return err
	}
	var back func() // nil without a session
	err = c.ask(context.WithoutCancel(ctx), func() {
		if c.lastStatus.connected() {
			back = c.refresh.hand(fresh)
		} else {
			c.refresh.keep(fresh)
		}
	})
	if err != nil || back == nil {
		return err
	}
	reply, err := c.present(ctx, fresh)
	if err == nil {
		return c.settleUpdate(ctx, fresh, reply)
	}
	_ = c.ask(context.Background(), func() {
		switch {
		case c.refresh.token.text != fresh.text: // another one is in use by now
		case rejected(err):
			back()
		default:
			c.refresh.unconfirmed()
		}
	})
	return err
}

// present tells the service about t: on the live connection, again if nobody
// answers or the connection breaks, or by way of a connection opened with it.
func (c *Client) present(ctx context.Context, t token) (applied, error) {
	for attempt := 1; ; attempt++ {
		reply, err := c.reauthenticate(ctx, t)
		switch {
		case err == nil:
			return reply, nil
		case connectionGone(err):
			if err := c.awaitOnline(ctx, "update the credential"); err != nil || c.knows(t) {
				return applied{}, err
			}
			continue
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) || attempt >= c.opts.Refresh.MaxAttempts:
			return applied{}, err
		}
		select {
		case <-time.After(c.opts.Refresh.backoff(attempt)):
		case <-ctx.Done():
			return applied{}, context.Cause(ctx)
		}
	}
}

// knows reports whether the live connection was opened with t.
func (c *Client) knows(t token) (known bool) {
	_ = c.ask(context.Background(), func() {
		known = c.refresh.before == nil && c.refresh.token.text == t.text
	})
	return known
}

// settleUpdate starts refreshing anew, by what the service says of the token.
func (c *Client) settleUpdate(ctx context.Context, t token, reply applied) error {
	info, err := c.fetchUser(ctx)
	if err != nil {
		c.report(err) // the token works; only its scope is not known
		info = nil
	}
	return c.ask(context.WithoutCancel(ctx), func() {
		r := &c.refresh
		if r.token.text != t.text || !c.lastStatus.connected() {
			return
		}
		if info != nil {
			c.signedInAs(info)
		}
		r.accept(r.token, info)
		r.learnExpiry(reply.expiresAt)
		r.handle(credentialAccepted)
		if r.online && info != nil {
			r.handle(authenticated)
		}
	})
}

// replaceToken answers a 401 to a request: if something can refresh the token,
// it is made to, now. It reports whether another token is in use.
func (c *Client) replaceToken(ctx context.Context, refused string) bool {
	if ctx.Value(reconsidering{}) != nil {
		return false
	}
	hope := false
	err := c.ask(ctx, func() {
		r := &c.refresh
		if r.state == refreshArmed && r.token.text == refused {
			r.due = c.clock.now()
		}
		hope = r.state >= refreshArmed && r.state <= refreshApplying
	})
	if err != nil || !hope && c.bearer() == refused {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Refresh.ObtainTimeout)
	defer cancel()
	_, err = c.ObserveCredential().Wait(ctx, func(i CredentialInfo) bool {
		return i.Fingerprint != fingerprint(refused) || i.Refresh == refreshExhausted.String() || i.Refresh == refreshBackoff.String()
	})
	return err == nil && c.bearer() != refused
}
