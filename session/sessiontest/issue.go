package sessiontest

import "time"

// SATRequest says what [Server.IssueSAT] mints. The zero value asks for a plain token of the default
// lifetime for one and the same default subscriber.
type SATRequest struct {
	Reference     string        // the subscriber, created when unknown; "subscriber" when empty
	TTL           time.Duration // zero means Options.TokenTTL; negative mints an expired token
	Scope         string        // "sat:refresh" lets the client bind and refresh the token itself
	Fingerprint   string        // RFC 7638 thumbprint of the only key that may use the token
	ApplicationID string
	Email         string // profile fields are kept when empty
	DisplayName   string
	FirstName     string
	LastName      string
}

// IssueSAT mints a subscriber access token and its refresh token, as an application's backend does.
// A token with the sat:refresh scope and no Fingerprint lives one minute at most.
func (s *Server) IssueSAT(r SATRequest) Token {
	setDefault(&r.Reference, "subscriber")
	sub := s.registry.upsert(r.Reference, profile{
		Email: r.Email, DisplayName: r.DisplayName, FirstName: r.FirstName, LastName: r.LastName,
	})
	t := s.mintSAT(sub.ID, r)
	t.AddressID = sub.Address
	return t
}

func (s *Server) mintSAT(subscriberID string, r SATRequest) Token {
	ttl := r.TTL
	setDefault(&ttl, s.opts.TokenTTL)
	c := s.newClaims(KindSAT, subscriberID)
	c.ApplicationID = r.ApplicationID
	if r.Scope != "" {
		c.Scope = []string{r.Scope}
	}
	if r.Fingerprint != "" {
		c.Confirmation = &confirmation{Thumbprint: r.Fingerprint}
	} else if c.has(scopeRefresh) {
		ttl = min(ttl, unboundLifetime)
	}
	return s.mintPair(c, ttl)
}

// IssueGuest mints a guest token that reaches only the given addresses.
func (s *Server) IssueGuest(ttl time.Duration, addressIDs ...string) Token {
	return s.mintGuest(KindGuest, "", ttl, addressIDs, "")
}

func (s *Server) mintGuest(kind, reference string, ttl time.Duration, addressIDs []string, clusterHost string) Token {
	setDefault(&ttl, s.opts.TokenTTL)
	c := s.newClaims(kind, s.registry.guest(reference).ID)
	c.AllowedAddresses = addressIDs
	c.ClusterHost = clusterHost
	if kind == KindGuest {
		return s.mintPair(c, ttl)
	}
	return s.mint(c, ttl)
}

// IssueInvite mints an invite token to one address. It cannot be renewed.
func (s *Server) IssueInvite(ttl time.Duration, addressID string) Token {
	return s.mintGuest(KindInvite, "", ttl, []string{addressID}, "")
}

// Revoke makes the server refuse the token with that id from now on. Sessions that use it already
// live on until their deadline.
func (s *Server) Revoke(jti string) { s.tokens.revokeAt(jti, s.now()) }
