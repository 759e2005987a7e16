package errs

import (
	"fmt"
	"time"
)

// RefreshMechanism says who obtains the new token.
type RefreshMechanism string

const (
	// MechanismDeveloper is a refresh by the program's credential provider.
	MechanismDeveloper RefreshMechanism = "developer"
	// MechanismClientBound is a refresh by the SDK itself, with a DPoP proof.
	MechanismClientBound RefreshMechanism = "client-bound"
)

// RefreshStage says how far a refresh attempt came.
type RefreshStage string

const (
	// StageObtain is asking for a new token.
	StageObtain RefreshStage = "obtain"
	// StageParse is making sense of the answer.
	StageParse RefreshStage = "parse"
	// StageApply is telling the server, over the live connection, about the token obtained.
	StageApply RefreshStage = "apply"
)

// TokenRefreshError describes one failed attempt to refresh the token; every
// failed attempt yields exactly one.
//
// The session goes on with the current token until ExpiresAt. When Final is
// true the SDK will not try again on its own, and the program's way to keep the
// session is to hand over a fresh token before ExpiresAt.
type TokenRefreshError struct {
	Mechanism   RefreshMechanism
	Stage       RefreshStage
	Attempt     int       // counts from 1
	MaxAttempts int       // attempts allowed in this round
	Final       bool      // no further attempt follows by this mechanism
	ExpiresAt   time.Time // expiry of the token still in use, zero when unknown
	RetryAt     time.Time // start of the next attempt, zero when Final

	// OriginalError is why the attempt failed: *[HTTPError], *[ResponseError],
	// *[JSONRPCError], a time-out, or what the provider returned.
	OriginalError error
}

// Error names the mechanism, the attempt and the cause.
func (e *TokenRefreshError) Error() string {
	text := withDetail("refresh token", " by ", string(e.Mechanism))
	if e.Attempt > 0 {
		text += fmt.Sprintf(", attempt %d of %d", e.Attempt, max(e.Attempt, e.MaxAttempts))
	}
	if e.Final {
		text += ", final"
	}
	return withCause(withDetail(text, ": ", string(e.Stage)), e.OriginalError)
}

// Unwrap returns the cause.
func (e *TokenRefreshError) Unwrap() error { return e.OriginalError }

// Retryable reports whether a further attempt follows.
func (e *TokenRefreshError) Retryable() bool { return !e.Final }
