package rest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

// roundTrip answers requests without a server.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answerWith(status int, header http.Header, body []byte) *rest.Client {
	return rest.New(rest.Config{
		Base:  func() string { return base },
		Token: func() string { return sessionToken },
		HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		})},
	})
}

// Whatever a server answers, the result is a value or a typed error, and what
// was secret in the request stays so.
func FuzzAnswer(f *testing.F) {
	f.Add(uint16(200), "", []byte(fullReply))
	f.Add(uint16(200), "", []byte(`{"token":{"expires_at":"1e400"},"expires_in":-1e11}`))
	f.Add(uint16(401), "7", []byte(`{"error":"no `+boundToken+`"}`))
	f.Add(uint16(422), "Sun, 01 Mar 2026 09:30:40 GMT", []byte(`{"errors":[{"code":null},7,"x"]}`))
	f.Add(uint16(200), "", []byte(`{"id":"x","sat_claims":{"scope":[1],"expires_at":1}}`))
	f.Fuzz(func(t *testing.T, status uint16, retryAfter string, body []byte) {
		code := 200 + int(status)%400
		header := http.Header{"Retry-After": {retryAfter}}
		client := answerWith(code, header, body)
		reply, err := client.DeviceRefresh(t.Context(), boundToken, proofSecret, time.Minute)
		checkOutcome(t, err, reply.Token != "", boundToken, proofSecret)
		if code < 400 { // others would be retried in real time
			subscriber, err := client.SubscriberInfo(t.Context())
			checkOutcome(t, err, subscriber.ID != "", sessionToken)
		}
	})
}

func checkOutcome(t *testing.T, err error, filled bool, secrets ...string) {
	t.Helper()
	if (err == nil) != filled {
		t.Errorf("error %v, value there: %t", err, filled)
	}
	if err == nil {
		return
	}
	refused, isHTTP := errors.AsType[*errs.HTTPError](err)
	_, isResponse := errors.AsType[*errs.ResponseError](err)
	_, isRequest := errors.AsType[*errs.RequestError](err)
	if !isHTTP && !isResponse && !isRequest {
		t.Errorf("%T: %v is not a typed error", err, err)
	}
	if isHTTP && (refused.RetryAfter < 0 || len(refused.Snippet) > 512) {
		t.Errorf("facts %+v", refused)
	}
	for _, secret := range secrets {
		if text := chain(err); strings.Contains(text, secret) {
			t.Errorf("a secret shows in %s", text)
		}
	}
}

func BenchmarkDeviceRefresh(b *testing.B) {
	client := answerWith(200, http.Header{}, []byte(fullReply))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.DeviceRefresh(b.Context(), boundToken, proofSecret, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}
