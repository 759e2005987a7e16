package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

// progress makes sure that a refreshed token is worth having.
func progress(fresh, old token, now time.Time) error {
	if fresh.expiresAt.IsZero() {
		return nil
	}
	soon := !fresh.expiresAt.After(now.Add(noProgressTolerance))
	if soon || !old.expiresAt.IsZero() && !fresh.expiresAt.After(old.expiresAt) {
		err := fmt.Errorf("the new token expires at %s, the old one at %s",
			fresh.expiresAt.Format(time.RFC3339), old.expiresAt.Format(time.RFC3339))
		return &errs.InvalidCredentialsError{Reason: errs.CredentialStale, OriginalError: err}
	}
	return nil
}

// refreshByProvider asks the program for a fresh credential.
func (c *Client) refreshByProvider(ctx context.Context) (token, error) {
	if c.provider.refresh == nil {
		return token{}, &errs.InvalidCredentialsError{Reason: errs.CredentialRefreshUnsupported}
	}
	cred, err := c.askProvider(ctx, "the provider's Refresh", c.provider.refresh)
	if err != nil {
		return token{}, err
	}
	if err := checkCredential(cred, c.clock.now(), false, c.opts.AllowedDomains); err != nil {
		return token{}, err
	}
	if cred.Token == "" {
		return token{}, &errs.InvalidCredentialsError{Reason: errs.CredentialEmpty}
	}
	return c.tokenOf(cred), nil
}

// tokenOf is the token of a credential that passed checkCredential.
func (c *Client) tokenOf(cred Credential) token {
	h, _ := tokenHosts(cred.Token, nil)
	if now := c.hosts.Load(); now != nil && *now != h && c.Connected() {
		c.log.Warn("the new token names another cluster; it is used from the next Connect on", "api", h.api)
	}
	return token{text: cred.Token, receivedAt: c.clock.now(), expiresAt: cred.ExpiresAt, hosts: h}
}

// refreshBound asks the service for a fresh bound token, proving that the old
// one is ours.
func (c *Client) refreshBound(ctx context.Context, old token) (token, error) {
	life := boundTTL
	if !old.expiresAt.IsZero() {
		life = max(time.Second, old.expiresAt.Sub(old.receivedAt).Round(time.Second))
	}
	return c.proving(func() (token, error) {
		proof, err := c.key.key.HTTPProof("POST", rest.DeviceRefreshPath, old.text, c.clock.now())
		if err != nil {
			return token{}, &errs.DPoPInitError{OriginalError: err}
		}
		reply, err := c.api.DeviceRefresh(ctx, old.text, proof, life)
		return c.boundToken(reply, life, old.hosts), err
	})
}

// proving repeats a request once if it failed because our clock was wrong: the
// answer's Date header has set it right by then.
func (c *Client) proving(request func() (token, error)) (token, error) {
	before := c.clock.skew()
	t, err := request()
	var h *errs.HTTPError
	if errors.As(err, &h) && h.Status == 401 && c.clock.skew() != before {
		return request()
	}
	return t, err
}

// setClock goes by the service's clock when ours is far off: proofs and expiries
// are measured by it.
func (c *Client) setClock(service time.Time) {
	if c.clock.correct(service) {
		c.log.Warn("local clock is wrong, using the service's", "offset", c.clock.skew())
	}
}
