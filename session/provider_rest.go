package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

// embedTokenLife is assumed where the service does not say how long a token
// lives that an embed token was exchanged for.
const embedTokenLife = time.Hour

// EmbedTokenCredentials signs in with a public embed token ("c2c_..."), which it
// exchanges at host for a guest token, again and again. An empty host means
// embeds.signalwire.com. Guests can dial what the embed token allows and cannot
// register. client may be nil.
func EmbedTokenCredentials(host, embedToken string, client *http.Client) Refresher {
	api := rest.New(rest.Config{HTTP: client})
	return CredentialFunc(func(ctx context.Context, _ AuthContext) (Credential, error) {
		defer api.Close()
		reply, err := api.EmbedToken(ctx, host, embedToken)
		if err != nil {
			return Credential{}, err
		}
		c := Credential{Token: reply.Token, ExpiresAt: reply.ExpiresAt}
		if c.ExpiresAt.IsZero() {
			c.ExpiresAt = time.Now().Add(embedTokenLife)
		}
		return c, nil
	})
}

// projectTokenLife is the lifetime that ProjectCredentials asks for, and what a
// refreshed token gets from the service.
const projectTokenLife = 2 * time.Hour

// A Project lets a trusted server sign in as any subscriber of a SignalWire
// project. Keep it away from programs that strangers hold.
type Project struct {
	Space     string // address of the space: "example.signalwire.com"
	ProjectID string
	Token     string // API token with one of the scopes Voice, Messaging, Fax or Video
	// Reference names the subscriber; one that does not exist is created.
	Reference string
	// Lifetime of the first token. Zero: 2 hours.
	Lifetime time.Duration
	// ClientBound asks for a token bound to the client's DPoP key, which the
	// client then refreshes by itself.
	ClientBound bool
	// HTTPClient, if not nil, carries the requests.
	HTTPClient *http.Client
}

// String names the project and the subscriber, never the API token.
func (p Project) String() string {
	return fmt.Sprintf("project %s at %s for %s", p.ProjectID, p.Space, p.Reference)
}

// Format writes String, whatever the verb.
func (p Project) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, p.String()) }

// LogValue is String for slog.
func (p Project) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON writes String: a project in a dump is no access.
func (p Project) MarshalJSON() ([]byte, error) { return json.Marshal(p.String()) }

// ProjectCredentials mints SATs with a project's API token and refreshes them
// with the refresh token that comes along, or by minting anew. Neither the API
// token nor the refresh token is ever stored.
func ProjectCredentials(p Project) (Refresher, error) {
	for _, f := range []struct{ name, value string }{
		{"Project.Space", p.Space}, {"Project.ProjectID", p.ProjectID},
		{"Project.Token", p.Token}, {"Project.Reference", p.Reference},
	} {
		if f.value == "" {
			return nil, &errs.ConfigError{Field: f.name, Problem: "is empty"}
		}
	}
	if p.Lifetime < 0 {
		return nil, &errs.ConfigError{Field: "Project.Lifetime", Problem: "is negative"}
	}
	orElse(&p.Lifetime, projectTokenLife)
	return &projectProvider{project: p, api: rest.New(rest.Config{HTTP: p.HTTPClient})}, nil
}

type projectProvider struct {
	project Project
	api     *rest.Client

	mu      sync.Mutex
	refresh string // used up by the next refresh
}

// Format shows whose tokens the provider mints, whatever the verb.
func (p *projectProvider) Format(w fmt.State, verb rune) { p.project.Format(w, verb) }

func (p *projectProvider) account() rest.Project {
	return rest.Project{Space: p.project.Space, ID: p.project.ProjectID, Token: p.project.Token}
}

// Authenticate mints a SAT.
func (p *projectProvider) Authenticate(ctx context.Context, ac AuthContext) (Credential, error) {
	defer p.api.Close()
	expires := time.Now().Add(p.project.Lifetime).Truncate(time.Second)
	want := rest.SubscriberTokenRequest{Reference: p.project.Reference, ExpireAt: expires.Unix()}
	if p.project.ClientBound {
		want.Fingerprint, want.Scope = ac.Fingerprint, scopeRefresh
	}
	reply, err := p.api.SubscriberToken(ctx, p.account(), want)
	if err != nil {
		return Credential{}, permanentIfRefused(err)
	}
	return p.take(reply, expires), nil
}

// Refresh uses the refresh token, once, and falls back on minting.
func (p *projectProvider) Refresh(ctx context.Context, ac AuthContext) (Credential, error) {
	defer p.api.Close()
	p.mu.Lock()
	refresh := p.refresh
	p.refresh = ""
	p.mu.Unlock()
	if refresh == "" || p.project.ClientBound {
		return p.Authenticate(ctx, ac)
	}
	expires := time.Now().Add(projectTokenLife).Truncate(time.Second)
	reply, err := p.api.SubscriberTokenRefresh(ctx, p.account(), refresh)
	var h *errs.HTTPError
	if errors.As(err, &h) && !h.Retryable() {
		return p.Authenticate(ctx, ac)
	}
	if err != nil {
		return Credential{}, err
	}
	return p.take(reply, expires), nil
}

func (p *projectProvider) take(reply rest.TokenReply, expires time.Time) Credential {
	p.mu.Lock()
	p.refresh = reply.RefreshToken
	p.mu.Unlock()
	if reply.ExpiresAt.IsZero() {
		reply.ExpiresAt = expires
	}
	return Credential{Token: reply.Token, ExpiresAt: reply.ExpiresAt}
}

// permanentIfRefused: a project token that is refused will be refused again.
func permanentIfRefused(err error) error {
	var h *errs.HTTPError
	if errors.As(err, &h) && !h.Retryable() {
		return errors.Join(err, errs.ErrPermanent)
	}
	return err
}
