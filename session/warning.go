package session

import (
	"fmt"
	"time"
)

// A WarningCode names a kind of warning, as the Browser SDK does.
type WarningCode string

const (
	// WarningNoRefreshHandler comes with *NoRefreshHandlerWarning.
	WarningNoRefreshHandler WarningCode = "credential_no_refresh_handler"
	// WarningRefreshFallback comes with *RefreshFallbackWarning.
	WarningRefreshFallback WarningCode = "credential_refresh_fallback"
)

// A Warning says that the client works, but with less than it could have.
type Warning interface {
	Code() WarningCode
	String() string
}

// A NoRefreshHandlerWarning says that nothing can refresh the credential: the
// session ends at ExpiresAt unless UpdateCredential brings another.
type NoRefreshHandlerWarning struct {
	ExpiresAt time.Time
}

// Code is WarningNoRefreshHandler.
func (*NoRefreshHandlerWarning) Code() WarningCode { return WarningNoRefreshHandler }

func (w *NoRefreshHandlerWarning) String() string {
	return fmt.Sprintf("nothing refreshes the credential: the session ends at %s unless UpdateCredential brings another",
		w.ExpiresAt.Format(time.RFC3339))
}

// A FallbackReason says why refresh is not bound to the client's key. More may
// be added.
type FallbackReason string

const (
	// FallbackNoScope: the token lacks the scope sat:refresh.
	FallbackNoScope FallbackReason = "no-scope"
	// FallbackNoDPoP: the token has the scope, but the client has no key.
	FallbackNoDPoP FallbackReason = "no-dpop-support"
	// FallbackEndpointFailed: the exchange for a bound token failed.
	FallbackEndpointFailed FallbackReason = "endpoint-failed"
	// FallbackActivationTimeout: the exchange took too long.
	FallbackActivationTimeout FallbackReason = "activation-timeout"
	// FallbackRefreshFailed: the bound token could not be refreshed any more.
	FallbackRefreshFailed FallbackReason = "refresh-failed"
)

// A RefreshFallbackWarning says that tokens are refreshed by the credential
// provider, if at all, and not bound to the client's key: whoever steals one
// can use it.
type RefreshFallbackWarning struct {
	Reason FallbackReason
}

// Code is WarningRefreshFallback.
func (*RefreshFallbackWarning) Code() WarningCode { return WarningRefreshFallback }

func (w *RefreshFallbackWarning) String() string {
	return "token refresh is not bound to the client's key: " + string(w.Reason)
}
