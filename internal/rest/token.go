package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/callrx/callrx/internal/redact"
)

// TokenReply is what a token endpoint issued. It prints, logs and marshals
// without its secrets.
type TokenReply struct {
	Token        string
	RefreshToken string    // empty where the endpoint issues none
	SubscriberID string    // empty where the endpoint does not say
	ExpiresAt    time.Time // fixed when the reply arrived, zero when the reply does not say
}

// String shows the reply with fingerprints in place of the tokens.
func (t TokenReply) String() string {
	return fmt.Sprintf("TokenReply(token=%s refresh_token=%s subscriber_id=%s expires_at=%s)",
		redact.Fingerprint(t.Token), redact.Fingerprint(t.RefreshToken), t.SubscriberID, t.ExpiresAt.Format(time.RFC3339))
}

// Format shows the reply as String does, whatever the verb.
func (t TokenReply) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, t.String()) }

// LogValue shows the reply with fingerprints in place of the tokens.
func (t TokenReply) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON shows the reply with fingerprints in place of the tokens.
func (t TokenReply) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// Paths of the endpoints that issue tokens bound to a key, which a DPoP proof
// names.
const (
	DeviceTokenPath   = "/api/fabric/subscriber/devices/token"
	DeviceRefreshPath = "/api/fabric/subscriber/devices/refresh"
)

// DeviceToken exchanges a SAT for one bound to the key that signed the proof.
// The proof is for POST and [DeviceTokenPath]; the server may shorten the life
// asked for. It is sent once, for ten seconds at most.
func (c *Client) DeviceToken(ctx context.Context, sat, proof string, expireIn time.Duration) (TokenReply, error) {
	return c.device(ctx, "obtain client bound token", DeviceTokenPath, sat, proof, expireIn)
}

// DeviceRefresh exchanges a token bound to a key for a later one. The proof is
// for POST, [DeviceRefreshPath] and the bound token. It is sent once, for ten
// seconds at most.
func (c *Client) DeviceRefresh(ctx context.Context, bound, proof string, expireIn time.Duration) (TokenReply, error) {
	return c.device(ctx, "refresh client bound token", DeviceRefreshPath, bound, proof, expireIn)
}

func (c *Client) device(ctx context.Context, operation, path, token, proof string, expireIn time.Duration) (TokenReply, error) {
	base, err := c.apiBase()
	if err != nil {
		return TokenReply{}, err
	}
	body := struct {
		Proof    string `json:"dpop_token"`
		ExpireIn int64  `json:"expire_in"`
	}{proof, max(1, int64(expireIn/time.Second))}
	r, err := post(operation, base, path, bearer(token), body, proof)
	if err != nil {
		return TokenReply{}, err
	}
	return c.issue(ctx, r)
}

// issue runs a request that is answered with a token.
func (c *Client) issue(ctx context.Context, r *request) (TokenReply, error) {
	result, err := c.do(ctx, r)
	if err != nil {
		return TokenReply{}, err
	}
	var wire struct {
		Token        string  `json:"token"`
		RefreshToken string  `json:"refresh_token"`
		SubscriberID text    `json:"subscriber_id"`
		ExpiresAt    seconds `json:"expires_at"`
		ExpiresIn    seconds `json:"expires_in"`
	}
	if err := result.decode(&wire); err != nil {
		return TokenReply{}, err
	}
	if wire.Token == "" {
		return TokenReply{}, result.unusable("token missing", nil)
	}
	return TokenReply{
		Token:        wire.Token,
		RefreshToken: wire.RefreshToken,
		SubscriberID: string(wire.SubscriberID),
		ExpiresAt:    expiry(wire.ExpiresAt, wire.ExpiresIn, result.at),
	}, nil
}
