package sessiontest

import (
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// The kinds of token the server mints, as [Match] and [Entry] name them.
const (
	KindSAT     = "sat"
	KindGuest   = "guest"
	KindInvite  = "invite"
	KindEmbed   = "embed"
	KindBound   = "bound"
	KindRefresh = "refresh"
)

const (
	scopeRefresh     = "sat:refresh"
	unboundLifetime  = time.Minute     // life of a sat:refresh SAT that names no key
	refreshExtraLife = 5 * time.Minute // a refresh token outlives its SAT by this
)

// claims is the sealed content of every token.
type claims struct {
	JTI              string        `json:"jti"`
	Kind             string        `json:"kind"`
	Subject          string        `json:"sub"`
	ProjectID        string        `json:"project_id"`
	SpaceID          string        `json:"space_id"`
	ApplicationID    string        `json:"application_id,omitempty"`
	IssuedAt         int64         `json:"iat"`
	ExpiresAt        int64         `json:"exp"`
	Scope            []string      `json:"scope,omitempty"`
	Confirmation     *confirmation `json:"cnf,omitempty"`
	AllowedAddresses []string      `json:"allowed_addresses,omitempty"`
	Family           string        `json:"family"`
	FamilyEnd        int64         `json:"family_end,omitempty"`
	Parent           string        `json:"parent,omitempty"` // jti of the token that a bound one replaces
	ClusterHost      string        `json:"ch,omitempty"`
	Renews           string        `json:"renews,omitempty"` // the kind that a refresh token brings
}

// confirmation names the key that the holder of a token must prove (RFC 7800 section 3.1).
type confirmation struct {
	Thumbprint string `json:"jkt"`
}

func (c claims) thumbprint() string {
	if c.Confirmation == nil {
		return ""
	}
	return c.Confirmation.Thumbprint
}

func (c claims) expiry() time.Time { return time.Unix(c.ExpiresAt, 0) }

func (c claims) has(scope string) bool { return slices.Contains(c.Scope, scope) }

// canRegister tells whether inbound calls can be delivered to the holder.
func (c claims) canRegister() bool { return c.Kind == KindSAT || c.Kind == KindBound }

// Token is a minted token. Printing or logging one shows no secret.
type Token struct {
	Token        string    // the bearer token itself
	RefreshToken string    // empty for kinds that cannot be renewed this way
	SubscriberID string    // whose token it is
	AddressID    string    // that subscriber's own address, empty for guests
	JTI          string    // its id, for [Server.Revoke]
	ExpiresAt    time.Time // full seconds, as the wire counts
}

// String returns the token's id and expiry.
func (t Token) String() string {
	return fmt.Sprintf("token %s until %s", t.JTI, t.ExpiresAt.UTC().Format(time.RFC3339))
}

// GoString returns the same as String.
func (t Token) GoString() string { return t.String() }

// LogValue implements [slog.LogValuer] with the token's id and expiry.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

func (s *Server) newClaims(kind, subscriberID string) claims {
	return claims{
		Kind: kind, Subject: subscriberID, ProjectID: s.opts.ProjectID, SpaceID: s.spaceID, Family: newUUID(),
	}
}

// mint seals c for ttl from now, counted up to the next full second.
func (s *Server) mint(c claims, ttl time.Duration) Token {
	return s.mintUntil(c, ceilSecond(s.now().Add(ttl)))
}

func (s *Server) mintUntil(c claims, expiry time.Time) Token {
	c.JTI = newUUID()
	c.IssuedAt = s.now().Unix()
	c.ExpiresAt = expiry.Unix()
	header := jweHeader{Type: "SAT", ClusterHost: s.clusterHost}
	if c.Kind == KindRefresh {
		header.Type = "Refresh"
	}
	if c.ClusterHost != "" {
		header.ClusterHost = c.ClusterHost
	}
	return Token{Token: s.sealer.seal(header, c), SubscriberID: c.Subject, JTI: c.JTI, ExpiresAt: c.expiry()}
}

// mintPair mints c and the refresh token that outlives it by five minutes.
func (s *Server) mintPair(c claims, ttl time.Duration) Token {
	t := s.mint(c, ttl)
	t.RefreshToken = s.mintRefresh(c, ttl).Token
	return t
}

func (s *Server) mintRefresh(c claims, ttl time.Duration) Token {
	r := c
	r.Kind = KindRefresh
	r.Renews = c.Kind
	return s.mint(r, ttl+refreshExtraLife)
}

// verifyToken opens a token and checks kind, expiry, revocation and subscriber.
func (s *Server) verifyToken(token string, kinds ...string) (claims, error) {
	c, err := s.verifyIgnoringExpiry(token, kinds...)
	if err == nil && !s.now().Before(c.expiry().Add(s.opts.TokenLeeway)) {
		return c, fmt.Errorf("token %s expired", c.JTI)
	}
	return c, err
}

func (s *Server) verifyIgnoringExpiry(token string, kinds ...string) (claims, error) {
	c, err := s.sealer.open(token)
	switch {
	case err != nil:
		return c, err
	case !slices.Contains(kinds, c.Kind):
		return c, fmt.Errorf("a %s token is not accepted here", c.Kind)
	case s.tokens.revoked(c.JTI, c.Family, s.now()):
		return c, fmt.Errorf("token %s is revoked", c.JTI)
	case s.registry.subscriber(c.Subject) == nil:
		return c, fmt.Errorf("subscriber %s does not exist", c.Subject)
	}
	return c, nil
}

func ceilSecond(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}
