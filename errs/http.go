package errs

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// APIErrorItem is one entry of the list of problems that the REST API sends
// with status 422. An answer that has a single text instead of a list becomes
// one item with only a Message.
type APIErrorItem struct {
	Type      string // such as validation_error
	Code      string // such as invalid_parameter
	Message   string
	Attribute string // field of the request concerned, may be empty
	URL       string // documentation of the code, may be empty
}

// HTTPError says that a server answered with a status other than 2xx.
type HTTPError struct {
	Method string
	Path   string // without host and query
	Status int

	// RetryAfter is how long the server asks to wait, 0 when it does not say.
	RetryAfter time.Duration
	// Date is the server's clock when it answered, zero when it does not say.
	Date time.Time

	Code    string         // code of the first item, empty without one
	Errors  []APIErrorItem // what the body lists, nil when it lists nothing
	Snippet string         // head of the body, redacted, at most 512 bytes
}

// Error names the request, the status and the problems listed.
func (e *HTTPError) Error() string {
	text := withDetail(requestText(e.Method, e.Path), ": ", statusText(e.Status))
	problems := make([]string, 0, len(e.Errors))
	for _, item := range e.Errors {
		problem := strings.TrimPrefix(withDetail(item.Code, ": ", item.Message), ": ")
		problems = append(problems, withDetail(problem, " at ", item.Attribute))
	}
	if len(problems) == 0 {
		return withDetail(text, ": ", e.Code)
	}
	return withDetail(text, ": ", strings.Join(problems, "; "))
}

// Retryable reports whether the status describes a passing condition: 408, 425,
// 429 or 5xx.
func (e *HTTPError) Retryable() bool { return retryableStatus(e.Status) }

// ResponseError says that a server answered with success, but that the answer
// cannot be used: a web page, half a JSON object, an object without a token.
type ResponseError struct {
	Method  string
	Path    string // without host and query
	Problem string // such as "token missing"
	Snippet string // head of the body, redacted, at most 512 bytes

	// OriginalError is the decoder's error, such as *json.SyntaxError or
	// io.ErrUnexpectedEOF, nil when the body is well-formed.
	OriginalError error
}

// Error names the request, the problem and the cause.
func (e *ResponseError) Error() string {
	text := requestText(e.Method, e.Path) + ": unusable response"
	return withCause(withDetail(text, ": ", e.Problem), e.OriginalError)
}

// Unwrap returns the cause.
func (e *ResponseError) Unwrap() error { return e.OriginalError }

// Retryable reports true: such answers come from proxies and restarts, and pass.
func (e *ResponseError) Retryable() bool { return true }

// RequestError says that an HTTP request got no usable answer. The cause tells
// which step failed: a network error, *[HTTPError] or *[ResponseError]. Status is
// 0 when no answer arrived.
type RequestError struct {
	Operation     string // such as "exchange embed token"
	Status        int
	OriginalError error
}

// Error names the operation, the status and the cause.
func (e *RequestError) Error() string {
	text := withDetail("request", " to ", e.Operation)
	if e.OriginalError == nil && e.Status != 0 {
		return text + ": " + statusText(e.Status)
	}
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.OriginalError }

// RequestTimeoutError says that an HTTP request did not finish in time, body
// included. It matches context.DeadlineExceeded.
type RequestTimeoutError struct {
	Operation     string
	After         time.Duration
	OriginalError error
}

// Error names the operation and the time allowed.
func (e *RequestTimeoutError) Error() string {
	text := withDetail("request", " to ", e.Operation)
	return withCause(fmt.Sprintf("%s timed out after %s", text, e.After), e.OriginalError)
}

// Unwrap returns the cause.
func (e *RequestTimeoutError) Unwrap() error { return e.OriginalError }

// Is makes the error match context.DeadlineExceeded.
func (e *RequestTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Retryable reports true.
func (e *RequestTimeoutError) Retryable() bool { return true }

// requestText names an HTTP request.
func requestText(method, path string) string {
	return withDetail(withDetail("http", " ", method), " ", path)
}
