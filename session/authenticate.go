package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// resume is what lets a session go on over another connection.
type resume struct {
	state    string // the service's opaque authorization state
	protocol string // the session's name
}

func (r resume) usable() bool { return r.state != "" && r.protocol != "" }

// An entry is how one connection is going to be authenticated.
type entry struct {
	token  token
	resume resume // used if usable
	proof  bool   // send a proof of our key
}

// authenticate opens or resumes the session on a fresh connection. It runs on
// the relay's goroutine and ends with that connection.
func (c *Client) authenticate(ctx context.Context, l *life, link *relay.Link) error {
	var e entry
	var dead bool
	if !c.confirmCalls(ctx) { // whoever has them now resumes the session, too
		_ = c.ask(ctx, func() { c.resume = resume{} })
	}
	c.confirmSession(ctx)
	err := c.ask(ctx, func() {
		dead = c.session != l
		e = entry{token: c.refresh.token, resume: c.resume}
		e.proof = c.key != nil && (!e.resume.usable() || c.bound)
	})
	if err != nil {
		return err
	}
	if dead {
		return relay.Fatal(errs.ErrDisconnected)
	}
	if !e.resume.usable() && e.token.expired(c.clock.now()) {
		return c.replaceRefused(ctx, l, e, errors.New("the token has expired"))
	}
	params := wire.NewConnectParams(e.token.text, c.agent())
	if e.resume.usable() {
		params.AuthorizationState, params.Protocol = e.resume.state, e.resume.protocol
	}
	if e.proof {
		if params.DPoPToken, err = c.key.key.RPCProof(wire.MethodConnect, c.clock.now()); err != nil {
			return &errs.DPoPInitError{OriginalError: err}
		}
	}
	ctx, end := c.trace(c.entering.in(ctx), Operation{Name: OperationRPC, Method: wire.MethodConnect})
	raw, err := link.Call(ctx, wire.MethodConnect, params)
	end(err)
	if err != nil {
		return c.connectRefused(ctx, l, e, err)
	}
	return c.welcome(ctx, l, e, raw)
}

// welcome takes in the service's answer to a successful connect.
func (c *Client) welcome(ctx context.Context, l *life, e entry, raw wire.Raw) error {
	var result wire.ConnectResult
	if err := json.Unmarshal([]byte(raw), &result); err != nil {
		return &errs.UnexpectedError{At: wire.MethodConnect, OriginalError: err}
	}
	if result.Identity == "" || result.Protocol == "" || result.Authorization.FabricSubscriber == nil {
		return &errs.UnexpectedError{At: wire.MethodConnect, OriginalError: errors.New("the answer lacks identity, protocol or subscriber")}
	}
	servers := make([]media.ICEServer, len(result.ICEServers))
	for i, s := range result.ICEServers {
		servers[i] = media.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential}
	}
	c.offers(servers)
	name := fingerprint(result.Protocol)
	c.sessionName.Store(&name)
	l.relay.SetProtocol(result.Protocol)
	l.renewed, l.refusals = false, 0
	return c.ask(ctx, func() {
		if c.session != l {
			return
		}
		c.bound = c.bound || e.token.bound
		c.projectID = result.Authorization.ProjectID
		if c.name != "" && c.name != result.Protocol { // the calls were the old session's
			c.attachCalls()
		}
		c.name = result.Protocol
		c.setProtocol(result.Protocol)
		c.refresh.connected(e.token, expiryIn(result))
	})
}

func expiryIn(r wire.ConnectResult) time.Time {
	if s := r.Authorization.FabricSubscriber; s != nil && s.ExpiresAt > 0 {
		return time.Unix(s.ExpiresAt, 0)
	}
	return time.Time{}
}

// connectRefused: resume state that is refused is dropped and the session
// opened afresh; a token that is refused is replaced once, then that is final;
// anything else is tried again.
func (c *Client) connectRefused(ctx context.Context, l *life, e entry, err error) error {
	switch {
	case !rejected(err):
		return err
	case e.resume.usable():
		c.log.Info("session could not be resumed, opening a new one", "error", err)
		_ = c.ask(ctx, c.forgetResume)
		return relay.Again(err)
	}
	return c.replaceRefused(ctx, l, e, err)
}

// replaceRefused gets another token for one that is no longer accepted, once
// for each.
func (c *Client) replaceRefused(ctx context.Context, l *life, e entry, cause error) error {
	refused := &errs.InvalidCredentialsError{Reason: errs.CredentialRejected, OriginalError: cause}
	if e.token.expired(c.clock.now()) {
		refused.Reason = errs.CredentialExpired
	}
	final := relay.Fatal(refused)
	if !l.passed.Load() || l.renewed || c.provider.authenticate == nil {
		return final
	}
	if err := c.resolve(context.WithValue(ctx, askingProvider{c}, true), true); err != nil {
		return c.unreplaced(l, err)
	}
	l.renewed = true
	if c.bearer() == e.token.text {
		return final
	}
	return relay.Again(cause)
}

// unreplaced: the provider has no other token. That is tried again, not for ever
// and not at all when it cannot help.
func (c *Client) unreplaced(l *life, err error) error {
	var useless *errs.InvalidCredentialsError
	now := c.clock.now()
	if l.refusals++; l.refusals == 1 {
		l.refusedAt = now
	}
	last := l.refusals >= c.opts.Refresh.MaxAttempts && now.Sub(l.refusedAt) >= rescueTime
	hopeless := errors.As(err, &useless) && useless.Reason != errs.CredentialProviderFailed
	if hopeless || errors.Is(err, errs.ErrPermanent) || last {
		return relay.Fatal(err)
	}
	return err
}

// applied is what the service says of a token it was told about.
type applied struct{ expiresAt time.Time }

// reauthenticate opens the live session to t. The proof is made when there is a
// connection to send it on.
func (c *Client) reauthenticate(ctx context.Context, t token) (applied, error) {
	if err := c.awaitOnline(ctx, wire.MethodReauthenticate); err != nil {
		return applied{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Refresh.ApplyTimeout)
	defer cancel()
	params := wire.ReauthenticateParams{Authentication: wire.Authentication{JWTToken: t.text}}
	if err := c.ask(ctx, func() { params.Authentication.Project = c.projectID }); err != nil {
		return applied{}, err
	}
	if c.key != nil {
		proof, err := c.key.key.RPCProof(wire.MethodReauthenticate, c.clock.now())
		if err != nil {
			return applied{}, &errs.DPoPInitError{OriginalError: err}
		}
		params.DPoPToken = proof
	}
	raw, err := c.call(ctx, wire.MethodReauthenticate, params)
	if err != nil {
		return applied{}, err
	}
	if t.bound {
		c.post(func() { c.bound = true })
	}
	var result wire.ConnectResult
	_ = json.Unmarshal([]byte(raw), &result) // its shape is not promised
	return applied{expiresAt: expiryIn(result)}, nil
}

// setResumeState, setProtocol and forgetResume keep what was stored in step.

func (c *Client) setResumeState(state string) {
	c.resume.state = state
	c.saveResume()
}

func (c *Client) setProtocol(name string) {
	c.resume.protocol = name
	c.saveResume()
}

func (c *Client) forgetResume() {
	c.resume = resume{}
	if !c.custody.elsewhere {
		c.store.forgetResume(c.streams.user.Get())
	}
}

// saveResume leaves alone what is another process's.
func (c *Client) saveResume() {
	if !c.custody.elsewhere {
		c.store.saveResume(c.streams.user.Get(), c.resume)
	}
}
