package errs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Codes of [JSONRPCError] that have a known meaning. The negative ones come from
// the server-defined and pre-defined ranges of JSON-RPC 2.0, section 5.1; 404 is
// a status carried in a result.
const (
	CodeAuthenticationFailed      int = -32002
	CodeRequesterValidationFailed int = -32003
	CodePermissionDenied          int = -32001
	CodeServerError               int = -32000
	CodeMethodNotFound            int = -32601
	CodeInvalidParams             int = -32602
	CodeNotFound                  int = 404
)

// JSONRPCError says that the server refused a request, either with a JSON-RPC
// error object or with a result whose code means failure.
type JSONRPCError struct {
	Code      int             // 0 when the server sent text, see CodeText
	CodeText  string          // the code as sent when it is not a number
	Message   string          // the server's words
	Data      json.RawMessage // the server's extra data as sent, nil without any
	RequestID string
	Method    string
	// Why the media service refused a call, where it says so: a Q.850 cause such as UNALLOCATED_NUMBER and its number.
	Cause     string
	CauseCode int
}

// Error names the method, the code and the server's message.
func (e *JSONRPCError) Error() string {
	code := e.CodeText
	if code == "" {
		code = fmt.Sprint(e.Code)
	}
	text := withDetail("rpc", " ", e.Method) + ": code " + code
	text = withDetail(text, ": ", e.Message)
	if e.Cause != "" {
		text += fmt.Sprintf(" (%s %d)", e.Cause, e.CauseCode)
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// Retryable reports false for codes that judge the request or its credentials,
// which the same request meets again, and true for every other.
func (e *JSONRPCError) Retryable() bool {
	switch e.Code {
	case CodeAuthenticationFailed, CodeRequesterValidationFailed, CodePermissionDenied,
		CodeInvalidParams, CodeMethodNotFound, CodeNotFound:
		return false
	}
	return true
}

// RPCTimeoutError says that a request over the connection got no answer in time.
// The server may have acted on it nevertheless. It matches
// context.DeadlineExceeded.
type RPCTimeoutError struct {
	RequestID string
	Method    string
	After     time.Duration
}

// Error names the method and the time allowed.
func (e *RPCTimeoutError) Error() string {
	text := fmt.Sprintf("%s: no response after %s", withDetail("rpc", " ", e.Method), e.After)
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// Is makes the error match context.DeadlineExceeded.
func (e *RPCTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Retryable reports true.
func (e *RPCTimeoutError) Retryable() bool { return true }

// MessageParseError says that a frame from the server is not a message. The
// frame is skipped and the connection goes on.
type MessageParseError struct {
	Size          int // bytes in the frame
	OriginalError error
}

// Error names the frame's size and the cause.
func (e *MessageParseError) Error() string {
	return withCause(fmt.Sprintf("parse message of %d bytes", e.Size), e.OriginalError)
}

// Unwrap returns the cause.
func (e *MessageParseError) Unwrap() error { return e.OriginalError }

// QueueFullError says that a request was refused because too many already wait
// to be sent. It was not sent.
type QueueFullError struct {
	Method   string
	Capacity int // requests the queue holds
}

// Error names the method and the capacity.
func (e *QueueFullError) Error() string {
	return fmt.Sprintf("%s: send queue full at %d requests", withDetail("rpc", " ", e.Method), e.Capacity)
}

// Retryable reports true: the queue drains.
func (e *QueueFullError) Retryable() bool { return true }
