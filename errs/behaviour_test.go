package errs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callrx/callrx/errs"
)

func TestTimeoutsMatchDeadlineExceeded(t *testing.T) {
	for _, err := range []error{
		&errs.RequestTimeoutError{}, &errs.RPCTimeoutError{}, &errs.WebSocketTimeoutError{},
	} {
		if !errors.Is(fmt.Errorf("outer: %w", err), context.DeadlineExceeded) {
			t.Errorf("%T does not match context.DeadlineExceeded", err)
		}
		if errors.Is(err, context.Canceled) {
			t.Errorf("%T matches context.Canceled", err)
		}
	}
}

func TestUnsupportedAndUnimplementedMatchTheStandardSentinel(t *testing.T) {
	unimplemented := &errs.UnimplementedError{Operation: "record"}
	for _, err := range []error{errs.ErrUnsupported, errs.ErrUnimplemented, unimplemented} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v does not match errors.ErrUnsupported", err)
		}
	}
	if !errors.Is(unimplemented, errs.ErrUnimplemented) {
		t.Error("UnimplementedError does not match ErrUnimplemented")
	}
	if errors.Is(unimplemented, errs.ErrUnsupported) {
		t.Error("UnimplementedError matches ErrUnsupported, which is another fact")
	}
}

func TestStatusStandsInForAMissingCause(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&errs.DeviceTokenError{Status: 403}, "obtain client bound token: 403 Forbidden"},
		{&errs.RequestError{Operation: "fetch profile", Status: 502}, "request to fetch profile: 502 Bad Gateway"},
		{&errs.ConversationError{Operation: "send", Status: 429}, "conversation: send: 429 Too Many Requests"},
		{&errs.HTTPError{Method: "GET", Path: "/x", Status: 599}, "http GET /x: 599"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("%T: message %q, want %q", tc.err, got, tc.want)
		}
	}
}

func TestTextCodeReplacesNumericCode(t *testing.T) {
	err := &errs.JSONRPCError{CodeText: "INVALID_GATEWAY", Method: "webrtc.verto", Message: "no"}
	if got, want := err.Error(), "rpc webrtc.verto: code INVALID_GATEWAY: no"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestRefusedCallNamesItsCause(t *testing.T) {
	err := &errs.JSONRPCError{
		Code: errs.CodeAuthenticationFailed, Method: "webrtc.verto", Message: "no such address",
		Cause: "UNALLOCATED_NUMBER", CauseCode: errs.CauseUnallocatedNumber,
	}
	if got, want := err.Error(), "rpc webrtc.verto: code -32002: no such address (UNALLOCATED_NUMBER 1)"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestPanicErrorShortensItsValueAndLeavesTheStackOut(t *testing.T) {
	err := &errs.PanicError{Where: "provider", Value: strings.Repeat("é", 500), Stack: []byte("goroutine 7 [running]")}
	message := err.Error()
	if len(message) > 300 || !utf8.ValidString(message) {
		t.Errorf("message has %d bytes, valid UTF-8: %t", len(message), utf8.ValidString(message))
	}
	if strings.Contains(message, "goroutine") {
		t.Error("the message contains the stack")
	}
	if err.Unwrap() != nil {
		t.Error("a panic value that is no error was unwrapped")
	}
	if wrapped := (&errs.PanicError{Value: io.EOF}); !errors.Is(wrapped, io.EOF) {
		t.Error("a panic value that is an error is not reachable")
	}
}

func TestSessionEndMatchesTheSentinelBehindIt(t *testing.T) {
	closed := &errs.SessionEndedError{By: errs.EndedByLocal, Cause: errs.EndClosed, OriginalError: errs.ErrClosed}
	if !errors.Is(closed, errs.ErrClosed) || errors.Is(closed, errs.ErrDisconnected) {
		t.Errorf("%v matches the wrong sentinel", closed)
	}
}

func TestRetryable(t *testing.T) {
	status := func(code int) error { return &errs.HTTPError{Status: code} }
	rpc := func(code int) error { return &errs.JSONRPCError{Code: code} }
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"nobody judges", io.ErrUnexpectedEOF, true},
		{"permanent", fmt.Errorf("account locked: %w", errs.ErrPermanent), false},
		{"permanent around a passing failure", errors.Join(errs.ErrPermanent, status(503)), false},
		{"cancelled", fmt.Errorf("dial: %w", context.Canceled), false},
		{"deadline", context.DeadlineExceeded, true},
		{"408", status(408), true},
		{"425", status(425), true},
		{"429", status(429), true},
		{"500", status(500), true},
		{"599", status(599), true},
		{"600", status(600), false},
		{"400", status(400), false},
		{"401", status(401), false},
		{"403", status(403), false},
		{"404", status(404), false},
		{"409", status(409), false},
		{"410", status(410), false},
		{"422", status(422), false},
		{"401 inside a request", &errs.RequestError{OriginalError: status(401)}, false},
		{"network failure inside a request", &errs.RequestError{OriginalError: io.EOF}, true},
		{"unusable answer", &errs.ResponseError{}, true},
		{"request time-out", &errs.RequestTimeoutError{}, true},
		{"rpc time-out", &errs.RPCTimeoutError{}, true},
		{"socket time-out", &errs.WebSocketTimeoutError{}, true},
		{"queue full", &errs.QueueFullError{}, true},
		{"authentication failed", rpc(errs.CodeAuthenticationFailed), false},
		{"requester validation failed", rpc(errs.CodeRequesterValidationFailed), false},
		{"invalid params", rpc(errs.CodeInvalidParams), false},
		{"method not found", rpc(errs.CodeMethodNotFound), false},
		{"permission denied", rpc(errs.CodePermissionDenied), false},
		{"not found", rpc(errs.CodeNotFound), false},
		{"server error", rpc(errs.CodeServerError), true},
		{"refresh with more to come", &errs.TokenRefreshError{OriginalError: status(401)}, true},
		{"final refresh", &errs.TokenRefreshError{Final: true, OriginalError: status(503)}, false},
		{"panic", &errs.PanicError{Value: "boom"}, false},
		{"session that may return", &errs.SessionEndedError{Retryable: true, OriginalError: status(401)}, true},
		{"session that may not", &errs.SessionEndedError{OriginalError: status(503)}, false},
	} {
		if got := errs.Retryable(tc.err); got != tc.want {
			t.Errorf("%s: Retryable = %t, want %t", tc.name, got, tc.want)
		}
	}
}
