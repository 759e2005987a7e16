package wire

import (
	"encoding/json"
	"errors"
)

// Methods of the session layer.
const (
	MethodConnect        = "signalwire.connect"
	MethodReauthenticate = "signalwire.reauthenticate"
	MethodOnline         = "subscriber.online"
	MethodOffline        = "subscriber.offline"
	MethodEvent          = "signalwire.event"
	MethodPing           = "signalwire.ping"
	MethodDisconnect     = "signalwire.disconnect"
)

// EventAuthorizationState is the event that carries the resume state.
const EventAuthorizationState = "signalwire.authorization.state"

// Error codes of the session layer.
const (
	CodeAuthenticationFailed      = -32002 // bad, expired or unbound token, missing or wrong proof
	CodeRequesterValidationFailed = -32003 // resume state corrupt, expired or of another token
	CodeInvalidParams             = -32602
	CodeMethodNotFound            = -32601
	CodePermissionDenied          = -32001
)

// Authentication carries the token of connect and reauthenticate.
type Authentication struct {
	Project  string `json:"project,omitempty"`
	JWTToken string `json:"jwt_token"`
}

// Version is the protocol version a client speaks.
type Version struct {
	Major    int `json:"major"`
	Minor    int `json:"minor"`
	Revision int `json:"revision"`
}

// ConnectParams opens or resumes a session.
type ConnectParams struct {
	Authentication     Authentication `json:"authentication"`
	Version            Version        `json:"version"`
	Agent              string         `json:"agent"`
	Contexts           []string       `json:"contexts"`
	Eventing           []string       `json:"eventing"`
	Topics             []string       `json:"topics"`
	EventAcks          bool           `json:"event_acks"`
	DPoPToken          string         `json:"dpop_token,omitempty"`
	AuthorizationState string         `json:"authorization_state,omitempty"`
	Protocol           string         `json:"protocol,omitempty"`
}

// NewConnectParams fills what every connect request has in common.
func NewConnectParams(token, agent string) ConnectParams {
	return ConnectParams{
		Authentication: Authentication{JWTToken: token},
		Version:        Version{Major: 4},
		Agent:          agent,
		Contexts:       []string{}, Eventing: []string{}, Topics: []string{}, // never null
		EventAcks: true,
	}
}

// ReauthenticateParams replaces the token of a live session.
type ReauthenticateParams struct {
	Authentication Authentication `json:"authentication"`
	DPoPToken      string         `json:"dpop_token,omitempty"`
}

// ConnectResult answers connect and reauthenticate.
type ConnectResult struct {
	Identity      string        `json:"identity"`
	Authorization Authorization `json:"authorization"`
	Protocol      string        `json:"protocol"`
	ICEServers    []ICEServer   `json:"ice_servers,omitempty"`
}

// Authorization describes the token behind a session.
type Authorization struct {
	JTI              string            `json:"jti"`
	ProjectID        string            `json:"project_id"`
	DataZone         string            `json:"data_zone,omitempty"`
	Scope            []string          `json:"scope,omitempty"`
	CNF              *Confirmation     `json:"cnf,omitempty"`
	FabricSubscriber *FabricSubscriber `json:"fabric_subscriber"`
}

// Confirmation names the key a token is bound to (RFC 7800).
type Confirmation struct {
	JKT string `json:"jkt"`
}

// FabricSubscriber is the subscriber a session belongs to.
type FabricSubscriber struct {
	Version       int     `json:"version"`
	ExpiresAt     int64   `json:"expires_at"` // seconds since the epoch
	SubscriberID  string  `json:"subscriber_id"`
	ApplicationID *string `json:"application_id"`
	ProjectID     string  `json:"project_id"`
	SpaceID       string  `json:"space_id"`
}

// ICEServer is one STUN or TURN server for the media layer.
type ICEServer struct {
	URLs           []string `json:"urls"`
	Username       string   `json:"username,omitempty"`
	Credential     string   `json:"credential,omitempty"`
	CredentialType string   `json:"credentialType,omitempty"`
}

// Ping is both the parameters and the result of signalwire.ping: the sender's
// own clock in seconds since the epoch.
type Ping struct {
	Timestamp float64 `json:"timestamp"`
}

// EventParams is the body of signalwire.event as a server writes it.
type EventParams struct {
	EventType    string          `json:"event_type"`
	EventChannel any             `json:"event_channel,omitempty"` // string or []string
	Timestamp    float64         `json:"timestamp,omitempty"`
	ProjectID    string          `json:"project_id,omitempty"`
	NodeID       string          `json:"node_id,omitempty"`
	Params       json.RawMessage `json:"params"`
}

// AuthorizationState is the payload of EventAuthorizationState.
type AuthorizationState struct {
	AuthorizationState string `json:"authorization_state"`
}

// DecodeAuthorizationState reads the resume state from an event payload; ""
// means that the session can no longer be resumed. A payload without a state is
// an error, since it says nothing about the one the client holds.
func DecodeAuthorizationState(payload Raw) (string, error) {
	p := scanner{s: string(payload)}
	state, found := "", false
	err := p.object(func(p *scanner, key string) (err error) {
		if key == "authorization_state" {
			state, found, err = text(p)
			return err
		}
		return p.skip()
	})
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", errors.New("payload without authorization_state")
	}
	return state, nil
}
