package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
)

// A provider is the program's credential provider, taken apart once.
type provider struct {
	authenticate func(context.Context, AuthContext) (Credential, error)
	refresh      func(context.Context, AuthContext) (Credential, error) // nil: it cannot
}

func newProvider(p CredentialProvider) provider {
	if p == nil {
		return provider{}
	}
	taken := provider{authenticate: p.Authenticate}
	if r, ok := p.(Refresher); ok {
		taken.refresh = r.Refresh
	}
	return taken
}

// askProvider asks the program for a credential, one thing at a time. A provider
// that ignores its context is not asked again before it has returned.
func (c *Client) askProvider(ctx context.Context, where string, ask func(context.Context, AuthContext) (Credential, error)) (Credential, error) {
	if err := c.asking.take(ctx); err != nil {
		return Credential{}, fmt.Errorf("%s did not answer: %w", where, err)
	}
	return program.Ask(ctx, where, func(ctx context.Context) (Credential, error) {
		defer c.asking.give()
		return ask(ctx, c.authContext())
	}, program.Forget[Credential])
}

func (c *Client) authContext() AuthContext {
	if c.key == nil {
		return AuthContext{}
	}
	return AuthContext{Fingerprint: c.key.Fingerprint()}
}

// signIn resolves the credential without connecting; what fails is reported.
func (c *Client) signIn(ctx context.Context) error {
	ctx, release, err := c.turn(ctx, "sign in")
	if err != nil {
		return err
	}
	defer release()
	if err = c.signedIn(ctx); err != nil {
		c.report(err)
	}
	return err
}

// signedIn makes sure that there is a key and a credential fit to connect with.
func (c *Client) signedIn(ctx context.Context) error {
	if err := c.prepareKey(ctx); err != nil {
		return err
	}
	var have token
	var suspended, lapsed bool
	err := c.ask(ctx, func() {
		r := &c.refresh
		have = r.token
		suspended = r.state == refreshSuspended || r.state == refreshExpired
		left := have.expiresAt.Sub(c.clock.now())
		lapsed = !have.expiresAt.IsZero() && left < c.opts.Refresh.lead(have.expiresAt.Sub(have.receivedAt))/4
		if lapsed && have.bound && !r.sat.expired(c.clock.now()) {
			have, lapsed = r.sat, false // it can be exchanged anew
			r.use(have)
		}
	})
	if err != nil || have.text != "" && !lapsed {
		return causeOf(ctx, err)
	}
	return c.resolve(context.WithValue(ctx, askingProvider{c}, true), suspended && have.text != "")
}

// resolve asks the provider, or without one the storage, for a credential.
func (c *Client) resolve(ctx context.Context, renewal bool) error {
	t, err := c.findCredential(ctx, renewal)
	if err != nil {
		return causeOf(ctx, err)
	}
	return c.ask(ctx, func() {
		c.bound = t.bound
		c.refresh.accept(t, nil)
	})
}

func (c *Client) findCredential(ctx context.Context, renewal bool) (token, error) {
	if c.provider.authenticate == nil {
		if t, ok := c.store.loadCredential(ctx, c.key, c.opts.AllowedDomains); ok {
			return t, nil
		}
		return token{}, &errs.InvalidCredentialsError{Reason: errs.CredentialNoProvider}
	}
	ask, where := c.provider.authenticate, "the provider's Authenticate"
	if renewal && c.provider.refresh != nil {
		ask, where = c.provider.refresh, "the provider's Refresh"
	}
	cred, err := c.askProvider(ctx, where, ask)
	if err != nil {
		return token{}, &errs.InvalidCredentialsError{Reason: errs.CredentialProviderFailed, OriginalError: err}
	}
	return c.accepted(cred)
}

// accepted turns a credential from outside into a token fit to connect with.
func (c *Client) accepted(cred Credential) (token, error) {
	if err := checkCredential(cred, c.clock.now(), c.opts.PersistSession, c.opts.AllowedDomains); err != nil {
		return token{}, err
	}
	if cred.Token == "" {
		return token{}, &errs.InvalidCredentialsError{Reason: errs.CredentialEmpty,
			OriginalError: errors.New("an authorization state needs a token beside it")}
	}
	if cred.AuthorizationState != "" {
		c.post(func() { c.given = cred.AuthorizationState })
	}
	return c.tokenOf(cred), nil
}

// prepareKey loads or makes the DPoP key, once. A store that fails costs the
// stored key, not the session.
func (c *Client) prepareKey(ctx context.Context) error {
	if c.key != nil || c.opts.DisableDPoP {
		return context.Cause(ctx)
	}
	if c.key = c.opts.DPoPKey; c.key != nil {
		return nil
	}
	if stored := c.store.loadKey(ctx); stored != nil {
		c.key = &DPoPKey{stored}
		return nil
	}
	key, err := GenerateDPoPKey()
	if err != nil {
		c.report(err)
		return nil
	}
	c.key = key
	c.store.saveKey(key.key)
	return nil
}
