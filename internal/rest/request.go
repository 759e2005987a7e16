package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/callrx/callrx/errs"
)

const (
	tokenTimeout = 10 * time.Second // one attempt at a token endpoint, body included
	readTimeout  = 30 * time.Second // one attempt at anything else

	tokenLimit = 64 << 10 // bytes of a token endpoint's answer
	readLimit  = 8 << 20  // bytes of any other answer
)

// request is one call of the API, in all its attempts.
type request struct {
	operation string // for errors, as in "fetch subscriber info"
	method    string
	base      *url.URL
	path      string
	query     string // encoded
	body      []byte // nil for none
	auth      auth
	secrets   []string // what must not show if the server sends it back
	timeout   time.Duration
	limit     int64
	retry     retry
}

// auth makes the Authorization header. The zero value sends none.
type auth struct {
	scheme  string
	secret  func() string // asked for each attempt
	session bool          // the secret is the session's token, which can be renewed
}

func bearer(token string) auth {
	return auth{scheme: "Bearer", secret: func() string { return token }}
}

func basic(user, password string) auth {
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return auth{scheme: "Basic", secret: func() string { return pair }}
}

// apiBase returns the base address that holds now.
func (c *Client) apiBase() (*url.URL, error) { return baseURL("API base URL", c.base()) }

// get prepares a read in the session's name.
func (c *Client) get(operation, path string) (*request, error) {
	if c.base() == "" { // which the first token names
		return nil, noToken(operation)
	}
	base, err := c.apiBase()
	if err != nil {
		return nil, err
	}
	return &request{
		operation: operation, method: http.MethodGet, base: base, path: path,
		auth:    auth{scheme: "Bearer", secret: c.token, session: true},
		timeout: readTimeout, limit: readLimit, retry: retryReads,
	}, nil
}

func noToken(operation string) error {
	return &errs.DependencyError{Description: "token to " + operation}
}

// post prepares a request to a token endpoint.
func post(operation string, base *url.URL, path string, a auth, body any, secrets ...string) (*request, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, &errs.RequestError{Operation: operation, OriginalError: err}
	}
	return &request{
		operation: operation, method: http.MethodPost, base: base, path: path,
		body: encoded, auth: a, secrets: secrets,
		timeout: tokenTimeout, limit: tokenLimit, retry: retryNone,
	}, nil
}

// url returns the full address of the request.
func (r *request) url() string {
	u := r.base.JoinPath(r.path)
	u.RawQuery = r.query
	return u.String()
}

// do runs the request to its end: attempts, pauses, and one replay with a
// renewed token.
func (c *Client) do(ctx context.Context, r *request) (*answer, error) {
	replayed := false
	for attempt := 1; ; attempt++ {
		secret := ""
		if r.auth.secret != nil {
			if secret = r.auth.secret(); secret == "" {
				return nil, noToken(r.operation)
			}
		}
		result, err := c.attempt(ctx, r, secret, attempt)
		if err == nil {
			return result, nil
		}
		if !replayed && c.renewed(ctx, r, secret, err) {
			replayed = true
			attempt--
			continue
		}
		if !r.retry.again(attempt, err) {
			return nil, err
		}
		if !pause(ctx, r.retry.delay(attempt, err)) {
			return nil, r.interrupted(ctx, err)
		}
	}
}

// renewed reports whether the server refused the session's token and a better
// one is there now.
func (c *Client) renewed(ctx context.Context, r *request, token string, err error) bool {
	if !r.auth.session || c.onUnauthorized == nil || statusOf(err) != http.StatusUnauthorized {
		return false
	}
	return c.onUnauthorized(ctx, token)
}

// attempt sends the request once and logs how it went.
func (c *Client) attempt(ctx context.Context, r *request, secret string, number int) (*answer, error) {
	started := time.Now()
	result, err := c.exchange(ctx, r, secret)
	attrs := []any{"method", r.method, "host", r.base.Host, "path", r.path, "attempt", number, "elapsed", time.Since(started)}
	if err != nil {
		c.log.DebugContext(ctx, "request failed", append(attrs, "error", err.Error())...)
		return nil, err
	}
	c.log.DebugContext(ctx, "request answered", append(attrs, "status", result.status)...)
	return result, nil
}

// exchange sends the request and reads the whole answer within the time allowed.
func (c *Client) exchange(ctx context.Context, r *request, secret string) (*answer, error) {
	timed, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	started := time.Now()
	req, err := http.NewRequestWithContext(timed, r.method, r.url(), bytes.NewReader(r.body))
	if err != nil {
		return nil, r.failed(ctx, timed, started, 0, err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", UserAgent)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if secret != "" {
		req.Header.Set("Authorization", r.auth.scheme+" "+secret)
	}

	response, err := c.http.Do(req)
	if err != nil {
		return nil, r.failed(ctx, timed, started, 0, err)
	}
	defer response.Body.Close()
	if at := serverTime(response.Header); !at.IsZero() && c.onDate != nil {
		c.onDate(at)
	}
	result, err := r.read(response, secret)
	if err != nil && statusOf(err) == 0 {
		return nil, r.failed(ctx, timed, started, response.StatusCode, err)
	}
	return result, err
}
