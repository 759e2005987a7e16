package sessiontest

import (
	"errors"
	"net/http"
	"time"
)

// deviceRequest is the body of both device endpoints.
type deviceRequest struct {
	Proof    string `json:"dpop_token"`
	ExpireIn any    `json:"expire_in"`
}

// deviceToken is the answer of both.
type deviceToken struct {
	Token     string `json:"token"`
	ExpiresAt int64  `json:"expires_at"`
	ExpiresIn int64  `json:"expires_in"`
}

// bindToken exchanges a SAT for a token bound to the caller's key. It lives no longer than the SAT.
func (s *Server) bindToken(r *request) response {
	life, key, resp, ok := s.admitDevice(r, false)
	if !ok {
		return resp
	}
	c := r.claims
	switch {
	case c.thumbprint() != "" && !equalSecret(c.thumbprint(), key):
		return r.unauthorized(errors.New("V9: token is bound to another key"))
	case c.thumbprint() == "" && !s.tokens.bind(c, key, s.now()):
		return r.unauthorized(errors.New("V10: token was bound to another key before"))
	}
	expiry := ceilSecond(s.now().Add(life))
	if parent := c.expiry(); parent.Before(expiry) {
		expiry = parent
	}
	return s.issueBound(r, key, expiry)
}

// refreshBoundToken replaces a bound token by one whose life does not depend on it. Within the rotation
// grace the same successor is given again, so that a lost answer makes no second branch.
func (s *Server) refreshBoundToken(r *request) response {
	life, key, resp, ok := s.admitDevice(r, true)
	if !ok {
		return resp
	}
	c := r.claims
	if c.Kind != KindBound {
		return r.unauthorized(errors.New("V11: only a bound token can be refreshed"))
	}
	if !equalSecret(c.thumbprint(), key) {
		return r.unauthorized(errors.New("V9: token is bound to another key"))
	}
	return s.rotations.once(c, s.now(), s.opts.RotationGrace, func() response {
		s.retire(c)
		return s.issueBound(r, key, ceilSecond(s.now().Add(life)))
	})
}

// admitDevice checks what both endpoints ask for and returns the granted lifetime and the proven key.
func (s *Server) admitDevice(r *request, needATH bool) (life time.Duration, key string, resp response, ok bool) {
	var body deviceRequest
	if resp, ok := r.decode(&body); !ok {
		return 0, "", resp, false
	}
	if !r.claims.has(scopeRefresh) {
		r.refuse = "token has no sat:refresh scope"
		return 0, "", failure(http.StatusForbidden), false
	}
	if body.Proof == "" {
		return 0, "", invalid("dpop_token", "missing_required_parameter", "dpop_token is required"), false
	}
	seconds, isNumber := body.ExpireIn.(float64)
	if !isNumber || seconds < 1 || seconds != float64(int64(seconds)) {
		return 0, "", invalid("expire_in", "invalid_parameter", "expire_in must be a positive integer"), false
	}
	proof, held, err := s.verifyProof(body.Proof, proofUse{
		htm: r.Method, htu: r.URL.Path, bearer: r.bearer, needATH: needATH,
	})
	r.proof = held
	if err != nil {
		return 0, "", r.unauthorized(err), false
	}
	return s.boundLife(seconds), proof.Thumbprint, response{}, true
}

func (s *Server) boundLife(seconds float64) time.Duration {
	if limit := s.opts.MaxBoundLifetime; seconds > limit.Seconds() {
		return limit
	}
	return time.Duration(seconds) * time.Second
}

func (s *Server) issueBound(r *request, key string, expiry time.Time) response {
	c := r.claims
	if limit := s.opts.MaxFamilyLifetime; limit > 0 {
		if c.FamilyEnd == 0 {
			c.FamilyEnd = c.IssuedAt + int64(limit.Seconds())
		}
		if end := time.Unix(c.FamilyEnd, 0); end.Before(expiry) {
			expiry = end
		}
	}
	if !s.now().Before(expiry) {
		return r.unauthorized(errors.New("token family has reached its end"))
	}
	c.Kind, c.Parent = KindBound, r.claims.JTI
	c.Confirmation = &confirmation{Thumbprint: key}
	t := s.mintUntil(c, expiry)
	return answer(http.StatusOK, deviceToken{
		Token: t.Token, ExpiresAt: t.ExpiresAt.Unix(), ExpiresIn: int64(expiry.Sub(s.now()) / time.Second),
	})
}
