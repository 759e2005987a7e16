package sessiontest

import "net/http"

// subscriberBody is the answer of GET /api/fabric/subscriber/info.
type subscriberBody struct {
	ID string `json:"id"`
	profile
	PushKey   string      `json:"push_notification_key"`
	App       appSettings `json:"app_settings"`
	Addresses []*address  `json:"fabric_addresses"`
	SATClaims *satClaims  `json:"sat_claims,omitempty"`
}

type appSettings struct {
	DisplayName string   `json:"display_name"`
	Scopes      []string `json:"scopes"`
}

// satClaims is what a client may see of the claims of its own token.
type satClaims struct {
	Scope        []string      `json:"scope,omitempty"`
	Confirmation *confirmation `json:"cnf,omitempty"`
	ExpiresAt    int64         `json:"expires_at"`
}

func (s *Server) subscriberInfo(r *request) response {
	sub := s.registry.subscriber(r.claims.Subject)
	body := subscriberBody{
		ID: sub.ID, profile: sub.Profile, PushKey: "pk-" + sub.ID,
		App: appSettings{DisplayName: "callrx", Scopes: []string{}}, Addresses: []*address{},
	}
	if a := s.registry.address(sub.Address); a != nil {
		body.Addresses = append(body.Addresses, a)
	}
	if len(r.claims.Scope) > 0 || r.claims.Confirmation != nil {
		body.SATClaims = &satClaims{
			Scope: r.claims.Scope, Confirmation: r.claims.Confirmation, ExpiresAt: r.claims.ExpiresAt,
		}
	}
	return answer(http.StatusOK, body)
}
