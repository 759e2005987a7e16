package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

// scopeRefresh lets the client refresh its token by itself.
const scopeRefresh = "sat:refresh"

// A User is what the service knows of the signed-in subscriber: a snapshot that
// never changes.
type User struct {
	ID, Email                        string
	FirstName, LastName, DisplayName string
	JobTitle, CompanyName            string
	Country, Region                  string
	TimeZone                         string // a name or an offset, as the service has it
	PushNotificationKey              string
	AppSettings                      *AppSettings
	Addresses                        []AddressRecord
	SATClaims                        *SATClaims // nil for a plain SAT
}

// AppSettings are what the application behind a token may do.
type AppSettings struct {
	DisplayName string
	Scopes      []string
}

// SATClaims is what the service tells of the token that was presented.
type SATClaims struct {
	Scope         []string
	KeyThumbprint string    // of the DPoP key the token is bound to
	ExpiresAt     time.Time // zero: not told
}

// canRefresh reports whether the token has the scope to refresh itself.
func (u *User) canRefresh() bool {
	if u == nil || u.SATClaims == nil {
		return false
	}
	for _, s := range u.SATClaims.Scope {
		if s == scopeRefresh {
			return true
		}
	}
	return false
}

// fetchUser asks who the current token belongs to.
func (c *Client) fetchUser(ctx context.Context) (*User, error) {
	ctx, cancel := context.WithTimeout(ctx, infoTimeout)
	defer cancel()
	s, err := c.api.SubscriberInfo(ctx)
	var h *errs.HTTPError
	switch {
	case errors.As(err, &h) && (h.Status == 401 || h.Status == 403):
		return nil, &errs.InvalidCredentialsError{Reason: errs.CredentialRejected, OriginalError: err}
	case err != nil:
		return nil, &errs.UnexpectedError{At: "subscriber info", OriginalError: err}
	}
	return newUser(s), nil
}

func newUser(s rest.Subscriber) *User {
	u := &User{
		ID: s.ID, Email: s.Email,
		FirstName: s.FirstName, LastName: s.LastName, DisplayName: s.DisplayName,
		JobTitle: s.JobTitle, CompanyName: s.CompanyName,
		Country: s.Country, Region: s.Region, TimeZone: s.TimeZone,
		PushNotificationKey: s.PushNotificationKey,
	}
	if a := s.AppSettings; a != nil {
		u.AppSettings = &AppSettings{DisplayName: a.DisplayName, Scopes: a.Scopes}
	}
	for _, a := range s.Addresses {
		u.Addresses = append(u.Addresses, newAddressRecord(a))
	}
	if k := s.Claims; k != nil {
		u.SATClaims = &SATClaims{Scope: k.Scope, KeyThumbprint: k.Thumbprint, ExpiresAt: k.ExpiresAt}
	}
	return u
}
