package session

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/redact"
)

// A Credential lets a subscriber sign in. It prints and logs as a fingerprint.
type Credential struct {
	// Token is a SAT (Subscriber Access Token).
	Token string
	// AuthorizationState resumes a session that an earlier process had, if the
	// client's Storage knows the session's name; it needs a Token beside it.
	AuthorizationState string
	// ExpiresAt is when Token expires. Zero means unknown: the client then
	// learns it from the service when it connects.
	ExpiresAt time.Time
}

// String shows a fingerprint of the token and the expiry, never the token.
func (c Credential) String() string {
	text := "no token"
	if c.Token != "" {
		text = redact.Fingerprint(c.Token)
	}
	if !c.ExpiresAt.IsZero() {
		text += " until " + c.ExpiresAt.Format(time.RFC3339)
	}
	return text
}

// Format writes String, whatever the verb.
func (c Credential) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, c.String()) }

// LogValue is String for slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON writes String: a credential in a dump is no credential.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// An AuthContext is what a provider may need to have a token minted.
type AuthContext struct {
	// Fingerprint is the thumbprint (RFC 7638) of this client's DPoP key. Pass
	// it on as "fingerprint", with the scope "sat:refresh", to get a token that
	// the client can refresh by itself. Empty when the client has no key.
	Fingerprint string
}

// A CredentialProvider brings the credential a client signs in with. It is
// asked one thing at a time, under a context that ends when the client no longer
// wants the answer. Under that context, while a connection waits for the answer,
// methods of the client that would wait for the connection return
// *errs.InvalidStateTransitionError.
type CredentialProvider interface {
	Authenticate(ctx context.Context, ac AuthContext) (Credential, error)
}

// A Refresher is a CredentialProvider that can also bring a fresh credential
// shortly before the old one expires. An error that wraps errs.ErrPermanent
// means that asking again is pointless.
type Refresher interface {
	CredentialProvider
	Refresh(ctx context.Context, ac AuthContext) (Credential, error)
}

// StaticCredentials always answers with c. It cannot refresh: hand the client
// a fresh token with UpdateCredential, or let the session end at expiry.
func StaticCredentials(c Credential) CredentialProvider {
	return static(func() Credential { return c })
}

// static is a function, so that printing the provider does not show the token.
type static func() Credential

func (s static) Authenticate(context.Context, AuthContext) (Credential, error) { return s(), nil }

// CredentialFunc makes a provider of a function that is asked both to sign in
// and to refresh.
type CredentialFunc func(ctx context.Context, ac AuthContext) (Credential, error)

// Authenticate calls f.
func (f CredentialFunc) Authenticate(ctx context.Context, ac AuthContext) (Credential, error) {
	return f(ctx, ac)
}

// Refresh calls f.
func (f CredentialFunc) Refresh(ctx context.Context, ac AuthContext) (Credential, error) {
	return f(ctx, ac)
}

// checkCredential is what every credential must pass, wherever it came from.
// An expired token passes if resumable, since it may still resume a session.
func checkCredential(c Credential, now time.Time, resumable bool, allowed []string) error {
	invalid := func(r errs.CredentialReason, err error) error {
		return &errs.InvalidCredentialsError{Reason: r, OriginalError: err}
	}
	switch {
	case c == Credential{}:
		return invalid(errs.CredentialNone, nil)
	case c.Token == "" && c.AuthorizationState == "":
		return invalid(errs.CredentialEmpty, nil)
	}
	if c.Token != "" {
		if _, err := tokenHosts(c.Token, allowed); err != nil {
			return err
		}
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(now) && !resumable {
		return invalid(errs.CredentialExpired, fmt.Errorf("the token expired at %s", c.ExpiresAt.Format(time.RFC3339)))
	}
	return nil
}
