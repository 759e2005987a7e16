package errs

import (
	"fmt"
	"strings"
)

// CallDirection says who placed a call.
type CallDirection string

const (
	// DirectionInbound is a call from the other side.
	DirectionInbound CallDirection = "inbound"
	// DirectionOutbound is a call placed by the program.
	DirectionOutbound CallDirection = "outbound"
)

// CallCreateReason says why a call could not be placed.
type CallCreateReason string

// The reasons of [CallCreateError].
const (
	// CallNotConnected: there is no session to place it in.
	CallNotConnected CallCreateReason = "not connected"
	// CallMediaFailed: the media could not be made ready; nothing was sent.
	CallMediaFailed CallCreateReason = "media failed"
	// CallTimeout: the service did not answer in time.
	CallTimeout CallCreateReason = "timeout"
	// CallNoSuchAddress: the service knows no such destination.
	CallNoSuchAddress CallCreateReason = "no such address"
	// CallBusy: the destination is busy.
	CallBusy CallCreateReason = "busy"
	// CallRejected: the service or the destination refused it.
	CallRejected CallCreateReason = "rejected"
	// CallFailed: anything else; the cause says what.
	CallFailed CallCreateReason = "failed"
)

// CallCreateError says that a call could not be placed, or that an arriving one
// could not be turned into a call.
type CallCreateError struct {
	Reason        CallCreateReason
	Message       string
	Direction     CallDirection
	To            string // what was dialled, without its query
	OriginalError error
}

// Error names the direction, the destination, the message and the cause.
func (e *CallCreateError) Error() string {
	text := "create call"
	if e.Direction != "" {
		text = "create " + string(e.Direction) + " call"
	}
	text = withDetail(text, " to ", e.To)
	if e.OriginalError == nil || !strings.HasPrefix(e.OriginalError.Error(), e.Message) {
		text = withDetail(text, ": ", e.Message)
	}
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *CallCreateError) Unwrap() error { return e.OriginalError }

// CallErrorKind says which part of a call failed.
type CallErrorKind string

const (
	// CallErrorMedia is a track, a device or a peer connection.
	CallErrorMedia CallErrorKind = "media"
	// CallErrorSignaling is a request that the server refused.
	CallErrorSignaling CallErrorKind = "signaling"
	// CallErrorTimeout is a request that got no answer.
	CallErrorTimeout CallErrorKind = "timeout"
	// CallErrorRejected is an outbound call that the other side did not take.
	CallErrorRejected CallErrorKind = "rejected"
	// CallErrorNetwork is a connection that was lost.
	CallErrorNetwork CallErrorKind = "network"
	// CallErrorInternal is anything else.
	CallErrorInternal CallErrorKind = "internal"
)

// CallError is what a call reports on its error stream. A fatal one ends the
// call; nothing follows it.
type CallError struct {
	Kind          CallErrorKind
	Fatal         bool
	CallID        string
	OriginalError error
}

// Error names the call, the kind and the cause.
func (e *CallError) Error() string {
	text := withDetail(withDetail("call", " ", e.CallID), ": ", string(e.Kind))
	if e.Fatal {
		text += ", fatal"
	}
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.OriginalError }

// RecoveryError says that restoring a call's media failed.
type RecoveryError struct {
	Action        string // such as "reinvite"
	Attempt       int    // counts from 1
	OriginalError error
}

// Error names the action, the attempt and the cause.
func (e *RecoveryError) Error() string {
	text := withDetail("recover call", " by ", e.Action)
	if e.Attempt > 0 {
		text += fmt.Sprintf(", attempt %d", e.Attempt)
	}
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *RecoveryError) Unwrap() error { return e.OriginalError }

// VertoPongError says that a ping of the server could not be answered, after
// which the server may drop the call.
type VertoPongError struct {
	OriginalError error
}

// Error names the step and the cause.
func (e *VertoPongError) Error() string {
	return withCause("answer call ping", e.OriginalError)
}

// Unwrap returns the cause.
func (e *VertoPongError) Unwrap() error { return e.OriginalError }

// InviteError says that an inbound invite could not become a call.
type InviteError struct {
	OriginalError error
}

// Error names the step and the cause.
func (e *InviteError) Error() string {
	return withCause("handle invite", e.OriginalError)
}

// Unwrap returns the cause.
func (e *InviteError) Unwrap() error { return e.OriginalError }

// AttachError says that a call the server still holds could not be picked up
// again.
type AttachError struct {
	CallID        string // empty where the call itself reports it
	OriginalError error
}

// Error names the call and the cause.
func (e *AttachError) Error() string {
	return withCause(withDetail("attach call", " ", e.CallID), e.OriginalError)
}

// Unwrap returns the cause.
func (e *AttachError) Unwrap() error { return e.OriginalError }

// CallOwnedError says that a call belongs to another process that shares the
// storage: it was faster, or it took the call over from this one.
type CallOwnedError struct {
	CallID string
}

// Error names the call.
func (e *CallOwnedError) Error() string {
	return withDetail("call", " ", e.CallID) + " is owned by another process"
}

// Retryable reports false.
func (e *CallOwnedError) Retryable() bool { return false }

// UnauthorizedEventError says that the service does not let this client have
// the events of a type.
type UnauthorizedEventError struct {
	EventType string
}

// Error names the type.
func (e *UnauthorizedEventError) Error() string {
	return withDetail("subscribe", " to ", e.EventType) + ": not authorized"
}

// Retryable reports false.
func (e *UnauthorizedEventError) Retryable() bool { return false }
