package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/redact"
	"github.com/google/go-cmp/cmp"
)

// Secrets whose shape gives nothing away.
const (
	sessionToken = "session-secret-0001"
	boundToken   = "bound-secret-0002"
	proofSecret  = "proof-secret-0003"
	issuedToken  = "issued-secret-0004"
)

const fullReply = `{"token":"` + issuedToken + `","refresh_token":"` + issuedToken + `","expires_in":900}`

// hijack gives the handler the raw connection.
func hijack(then func(io.ReadWriteCloser)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		then(conn)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func stallBody(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"tok`)
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// echo sends back all that the client sent, in a page of the status given.
func echo(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<pre>"+r.Header.Get("Authorization")+"\n"+string(body)+"</pre>"+fullReply)
	}
}

// A fault is a way a token endpoint misbehaves and what must come of it.
type fault struct {
	name    string
	handler http.HandlerFunc
	check   func(t *testing.T, err error)
}

var faults = []fault{
	{"500", respond(500, `{"error":"Internal Server Error"}`), isHTTP(500, true)},
	{"502 page", respond(502, "<html><h1>Bad Gateway</h1></html>"), isHTTP(502, true)},
	{"503", respond(503, ""), isHTTP(503, true)},
	{"408", respond(408, ""), isHTTP(408, true)},
	{"401", respond(401, `{"error":"Unauthorized"}`), isHTTP(401, false)},
	{"403", respond(403, `{"error":"Forbidden"}`), isHTTP(403, false)},
	{"422", respond(422, `{"errors":[{"type":"validation_error","code":"token_invalid","message":"no","attribute":"refresh_token","url":"https://x"}]}`), isHTTP(422, false)},
	{"429", respond(429, ``, "Retry-After", "7"), isHTTP(429, true)},
	{"redirect 302", respond(302, "", "Location", "/elsewhere"), isHTTP(302, false)},
	{"redirect 307", respond(307, "", "Location", "/elsewhere"), isHTTP(307, false)},
	{"redirect 308", respond(308, "", "Location", "https://evil.example/"), isHTTP(308, false)},
	{"echo of a 400", echo(400), isHTTP(400, false)},
	{"secrets out of context in a 400", respond(400, "<b>"+boundToken+"</b><i>"+proofSecret+"</i>"), isHTTP(400, false)},
	{"error body breaks off", hijack(func(c io.ReadWriteCloser) {
		_, _ = io.WriteString(c, "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n{\"error\":")
	}), isHTTP(503, true)},

	{"html", respond(200, "<!doctype html><title>Login</title>", "Content-Type", "text/html"), isUnusable("not JSON", syntax)},
	{"truncated", respond(200, fullReply[:len(fullReply)/2]), isUnusable("not JSON", syntax)},
	{"echo of a 200", echo(200), isUnusable("not JSON", syntax)},
	{"secrets out of context in a 200", respond(200, "<b>"+boundToken+"</b><i>"+proofSecret+"</i>"), isUnusable("not JSON", syntax)},
	{"no_token", respond(200, `{}`), isUnusable("token missing", nothing)},
	{"null token", respond(200, `{"token":null,"refresh_token":"`+issuedToken+`"}`), isUnusable("token missing", nothing)},
	{"empty token", respond(200, `{"token":""}`), isUnusable("token missing", nothing)},
	{"null", respond(200, `null`), isUnusable("token missing", nothing)},
	{"wrong_type number", respond(200, `{"token":42}`), isUnusable("unexpected value", mistyped)},
	{"wrong_type list", respond(200, `[]`), isUnusable("not a JSON object", mistyped)},
	{"wrong_type expiry", respond(200, `{"token":"`+issuedToken+`","expires_at":"soon"}`), isUnusable("unexpected value", something)},
	{"empty", respond(200, ""), isUnusable("empty body", unexpectedEOF)},
	{"empty 204", respond(204, ""), isUnusable("empty body", unexpectedEOF)},
	{"too large", respond(200, `{"token":"`+strings.Repeat("x", 64<<10)+`"}`), isUnusable("body over 65536 bytes", nothing)},

	{"hang", hang, isTimeout},
	{"stall_body", stallBody, isTimeout},

	{"short_body", hijack(func(c io.ReadWriteCloser) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"token\":\""+issuedToken)
	}), isNetwork(200, io.ErrUnexpectedEOF)},
	{"closed without answer", hijack(func(io.ReadWriteCloser) {}), isNetwork(0, io.EOF)},
	{"garbage", hijack(func(c io.ReadWriteCloser) {
		_, _ = io.WriteString(c, "token Bearer "+boundToken+"\r\n\r\n")
	}), isNetwork(0, nil)},
}

func TestTokenEndpointFaultsBecomeTypedErrors(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newMemoryServer(t, f.handler)
				client, logged := newClient(t, server)

				reply, err := client.DeviceRefresh(t.Context(), boundToken, proofSecret, 15*time.Minute)
				if err == nil {
					t.Fatalf("no error, reply %v", reply)
				}
				f.check(t, err)
				if n := len(server.seen()); n != 1 {
					t.Errorf("%d requests, want 1: the caller owns retries", n)
				}
				for _, text := range []string{chain(err), logged.String()} {
					for _, secret := range []string{boundToken, proofSecret, issuedToken, sessionToken} {
						if strings.Contains(text, secret) {
							t.Errorf("%q shows in\n%s", secret, text)
						}
					}
				}
				if !strings.Contains(logged.String(), "request failed") && !strings.Contains(logged.String(), "request answered") {
					t.Errorf("the request was not logged: %s", logged)
				}
			})
		})
	}
}

func isHTTP(status int, retryable bool) func(*testing.T, error) {
	return func(t *testing.T, err error) {
		t.Helper()
		refused, ok := err.(*errs.HTTPError)
		if !ok {
			t.Fatalf("%T: %v, want *errs.HTTPError", err, err)
		}
		if refused.Status != status || refused.Method != "POST" || refused.Path != "/api/fabric/subscriber/devices/refresh" {
			t.Errorf("request and status are %+v", refused)
		}
		if errs.Retryable(err) != retryable {
			t.Errorf("retryable is %t, want %t", !retryable, retryable)
		}
	}
}

func isUnusable(problem string, cause func(error) bool) func(*testing.T, error) {
	return func(t *testing.T, err error) {
		t.Helper()
		unusable, ok := err.(*errs.ResponseError)
		if !ok {
			t.Fatalf("%T: %v, want *errs.ResponseError", err, err)
		}
		if unusable.Problem != problem || unusable.Method != "POST" || unusable.Path != "/api/fabric/subscriber/devices/refresh" {
			t.Errorf("request and problem are %+v, want problem %q", unusable, problem)
		}
		if !cause(unusable.OriginalError) {
			t.Errorf("cause is %T %v", unusable.OriginalError, unusable.OriginalError)
		}
		if !errs.Retryable(err) {
			t.Error("not retryable")
		}
	}
}

func isTimeout(t *testing.T, err error) {
	t.Helper()
	timeout, ok := err.(*errs.RequestTimeoutError)
	if !ok {
		t.Fatalf("%T: %v, want *errs.RequestTimeoutError", err, err)
	}
	if timeout.After != 10*time.Second || timeout.Operation != "refresh client bound token" {
		t.Errorf("facts are %+v, want 10s", timeout)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !errs.Retryable(err) {
		t.Error("not a retryable deadline")
	}
}

func isNetwork(status int, cause error) func(*testing.T, error) {
	return func(t *testing.T, err error) {
		t.Helper()
		failed, ok := err.(*errs.RequestError)
		if !ok {
			t.Fatalf("%T: %v, want *errs.RequestError", err, err)
		}
		if failed.Status != status {
			t.Errorf("status %d, want %d", failed.Status, status)
		}
		if cause != nil && !errors.Is(err, cause) {
			t.Errorf("cause %v, want %v", failed.OriginalError, cause)
		}
		if !errs.Retryable(err) {
			t.Error("not retryable")
		}
	}
}

func nothing(err error) bool       { return err == nil }
func something(err error) bool     { return err != nil }
func unexpectedEOF(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

func syntax(err error) bool {
	_, ok := errors.AsType[*json.SyntaxError](err)
	return ok
}

func mistyped(err error) bool {
	_, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return ok
}

func TestErrorBodyIsReadInEveryShape(t *testing.T) {
	item := errs.APIErrorItem{
		Type: "validation_error", Code: "invalid_parameter", Message: "fingerprint has the wrong length",
		Attribute: "fingerprint", URL: "https://signalwire.com/docs/apis/error-codes",
	}
	full := `{"type":"validation_error","code":"invalid_parameter","message":"fingerprint has the wrong length","attribute":"fingerprint","url":"https://signalwire.com/docs/apis/error-codes"}`
	for _, tc := range []struct {
		name, body string
		want       []errs.APIErrorItem
		code       string
	}{
		{"list", `{"errors":[` + full + `]}`, []errs.APIErrorItem{item}, "invalid_parameter"},
		{"two items", `{"errors":[` + full + `,{"code":"token_expired","attribute":null}]}`, []errs.APIErrorItem{item, {Code: "token_expired"}}, "invalid_parameter"},
		{"text", `{"error":"Unauthorized"}`, []errs.APIErrorItem{{Message: "Unauthorized"}}, ""},
		{"odd item types", `{"errors":[{"code":17,"message":{"a":1}}]}`, []errs.APIErrorItem{{Code: "17"}}, "17"},
		{"list of texts", `{"errors":["no"]}`, nil, ""},
		{"object", `{"errors":{"code":"x"}}`, nil, ""},
		{"list at the top", `["no"]`, nil, ""},
		{"page", `<h1>no</h1>`, nil, ""},
		{"nothing", ``, nil, ""},
		{"secret in a message", `{"error":"token ` + boundToken + ` is bad"}`, []errs.APIErrorItem{{Message: "token " + redact.Fingerprint(boundToken) + " is bad"}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := newClient(t, newMemoryServer(t, respond(422, tc.body)))
				_, err := client.DeviceRefresh(t.Context(), boundToken, proofSecret, time.Minute)
				refused, ok := errors.AsType[*errs.HTTPError](err)
				if !ok {
					t.Fatalf("%T: %v", err, err)
				}
				if diff := cmp.Diff(tc.want, refused.Errors); diff != "" {
					t.Error("items (-want +got):\n" + diff)
				}
				if refused.Code != tc.code {
					t.Errorf("code %q, want %q", refused.Code, tc.code)
				}
				if len(refused.Snippet) > 512 {
					t.Errorf("snippet has %d bytes", len(refused.Snippet))
				}
			})
		})
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	for _, tc := range []struct {
		name, after, date string
		want              time.Duration
	}{
		{"seconds", "7", "", 7 * time.Second},
		{"zero", "0", "", 0},
		{"long", "3600", "", time.Hour},
		{"date by the server's clock", "Sun, 01 Mar 2026 09:30:40 GMT", "Sun, 01 Mar 2026 09:30:00 GMT", 40 * time.Second},
		{"date in the past", "Sun, 01 Mar 2026 09:29:00 GMT", "Sun, 01 Mar 2026 09:30:00 GMT", 0},
		{"negative", "-5", "", 0},
		{"fraction", "1.5", "", 0},
		{"text", "later", "", 0},
		{"absent", "", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				header := []string{}
				if tc.after != "" {
					header = append(header, "Retry-After", tc.after)
				}
				if tc.date != "" {
					header = append(header, "Date", tc.date)
				}
				client, _ := newClient(t, newMemoryServer(t, respond(429, "", header...)))
				_, err := client.DeviceRefresh(t.Context(), boundToken, proofSecret, time.Minute)
				refused, ok := errors.AsType[*errs.HTTPError](err)
				if !ok {
					t.Fatalf("%T: %v", err, err)
				}
				if refused.RetryAfter != tc.want {
					t.Errorf("retry after %s, want %s", refused.RetryAfter, tc.want)
				}
				want := time.Now() // the bubble's clock, which the server's header follows
				if tc.date != "" {
					want = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
				}
				if !refused.Date.Equal(want) {
					t.Errorf("server time %s, want %s", refused.Date, want)
				}
			})
		})
	}
}

func TestCallersDeadlineAndCancellationEndARequest(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, _ := newClient(t, newMemoryServer(t, hang))
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := client.DeviceRefresh(ctx, boundToken, proofSecret, time.Minute)
			timeout, ok := errors.AsType[*errs.RequestTimeoutError](err)
			if !ok || timeout.After != 3*time.Second {
				t.Errorf("%T: %v, want a time-out after 3s", err, err)
			}
		})
	})
	t.Run("cancellation", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, _ := newClient(t, newMemoryServer(t, hang))
			reason := errors.New("user left")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(2*time.Second, func() { cancel(reason) })
			started := time.Now()
			_, err := client.DeviceRefresh(ctx, boundToken, proofSecret, time.Minute)
			if _, ok := errors.AsType[*errs.RequestError](err); !ok || !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
				t.Errorf("%T: %v, want a request error with the reason", err, err)
			}
			if errs.Retryable(err) {
				t.Error("a cancelled request is retryable")
			}
			if took := time.Since(started); took != 2*time.Second {
				t.Errorf("ended after %s, want 2s", took)
			}
		})
	})
}
