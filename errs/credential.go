package errs

import (
	"net/http"
	"strconv"
	"strings"
)

// CredentialReason says why a credential cannot be used.
type CredentialReason string

// The reasons of [InvalidCredentialsError].
const (
	// CredentialNoProvider: there is neither a provider nor a stored session.
	CredentialNoProvider CredentialReason = "no-provider"
	// CredentialProviderFailed: the provider returned an error, which is the cause.
	CredentialProviderFailed CredentialReason = "provider-failed"
	// CredentialNone: the provider returned nothing.
	CredentialNone CredentialReason = "no-credentials"
	// CredentialMalformedToken: the token's header segment cannot be decoded.
	CredentialMalformedToken CredentialReason = "malformed-token"
	// CredentialEmpty: there is neither a token nor an authorization state to use.
	CredentialEmpty CredentialReason = "empty-credential"
	// CredentialExpired: the credential's expiry has passed.
	CredentialExpired CredentialReason = "expired"
	// CredentialRefreshUnsupported: a refresh was asked of a provider without one.
	CredentialRefreshUnsupported CredentialReason = "refresh-unsupported"
	// CredentialRegisterFailed: registering failed, and reauthenticating did not cure it.
	CredentialRegisterFailed CredentialReason = "register-failed"
	// CredentialRejected: the server refused the credential.
	CredentialRejected CredentialReason = "rejected"
	// CredentialForbiddenHost: the token names a host outside the allowed domains.
	CredentialForbiddenHost CredentialReason = "forbidden-host"
	// CredentialStale: a refreshed credential expires no later than the one it replaces.
	CredentialStale CredentialReason = "stale"
)

// InvalidCredentialsError says that the client has no credential it can use.
// Reason tells the cases apart. When the token expired because every refresh
// failed, the cause is the last [TokenRefreshError].
type InvalidCredentialsError struct {
	Reason        CredentialReason
	OriginalError error // nil when the reason says it all
}

// Error returns the reason and the cause.
func (e *InvalidCredentialsError) Error() string {
	reason := strings.ReplaceAll(string(e.Reason), "-", " ")
	return withCause(withDetail("invalid credentials", ": ", reason), e.OriginalError)
}

// Unwrap returns the cause.
func (e *InvalidCredentialsError) Unwrap() error { return e.OriginalError }

// DeviceTokenError says that a SAT could not be exchanged for a Client Bound
// SAT. The session goes on with the token it has. Status is the HTTP status of
// the answer, 0 when there was none.
type DeviceTokenError struct {
	Status        int
	OriginalError error
}

// Error names the exchange, the status and the cause.
func (e *DeviceTokenError) Error() string {
	const operation = "obtain client bound token"
	if e.OriginalError == nil && e.Status != 0 {
		return operation + ": " + statusText(e.Status)
	}
	return withCause(operation, e.OriginalError)
}

// Unwrap returns the cause.
func (e *DeviceTokenError) Unwrap() error { return e.OriginalError }

// DPoPInitError says that the DPoP key (RFC 9449) could not be loaded, created
// or stored. The client works without key-bound tokens.
type DPoPInitError struct {
	OriginalError error
}

// Error names the step and the cause.
func (e *DPoPInitError) Error() string {
	return withCause("initialize DPoP key", e.OriginalError)
}

// Unwrap returns the cause.
func (e *DPoPInitError) Unwrap() error { return e.OriginalError }

// AuthStateError says that the server's authorization state could not be kept,
// or that reauthenticating with it failed. A later resume may not be possible.
type AuthStateError struct {
	OriginalError error
}

// Error names the step and the cause.
func (e *AuthStateError) Error() string {
	return withCause("handle authorization state", e.OriginalError)
}

// Unwrap returns the cause.
func (e *AuthStateError) Unwrap() error { return e.OriginalError }

// statusText returns the status number, with its registered name if it has one.
func statusText(status int) string {
	return withDetail(strconv.Itoa(status), " ", http.StatusText(status))
}
