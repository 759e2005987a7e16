package rest

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/redact"
)

// Project is the right to issue tokens for any subscriber. It belongs on servers
// only. It prints and logs without its token.
type Project struct {
	Space string // base address or host of the space, such as example.signalwire.com
	ID    string
	Token string // API token
}

// String shows the project with a fingerprint in place of the token.
func (p Project) String() string {
	return fmt.Sprintf("Project(space=%s id=%s token=%s)", p.Space, p.ID, redact.Fingerprint(p.Token))
}

// Format shows the project as String does, whatever the verb.
func (p Project) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, p.String()) }

// LogValue shows the project with a fingerprint in place of the token.
func (p Project) LogValue() slog.Value { return slog.StringValue(p.String()) }

// SubscriberTokenRequest says whose SAT to issue, and for how long. Only
// Reference is required; an empty field keeps what the server has.
type SubscriberTokenRequest struct {
	Reference     string `json:"reference"` // the subscriber's name elsewhere; created when unknown
	Password      string `json:"password,omitempty"`
	ExpireAt      int64  `json:"expire_at,omitempty"` // seconds since 1970, 0 means two hours from now
	ApplicationID string `json:"application_id,omitempty"`
	Fingerprint   string `json:"fingerprint,omitempty"` // thumbprint of the key to bind to
	Scope         string `json:"scope,omitempty"`       // sat:refresh, or empty
	FirstName     string `json:"first_name,omitempty"`
	LastName      string `json:"last_name,omitempty"`
	DisplayName   string `json:"display_name,omitempty"`
	JobTitle      string `json:"job_title,omitempty"`
	TimeZone      string `json:"time_zone,omitempty"`
	Country       string `json:"country,omitempty"`
	Region        string `json:"region,omitempty"` // cluster to route to
	CompanyName   string `json:"company_name,omitempty"`
}

// String names the subscriber and leaves the password out.
func (r SubscriberTokenRequest) String() string {
	return fmt.Sprintf("SubscriberTokenRequest(reference=%s)", r.Reference)
}

// Format shows the request as String does, whatever the verb.
func (r SubscriberTokenRequest) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, r.String()) }

// LogValue names the subscriber and leaves the password out.
func (r SubscriberTokenRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// SubscriberToken issues a SAT with the project's credentials. It is sent once,
// for ten seconds at most.
func (c *Client) SubscriberToken(ctx context.Context, p Project, want SubscriberTokenRequest) (TokenReply, error) {
	return c.project(ctx, "issue subscriber token", "/api/fabric/subscribers/tokens", p, want, want.Password)
}

// SubscriberTokenRefresh exchanges a refresh token for a new SAT and a new
// refresh token; the old one is used up. It is sent once, for ten seconds at
// most.
func (c *Client) SubscriberTokenRefresh(ctx context.Context, p Project, refreshToken string) (TokenReply, error) {
	body := struct {
		RefreshToken string `json:"refresh_token"`
	}{refreshToken}
	return c.project(ctx, "refresh subscriber token", "/api/fabric/subscribers/tokens/refresh", p, body, refreshToken)
}

func (c *Client) project(ctx context.Context, operation, path string, p Project, body any, secret string) (TokenReply, error) {
	base, err := baseURL("space", p.Space)
	if err != nil {
		return TokenReply{}, err
	}
	if p.ID == "" || p.Token == "" {
		return TokenReply{}, &errs.DependencyError{Description: "project id and token to " + operation}
	}
	r, err := post(operation, base, path, basic(p.ID, p.Token), body, p.Token, secret)
	if err != nil {
		return TokenReply{}, err
	}
	return c.issue(ctx, r)
}
