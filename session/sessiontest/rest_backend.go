package sessiontest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"
)

// tokenRequest is the body of POST /api/fabric/subscribers/tokens.
type tokenRequest struct {
	profile
	Reference     string          `json:"reference"`
	ExpireAt      *int64          `json:"expire_at"`
	ApplicationID string          `json:"application_id"`
	Fingerprint   *string         `json:"fingerprint"`
	Scope         json.RawMessage `json:"scope"`
}

// tokenPair is the answer of the endpoints that mint renewable tokens.
type tokenPair struct {
	SubscriberID string `json:"subscriber_id,omitempty"`
	Token        string `json:"token"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

func (s *Server) createSAT(r *request) response {
	var body tokenRequest
	if resp, ok := r.decode(&body); !ok {
		return resp
	}
	if body.Reference == "" {
		return invalid("reference", "missing_required_parameter", "reference is required")
	}
	ttl, resp, ok := s.lifetime("expire_at", body.ExpireAt)
	if !ok {
		return resp
	}
	scope, ok := readScope(body.Scope)
	if !ok {
		return invalid("scope", "invalid_parameter", "the only scope is sat:refresh")
	}
	want := SATRequest{Reference: body.Reference, TTL: ttl, Scope: scope, ApplicationID: body.ApplicationID}
	if body.Fingerprint != nil {
		if !thumbprintForm.MatchString(*body.Fingerprint) {
			return invalid("fingerprint", "invalid_parameter", "fingerprint must be 43 characters of base64url")
		}
		want.Fingerprint = *body.Fingerprint
	}
	sub := s.registry.upsert(body.Reference, body.profile)
	t := s.mintSAT(sub.ID, want)
	return answer(http.StatusOK, tokenPair{SubscriberID: sub.ID, Token: t.Token, RefreshToken: t.RefreshToken})
}

// mintingTakes is what may pass between reading an absolute expiry and minting. Expiries are rounded up
// to a full second, so without it that moment would cost a second.
const mintingTakes = 50 * time.Millisecond

// lifetime turns an absolute expiry into a duration; absent means the default.
func (s *Server) lifetime(attribute string, expireAt *int64) (time.Duration, response, bool) {
	if expireAt == nil {
		return 0, response{}, true
	}
	ttl := time.Unix(*expireAt, 0).Sub(s.now())
	if ttl <= 0 {
		return 0, invalid(attribute, "invalid_parameter", attribute+" must be in the future"), false
	}
	return max(ttl-mintingTakes, time.Nanosecond), response{}, true
}

// readScope accepts the scope as a string and as a list with one string.
func readScope(raw json.RawMessage) (string, bool) {
	var one string
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	if json.Unmarshal(raw, &one) != nil {
		var list []string
		if json.Unmarshal(raw, &list) != nil || len(list) > 1 {
			return "", false
		}
		if len(list) == 1 {
			one = list[0]
		}
	}
	return one, one == "" || one == scopeRefresh
}

// thumbprintForm is that of an RFC 7638 thumbprint with SHA-256.
var thumbprintForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// renewPair rotates a refresh token. It is single use; within the grace the same pair is given again.
func (s *Server) renewPair(r *request) response {
	var body struct {
		RefreshToken string `json:"refresh_token"`
	}
	if resp, ok := r.decode(&body); !ok {
		return resp
	}
	c, resp, ok := s.openRefreshToken(r, body.RefreshToken)
	if !ok {
		return resp
	}
	return s.rotations.once(c, s.now(), s.opts.RotationGrace, func() response {
		next := c
		next.Kind, next.Renews = c.Renews, ""
		t := s.mintPair(next, s.opts.TokenTTL)
		return answer(http.StatusCreated, tokenPair{Token: t.Token, RefreshToken: t.RefreshToken})
	})
}

func (s *Server) openRefreshToken(r *request, token string) (claims, response, bool) {
	refuse := func(code, message string) (claims, response, bool) {
		r.refuse = message
		return claims{}, invalid("refresh_token", code, message), false
	}
	c, err := s.sealer.open(token)
	switch {
	case err != nil:
		return refuse("token_invalid", "refresh token is not valid")
	case c.Kind != KindRefresh:
		return refuse("not_a_refresh_token", "token is not a refresh token")
	case s.tokens.revoked(c.JTI, c.Family, s.now()):
		return refuse("token_invalid", "refresh token is revoked")
	case s.rotations.usedUp(c.JTI, s.now(), s.opts.RotationGrace):
		if s.opts.StrictRotation {
			s.tokens.revokeFamily(c.Family, s.now())
		}
		return refuse("token_invalid", "refresh token was used before")
	case !s.now().Before(c.expiry().Add(s.opts.TokenLeeway)):
		return refuse("token_expired", "refresh token is expired")
	}
	return c, response{}, true
}
