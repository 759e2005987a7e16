package sessiontest

import (
	"net/http"
	"strings"
)

func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// bearer lets a request pass that presents a good token of one of the kinds.
func (s *Server) bearer(next endpoint, kinds ...string) endpoint {
	return func(r *request) response {
		c, err := s.verifyToken(r.bearer, kinds...)
		if err != nil {
			return r.unauthorized(err)
		}
		r.claims = c
		return next(r)
	}
}

// basic lets a request pass that presents the project's credentials.
func (s *Server) basic(next endpoint) endpoint {
	return func(r *request) response {
		id, token, ok := r.BasicAuth()
		idOK, tokenOK := equalSecret(id, s.opts.ProjectID), equalSecret(token, s.opts.ProjectToken)
		if !ok || !idOK || !tokenOK {
			r.refuse = "project credentials do not match"
			return failure(http.StatusUnauthorized)
		}
		return next(r)
	}
}
