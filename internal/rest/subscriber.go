package rest

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Subscriber is the account behind a token, as the API describes it. Fields that
// the API leaves out are zero.
type Subscriber struct {
	ID                  string
	Email               string
	FirstName           string
	LastName            string
	DisplayName         string
	JobTitle            string
	TimeZone            string // a name, or a number as the API wrote it
	Country             string
	Region              string
	CompanyName         string
	PushNotificationKey string
	AppSettings         *AppSettings // nil without
	Addresses           []Address
	Claims              *Claims // nil for a token without special abilities
}

// AppSettings are the permissions of the application a token was issued for.
type AppSettings struct {
	DisplayName string   `json:"display_name"`
	Scopes      []string `json:"scopes"`
}

// Address is a place that can be dialled.
type Address struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	DisplayName string            `json:"display_name"`
	ResourceID  string            `json:"resource_id"`
	Type        string            `json:"type"`     // app, room, call, subscriber, or newer
	Channels    map[string]string `json:"channels"` // by audio, video, messaging
	CoverURL    string            `json:"cover_url"`
	PreviewURL  string            `json:"preview_url"`
	Locked      bool              `json:"locked"`
	CreatedAt   string            `json:"created_at"` // ISO 8601
}

// Claims are what the API tells about the token itself.
type Claims struct {
	Scope      []string
	Thumbprint string    // of the key the token is bound to, empty when it is not
	ExpiresAt  time.Time // zero when the API does not say
}

// HasScope reports whether the token has a scope, such as sat:refresh. A nil
// receiver has none.
func (c *Claims) HasScope(scope string) bool {
	return c != nil && slices.Contains(c.Scope, scope)
}

// subscriberWire is the answer of the subscriber info endpoint.
type subscriberWire struct {
	ID                  text         `json:"id"`
	Email               text         `json:"email"`
	FirstName           text         `json:"first_name"`
	LastName            text         `json:"last_name"`
	DisplayName         text         `json:"display_name"`
	JobTitle            text         `json:"job_title"`
	TimeZone            text         `json:"time_zone"`
	Country             text         `json:"country"`
	Region              text         `json:"region"`
	CompanyName         text         `json:"company_name"`
	PushNotificationKey text         `json:"push_notification_key"`
	AppSettings         *AppSettings `json:"app_settings"`
	Addresses           []Address    `json:"fabric_addresses"`
	Claims              *struct {
		Scope     scopes  `json:"scope"`
		ExpiresAt seconds `json:"expires_at"`
		Confirm   struct {
			Thumbprint text `json:"jkt"`
		} `json:"cnf"`
	} `json:"sat_claims"`
}

// scopes takes a list of strings, or one string.
type scopes []string

func (s *scopes) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		*s = scopes{one}
		return nil
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		*s = list
	}
	return nil
}

// SubscriberInfo returns the account behind the session's token. It is sent
// three times at most, thirty seconds each.
func (c *Client) SubscriberInfo(ctx context.Context) (Subscriber, error) {
	r, err := c.get("fetch subscriber info", "/api/fabric/subscriber/info")
	if err != nil {
		return Subscriber{}, err
	}
	result, err := c.do(ctx, r)
	if err != nil {
		return Subscriber{}, err
	}
	var wire subscriberWire
	if err := result.decode(&wire); err != nil {
		return Subscriber{}, err
	}
	if wire.ID == "" {
		return Subscriber{}, result.unusable("id missing", nil)
	}
	return wire.subscriber(), nil
}

func (w *subscriberWire) subscriber() Subscriber {
	s := Subscriber{
		ID:                  string(w.ID),
		Email:               string(w.Email),
		FirstName:           string(w.FirstName),
		LastName:            string(w.LastName),
		DisplayName:         string(w.DisplayName),
		JobTitle:            string(w.JobTitle),
		TimeZone:            string(w.TimeZone),
		Country:             string(w.Country),
		Region:              string(w.Region),
		CompanyName:         string(w.CompanyName),
		PushNotificationKey: string(w.PushNotificationKey),
		AppSettings:         w.AppSettings,
		Addresses:           w.Addresses,
	}
	if w.Claims != nil {
		s.Claims = &Claims{
			Scope:      w.Claims.Scope,
			Thumbprint: string(w.Claims.Confirm.Thumbprint),
			ExpiresAt:  expiry(w.Claims.ExpiresAt, seconds{}, time.Time{}),
		}
	}
	return s
}
