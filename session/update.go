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
// or *errs.JSONRPCError when the service refuses it; the previous one is then in
// use again.
func (c *Client) UpdateCredential(ctx context.Context, cred Credential) error {
	ctx, release, err := c.turn(ctx)
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
	var old token
	var oldInfo *User
	live := false
	err = c.ask(ctx, func() {
		old, oldInfo, live = c.refresh.token, c.refresh.info, c.lastStatus.connected()
		c.refresh.replace(fresh, live)
	})
	if err != nil || !live {
		return err
	}
	if err := c.present(ctx, fresh); err != nil {
		_ = c.ask(context.Background(), func() { c.refresh.accept(old, oldInfo) })
		return err
	}
	return c.settleUpdate(ctx, fresh)
}

// present tells the service about t: on the live connection, again if nobody
// answers, or by way of the next connection if this one breaks.
func (c *Client) present(ctx context.Context, t token) error {
	for attempt := 1; ; attempt++ {
		_, err := c.reauthenticate(ctx, t)
		switch {
		case err == nil:
			return nil
		case connectionGone(err):
			return c.awaitOnline(ctx, "update the credential")
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) || attempt == c.opts.Refresh.MaxAttempts:
			return err
		}
		select {
		case <-time.After(c.opts.Refresh.backoff(attempt)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// settleUpdate starts refreshing anew, by what the service says of the token.
func (c *Client) settleUpdate(ctx context.Context, t token) error {
	info, err := c.fetchUser(ctx)
	if err != nil {
		c.report(err) // the token works; only its scope is not known
		info = nil
	}
	return c.ask(context.WithoutCancel(ctx), func() {
		if info != nil {
			c.streams.user.Set(info)
		}
		c.refresh.accept(t, info)
		if c.refresh.online {
			c.refresh.handle(authenticated)
		}
	})
}

// replaceToken answers a 401 to a request: if something can refresh the token,
// it is made to, now. It reports whether another token is in use.
func (c *Client) replaceToken(ctx context.Context, refused string) bool {
	err := c.ask(ctx, func() {
		if r := &c.refresh; r.state == refreshArmed && r.token.text == refused {
			r.due = c.clock.now()
		}
	})
	if err != nil {
		return false
	}
	if c.Credential().Refresh != refreshArmed.String() && c.bearer() == refused {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Refresh.ObtainTimeout)
	defer cancel()
	_, err = c.ObserveCredential().Wait(ctx, func(i CredentialInfo) bool {
		return i.Fingerprint != fingerprint(refused) || i.Refresh == refreshExhausted.String() || i.Refresh == refreshBackoff.String()
	})
	return err == nil && c.bearer() != refused
}

// replace takes a credential over that the live session does not know yet. The
// session still ends with the old one until the service has accepted it.
func (r *refresher) replace(t token, live bool) {
	if !live {
		r.accept(t, nil)
		return
	}
	r.cancel()
	r.due = time.Time{}
	old := r.token
	r.before = &old
	r.use(t)
}
