package sessiontest

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"time"
)

const maxAllowedAddresses = 10

func (s *Server) createGuest(r *request) response {
	var body struct {
		AllowedAddresses []string `json:"allowed_addresses"`
		ExpireAt         *int64   `json:"expire_at"`
		ClusterHost      string   `json:"ch"`
	}
	if resp, ok := r.decode(&body); !ok {
		return resp
	}
	const name = "allowed_addresses"
	switch n := len(body.AllowedAddresses); {
	case n == 0:
		return invalid(name, "missing_required_parameter", "allowed_addresses is required")
	case n > maxAllowedAddresses:
		return invalid(name, "allowed_address_limit_exceeded", "at most 10 addresses are allowed")
	case slices.ContainsFunc(body.AllowedAddresses, func(id string) bool { return s.registry.address(id) == nil }):
		return invalid(name, "must_belong_to_project", "an address does not belong to the project")
	case body.ClusterHost != "" && !clusterHostForm.MatchString(body.ClusterHost):
		return invalid("ch", "invalid_parameter", "ch is no host name")
	}
	ttl, resp, ok := s.lifetime("expire_at", body.ExpireAt)
	if !ok {
		return resp
	}
	t := s.mintGuest(KindGuest, "", ttl, body.AllowedAddresses, body.ClusterHost)
	return answer(http.StatusCreated, tokenPair{Token: t.Token, RefreshToken: t.RefreshToken})
}

// clusterHostForm is labels of letters, digits and hyphens, and a port.
var clusterHostForm = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?$`)

// createInvite mints an invite token to an address of the caller.
func (s *Server) createInvite(r *request) response {
	var body struct {
		AddressID string `json:"address_id"`
		ExpiresAt *int64 `json:"expires_at"`
	}
	if resp, ok := r.decode(&body); !ok {
		return resp
	}
	a := s.registry.address(body.AddressID)
	if a == nil || a.ResourceID != r.claims.Subject {
		return invalid("address_id", "invalid_parameter", "address_id is not an address of the caller")
	}
	ttl, resp, ok := s.lifetime("expires_at", body.ExpiresAt)
	if !ok {
		return resp
	}
	return answer(http.StatusCreated, tokenPair{Token: s.IssueInvite(ttl, a.ID).Token})
}

// AddEmbed registers a click-to-call token ("c2c_…" or "c2t_…") for a public address of its own and
// returns the id of that address.
func (s *Server) AddEmbed(embedToken string) string { return s.registry.addEmbed(embedToken) }

// embedLifetime is how long a token from an embed exchange lives; clients assume an hour.
const embedLifetime = time.Hour

// exchangeEmbed turns a registered embed token into a guest token. Anybody may ask.
func (s *Server) exchangeEmbed(r *request) response {
	var body struct {
		Token string `json:"token"`
	}
	if resp, ok := r.decode(&body); !ok {
		return resp
	}
	addressID, ok := s.registry.embed(body.Token)
	if !ok {
		return r.unauthorized(errors.New("embed token is not registered"))
	}
	t := s.mintGuest(KindEmbed, "embed "+redact(body.Token), embedLifetime, []string{addressID}, "")
	return answer(http.StatusCreated, tokenPair{Token: t.Token})
}
