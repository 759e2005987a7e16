package errs_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/callrx/callrx/errs"
)

var errRoot = errors.New("root cause")

// row is one error type of the package: a value with every fact set and, where
// the type has a cause, errRoot as the cause; and the zero value.
type row struct {
	full, zero error
	want       string // message of full
	hasCause   bool
	find       func(error) error // errors.As for the row's type
}

func of[T error](full, zero T, want string) row {
	_, hasCause := reflect.TypeFor[T]().Elem().FieldByName("OriginalError")
	return row{
		full: full, zero: zero, want: want, hasCause: hasCause,
		find: func(err error) error {
			found, ok := errors.AsType[T](err)
			if !ok {
				return nil
			}
			return found
		},
	}
}

var at = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

var table = []row{
	of(&errs.InvalidCredentialsError{Reason: errs.CredentialMalformedToken, OriginalError: errRoot}, &errs.InvalidCredentialsError{},
		"invalid credentials: malformed token: root cause"),
	of(&errs.DeviceTokenError{Status: 500, OriginalError: errRoot}, &errs.DeviceTokenError{},
		"obtain client bound token: root cause"),
	of(&errs.DPoPInitError{OriginalError: errRoot}, &errs.DPoPInitError{},
		"initialize DPoP key: root cause"),
	of(&errs.AuthStateError{OriginalError: errRoot}, &errs.AuthStateError{},
		"handle authorization state: root cause"),
	of(&errs.TokenRefreshError{
		Mechanism: errs.MechanismClientBound, Stage: errs.StageObtain, Attempt: 5, MaxAttempts: 5,
		Final: true, ExpiresAt: at, OriginalError: errRoot,
	}, &errs.TokenRefreshError{},
		"refresh token by client-bound, attempt 5 of 5, final: obtain: root cause"),
	of(&errs.HTTPError{
		Method: "POST", Path: "/api/x", Status: 422, Code: "invalid_parameter",
		Errors: []errs.APIErrorItem{
			{Code: "invalid_parameter", Message: "wrong length", Attribute: "fingerprint"},
			{Message: "and another"},
		},
	}, &errs.HTTPError{},
		"http POST /api/x: 422 Unprocessable Entity: invalid_parameter: wrong length at fingerprint; and another"),
	of(&errs.ResponseError{Method: "GET", Path: "/api/x", Problem: "not JSON", OriginalError: errRoot}, &errs.ResponseError{},
		"http GET /api/x: unusable response: not JSON: root cause"),
	of(&errs.RequestError{Operation: "fetch profile", Status: 502, OriginalError: errRoot}, &errs.RequestError{},
		"request to fetch profile: root cause"),
	of(&errs.RequestTimeoutError{Operation: "fetch profile", After: 10 * time.Second, OriginalError: errRoot}, &errs.RequestTimeoutError{},
		"request to fetch profile timed out after 10s: root cause"),
	of(&errs.JSONRPCError{Code: errs.CodeAuthenticationFailed, Message: "no", RequestID: "7", Method: "signalwire.connect"}, &errs.JSONRPCError{},
		"rpc signalwire.connect: code -32002: no (request 7)"),
	of(&errs.RPCTimeoutError{RequestID: "7", Method: "signalwire.connect", After: 5 * time.Second}, &errs.RPCTimeoutError{},
		"rpc signalwire.connect: no response after 5s (request 7)"),
	of(&errs.MessageParseError{Size: 12, OriginalError: errRoot}, &errs.MessageParseError{},
		"parse message of 12 bytes: root cause"),
	of(&errs.QueueFullError{Method: "signalwire.ping", Capacity: 100}, &errs.QueueFullError{},
		"rpc signalwire.ping: send queue full at 100 requests"),
	of(&errs.TransportError{Stage: errs.TransportClosed, URL: "wss://x", CloseCode: 4401, CloseReason: "token_expired", OriginalError: errRoot}, &errs.TransportError{},
		"transport closed wss://x: close code 4401 token_expired: root cause"),
	of(&errs.WebSocketError{URL: "wss://x", OriginalError: errRoot}, &errs.WebSocketError{},
		"websocket wss://x: root cause"),
	of(&errs.WebSocketTimeoutError{URL: "wss://x", After: time.Second}, &errs.WebSocketTimeoutError{},
		"websocket wss://x: not open after 1s"),
	of(&errs.NotConnectedError{Operation: "register"}, &errs.NotConnectedError{},
		"not connected: cannot register"),
	of(&errs.SessionEndedError{By: errs.EndedByExpiry, Cause: errs.EndTokenExpired, OriginalError: errRoot}, &errs.SessionEndedError{},
		"session ended by expiry: token-expired: root cause"),
	of(&errs.CallEndedError{By: errs.EndedByRemote, Cause: "USER_BUSY", Code: errs.CauseUserBusy, OriginalError: errRoot}, &errs.CallEndedError{},
		"call ended by remote: USER_BUSY (17): root cause"),
	of(&errs.UnexpectedError{At: "subscriber info", OriginalError: errRoot}, &errs.UnexpectedError{},
		"unexpected error at subscriber info: root cause"),
	of(&errs.PanicError{Where: "credential provider", Value: errRoot, Stack: []byte("goroutine 1")}, &errs.PanicError{},
		"panic in credential provider: root cause"),
	of(&errs.ConfigError{Field: "RelayURL", Problem: "not a URL", OriginalError: errRoot}, &errs.ConfigError{},
		"config RelayURL: not a URL: root cause"),
	of(&errs.InvalidParamsError{Param: "layout", Reason: "unknown", OriginalError: errRoot}, &errs.InvalidParamsError{},
		"invalid parameter layout: unknown: root cause"),
	of(&errs.DependencyError{Description: "embed token"}, &errs.DependencyError{},
		"missing dependency: embed token"),
	of(&errs.InvalidStateTransitionError{From: "ringing", To: "held"}, &errs.InvalidStateTransitionError{},
		`invalid state transition from "ringing" to "held"`),
	of(&errs.UnimplementedError{Operation: "start recording"}, &errs.UnimplementedError{},
		"not implemented: start recording"),
	of(&errs.StorageError{Op: "write", Key: "sw:cached_credential", OriginalError: errRoot}, &errs.StorageError{},
		"storage write sw:cached_credential: root cause"),
	of(&errs.CollectionFetchError{Operation: "load addresses", OriginalError: errRoot}, &errs.CollectionFetchError{},
		"fetch collection: load addresses: root cause"),
	of(&errs.AddressNotFoundError{Address: "/public/nowhere", OriginalError: errRoot}, &errs.AddressNotFoundError{},
		"no such address: /public/nowhere: root cause"),
	of(&errs.ConversationError{With: "bob", Operation: "join", Status: 422, OriginalError: errRoot}, &errs.ConversationError{},
		"conversation with bob: join: root cause"),
	of(&errs.MediaTrackError{Operation: "add local track", Kind: "audio", OriginalError: errRoot}, &errs.MediaTrackError{},
		"media track: add local track for audio: root cause"),
	of(&errs.MediaAccessError{Operation: "start screen share", Media: "screen", Denied: true, OriginalError: errRoot}, &errs.MediaAccessError{},
		"media access denied: start screen share of screen: root cause"),
	of(&errs.OverconstrainedError{Constraint: "Width", Problem: "offers 320 to 1280"}, &errs.OverconstrainedError{},
		"constraint Width: offers 320 to 1280"),
	of(&errs.OverconstrainedFallbackError{DeviceKind: "videoinput", OriginalError: errRoot}, &errs.OverconstrainedFallbackError{},
		"choose device of kind videoinput: none is as asked: root cause"),
	of(&errs.DeviceNotFoundError{DeviceID: "mic-2"}, &errs.DeviceNotFoundError{},
		`device "mic-2" not found`),
	of(&errs.ICEServerError{URL: "turn:x:3478?transport=udp", Stage: errs.ICEServerAllocate, Code: 401, OriginalError: errRoot}, &errs.ICEServerError{},
		"ice server turn:x:3478?transport=udp: allocate: root cause"),
	of(&errs.PreflightError{Phase: errs.PreflightICE, OriginalError: errRoot}, &errs.PreflightError{},
		"preflight ice: root cause"),
	of(&errs.CallCreateError{Message: "no member id in time", Direction: errs.DirectionOutbound, To: "/private/bob", OriginalError: errRoot}, &errs.CallCreateError{},
		"create outbound call to /private/bob: no member id in time: root cause"),
	of(&errs.CallError{Kind: errs.CallErrorNetwork, Fatal: true, CallID: "c-1", OriginalError: errRoot}, &errs.CallError{},
		"call c-1: network, fatal: root cause"),
	of(&errs.RecoveryError{Action: "reinvite", Attempt: 3, OriginalError: errRoot}, &errs.RecoveryError{},
		"recover call by reinvite, attempt 3: root cause"),
	of(&errs.VertoPongError{OriginalError: errRoot}, &errs.VertoPongError{},
		"answer call ping: root cause"),
	of(&errs.InviteError{OriginalError: errRoot}, &errs.InviteError{},
		"handle invite: root cause"),
	of(&errs.UnauthorizedEventError{EventType: "user_event"}, &errs.UnauthorizedEventError{},
		"subscribe to user_event: not authorized"),
	of(&errs.AttachError{CallID: "c-1", OriginalError: errRoot}, &errs.AttachError{},
		"attach call c-1: root cause"),
	of(&errs.CallOwnedError{CallID: "c-1"}, &errs.CallOwnedError{},
		"call c-1 is owned by another process"),
	of(&errs.SessionOwnedError{}, &errs.SessionOwnedError{},
		"the stored session is owned by another process"),
}

func TestEveryErrorIsFoundThroughTwoWraps(t *testing.T) {
	for _, r := range table {
		t.Run(typeName(r.full), func(t *testing.T) {
			wrapped := fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", r.full))
			if got := r.find(wrapped); got != r.full {
				t.Errorf("errors.As found %v, want the error itself", got)
			}
			if r.hasCause && !errors.Is(wrapped, errRoot) {
				t.Error("errors.Is does not reach the root cause")
			}
			if r.hasCause && errors.Is(fmt.Errorf("outer: %w", r.zero), errRoot) {
				t.Error("errors.Is finds a root cause in an error without one")
			}
		})
	}
}

func TestEveryMessageBeginsWithTheOperation(t *testing.T) {
	for _, r := range table {
		t.Run(typeName(r.full), func(t *testing.T) {
			if got := r.full.Error(); got != r.want {
				t.Errorf("message %q, want %q", got, r.want)
			}
			for _, err := range []error{r.full, r.zero} {
				first, _ := utf8.DecodeRuneInString(err.Error())
				if !unicode.IsLower(first) {
					t.Errorf("message %q does not begin in lower case", err.Error())
				}
				if message := err.Error(); strings.HasSuffix(message, " ") || strings.HasSuffix(message, ":") || strings.Contains(message, "nil") {
					t.Errorf("message %q has a hole", message)
				}
			}
		})
	}
}

func TestEveryCauseFieldIsCalledOriginalError(t *testing.T) {
	for _, r := range table {
		typ := reflect.TypeOf(r.full).Elem()
		for field := range typ.Fields() {
			if field.Type == reflect.TypeFor[error]() && field.Name != "OriginalError" {
				t.Errorf("%s: cause field is called %s", typ.Name(), field.Name)
			}
		}
	}
}

func typeName(err error) string { return reflect.TypeOf(err).Elem().Name() }

// A message is one line, and says nothing twice.
func TestMessagesAreOneLineAndSayNothingTwice(t *testing.T) {
	for want, err := range map[string]error{
		"choose device: none is as asked: root cause; root cause": &errs.OverconstrainedFallbackError{
			OriginalError: errors.Join(errRoot, errRoot),
		},
		"create call to /private/bob: not connected: cannot dial": &errs.CallCreateError{
			Message: "not connected", To: "/private/bob", OriginalError: &errs.NotConnectedError{Operation: "dial"},
		},
	} {
		if got := err.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
