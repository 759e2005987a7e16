package errs

import (
	"context"
	"fmt"
	"time"
)

// Stages of a connection's life, for [TransportError].
const (
	TransportDNS       = "dns"       // name look-up
	TransportDial      = "dial"      // TCP
	TransportTLS       = "tls"       // TLS handshake
	TransportHandshake = "handshake" // WebSocket upgrade, RFC 6455 section 4
	TransportRead      = "read"
	TransportWrite     = "write"
	TransportLiveness  = "liveness" // the socket is open but nobody answers
	TransportClosed    = "closed"   // the peer closed it
)

// TransportError says that the connection could not be made or was lost. The
// client reconnects by itself while its credential is valid.
type TransportError struct {
	Stage         string // one of the Transport… constants
	URL           string // scheme and host only
	CloseCode     int    // RFC 6455 section 7.4, 0 when no close frame arrived
	CloseReason   string
	OriginalError error
}

// Error names the stage, the host, the close code and the cause.
func (e *TransportError) Error() string {
	text := withDetail(withDetail("transport", " ", e.Stage), " ", e.URL)
	if e.CloseCode != 0 {
		text = withDetail(fmt.Sprintf("%s: close code %d", text, e.CloseCode), " ", e.CloseReason)
	}
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.OriginalError }

// WebSocketError says that an open WebSocket failed. A reconnect follows.
type WebSocketError struct {
	URL           string // scheme and host only
	OriginalError error
}

// Error names the host and the cause.
func (e *WebSocketError) Error() string {
	return withCause(withDetail("websocket", " ", e.URL), e.OriginalError)
}

// Unwrap returns the cause.
func (e *WebSocketError) Unwrap() error { return e.OriginalError }

// WebSocketTimeoutError says that a WebSocket did not open in time. It matches
// context.DeadlineExceeded.
type WebSocketTimeoutError struct {
	URL   string // scheme and host only
	After time.Duration
}

// Error names the host and the time allowed.
func (e *WebSocketTimeoutError) Error() string {
	return fmt.Sprintf("%s: not open after %s", withDetail("websocket", " ", e.URL), e.After)
}

// Is makes the error match context.DeadlineExceeded.
func (e *WebSocketTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Retryable reports true.
func (e *WebSocketTimeoutError) Retryable() bool { return true }

// NotConnectedError says that an operation needs a connection and there is none:
// before Connect, or after Disconnect.
type NotConnectedError struct {
	Operation string
}

// Error names the operation.
func (e *NotConnectedError) Error() string {
	return withDetail("not connected", ": cannot ", e.Operation)
}
