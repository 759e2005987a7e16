package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/redact"
)

// answer is a complete 2xx response.
type answer struct {
	request *request
	secrets []string // what must not show of the body
	status  int
	body    []byte
	at      time.Time // when the body was complete
}

// read takes in a response. It returns *errs.HTTPError for a status other than
// 2xx, even if its body breaks off, *errs.ResponseError for a body over the
// limit, and the reader's own error otherwise.
func (r *request) read(response *http.Response, secret string) (*answer, error) {
	secrets := slices.DeleteFunc(append(slices.Clone(r.secrets), secret), func(s string) bool { return s == "" })
	success := response.StatusCode >= 200 && response.StatusCode <= 299
	limit := r.limit
	if !success {
		limit = tokenLimit
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if !success {
		return nil, r.refused(response, body, secrets)
	}
	result := &answer{request: r, secrets: secrets, status: response.StatusCode, body: body, at: time.Now()}
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, result.unusable(fmt.Sprintf("body over %d bytes", limit), nil)
	}
	return result, nil
}

// decode reads the body as a JSON object.
func (a *answer) decode(into any) error {
	if len(a.body) == 0 {
		return a.unusable("empty body", io.ErrUnexpectedEOF)
	}
	err := json.Unmarshal(a.body, into)
	if err == nil {
		return nil
	}
	problem := "unexpected value"
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		problem = "not JSON"
	} else if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mistyped.Field == "" {
		problem = "not a JSON object"
	}
	return a.unusable(problem, err)
}

// unusable describes a 2xx response that is of no use.
func (a *answer) unusable(problem string, cause error) error {
	return &errs.ResponseError{
		Method:        a.request.method,
		Path:          a.request.path,
		Problem:       problem,
		Snippet:       redact.Snippet(a.body, a.secrets...),
		OriginalError: cause,
	}
}

// refused describes a response other than 2xx.
func (r *request) refused(response *http.Response, body []byte, secrets []string) error {
	items := apiErrors(body, secrets)
	code := ""
	if len(items) > 0 {
		code = items[0].Code
	}
	date := serverTime(response.Header)
	return &errs.HTTPError{
		Method:     r.method,
		Path:       r.path,
		Status:     response.StatusCode,
		RetryAfter: retryAfter(response.Header, date),
		Date:       date,
		Code:       code,
		Errors:     items,
		Snippet:    redact.Snippet(body, secrets...),
	}
}

// apiErrors reads an error body in either of its shapes, a text or a list. Any
// other body yields nothing.
func apiErrors(body []byte, secrets []string) []errs.APIErrorItem {
	var envelope struct {
		Error  text `json:"error"`
		Errors []struct {
			Type      text `json:"type"`
			Code      text `json:"code"`
			Message   text `json:"message"`
			Attribute text `json:"attribute"`
			URL       text `json:"url"`
		} `json:"errors"`
	}
	// A body that fits only in part still gives up that part.
	_ = json.Unmarshal(body, &envelope)
	clean := func(t text) string { return redact.Snippet([]byte(t), secrets...) }

	var items []errs.APIErrorItem
	for _, e := range envelope.Errors {
		item := errs.APIErrorItem{
			Type: clean(e.Type), Code: clean(e.Code), Message: clean(e.Message),
			Attribute: clean(e.Attribute), URL: clean(e.URL),
		}
		if item != (errs.APIErrorItem{}) {
			items = append(items, item)
		}
	}
	if len(items) == 0 && envelope.Error != "" {
		items = append(items, errs.APIErrorItem{Message: clean(envelope.Error)})
	}
	return items
}

// failed describes a request that got no complete response: the caller gave up,
// time ran out, or the network failed. Parent is the caller's context, timed the
// one that bounded the attempt.
func (r *request) failed(parent, timed context.Context, started time.Time, status int, err error) error {
	if unusable, ok := errors.AsType[*errs.ResponseError](err); ok {
		return unusable
	}
	// The address in a *url.Error is known, and may be one the server made up.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if errors.Is(parent.Err(), context.Canceled) {
		return &errs.RequestError{Operation: r.operation, Status: status, OriginalError: cancellation(parent)}
	}
	if network, ok := errors.AsType[net.Error](err); timed.Err() != nil || ok && network.Timeout() {
		timeout := &errs.RequestTimeoutError{Operation: r.operation, After: time.Since(started).Round(time.Millisecond)}
		if !errors.Is(err, context.DeadlineExceeded) {
			timeout.OriginalError = scrub(err)
		}
		return timeout
	}
	return &errs.RequestError{Operation: r.operation, Status: status, OriginalError: scrub(err)}
}

// interrupted describes a pause between attempts that the caller's context cut
// short. Without cancellation the last failure stands: there was no time for
// another attempt.
func (r *request) interrupted(ctx context.Context, last error) error {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return last
	}
	return &errs.RequestError{
		Operation: r.operation, Status: statusOf(last),
		OriginalError: fmt.Errorf("%w after %w", cancellation(ctx), last),
	}
}

// cancellation returns context.Canceled, with the reason where the canceller
// gave one.
func cancellation(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// scrub returns an error whose message holds no secret. The original stays
// reachable.
func scrub(err error) error {
	message := err.Error()
	clean := redact.Text(message)
	if clean == message {
		return err
	}
	return &scrubbedError{message: clean, original: err}
}

type scrubbedError struct {
	message  string
	original error
}

func (e *scrubbedError) Error() string { return e.message }
func (e *scrubbedError) Unwrap() error { return e.original }
