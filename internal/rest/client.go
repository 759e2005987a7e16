package rest

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Version is the version of the SDK as it names itself to servers.
const Version = "0.1.0"

// UserAgent is sent with every request.
const UserAgent = "callrx-go/" + Version

// Config says how a [Client] reaches the API. Only Base is required.
type Config struct {
	// Base returns the API's base address, such as
	// https://fabric.signalwire.com. It is asked for each request, since the
	// host follows from the token.
	Base func() string

	// HTTP sends the requests. It is used as given, except that the client
	// decides about redirects on a copy. Nil means [DefaultHTTPClient].
	HTTP *http.Client

	// Token returns the token for requests in the session's name. It is asked
	// when a request is sent, so a retry uses the newest token. Nil or an empty
	// result make such requests fail with *errs.DependencyError.
	Token func() string

	// Logger receives one debug record for each request sent. Nil discards.
	Logger *slog.Logger

	// OnUnauthorized is told the token that the server just refused with 401,
	// and may obtain another. If it returns true, the request is sent once more,
	// with what Token returns then. It is called at most once per call of a
	// method, in the caller's goroutine, and not for the token endpoints. Nil
	// means never.
	OnUnauthorized func(ctx context.Context, token string) bool

	// OnDate is told the server's time with each answer that says it. Nil means
	// nobody wants to know.
	OnDate func(time.Time)
}

// Client sends requests to the API. Its methods may be called at the same time
// from several goroutines.
type Client struct {
	base           func() string
	http           *http.Client
	ownsHTTP       bool
	token          func() string
	log            *slog.Logger
	onUnauthorized func(ctx context.Context, token string) bool
	onDate         func(time.Time)
}

// New returns a client. It sends nothing and starts nothing.
func New(config Config) *Client {
	c := &Client{
		base:           config.Base,
		token:          config.Token,
		log:            config.Logger,
		onUnauthorized: config.OnUnauthorized,
		onDate:         config.OnDate,
	}
	if config.HTTP == nil {
		config.HTTP, c.ownsHTTP = DefaultHTTPClient(), true
	}
	c.http = withRedirectRules(config.HTTP)
	if c.base == nil {
		c.base = func() string { return "" }
	}
	if c.token == nil {
		c.token = func() string { return "" }
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.log = c.log.With("component", "rest")
	return c
}

// Close drops idle connections if the client made its own [http.Client]. An
// injected one belongs to whoever made it. The client stays usable.
func (c *Client) Close() {
	if c.ownsHTTP {
		c.http.CloseIdleConnections()
	}
}

// maxRedirects bounds the redirects followed for one request.
const maxRedirects = 5

// withRedirectRules returns a copy of the client that follows a redirect only
// for a GET, and only to the same scheme and host, so that no credential and no
// body goes astray. Any other redirect is the answer. The original's own rule
// applies as well.
func withRedirectRules(original *http.Client) *http.Client {
	h := *original
	h.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		first := via[0]
		sameOrigin := next.URL.Scheme == first.URL.Scheme && next.URL.Host == first.URL.Host
		if first.Method != http.MethodGet || !sameOrigin || len(via) > maxRedirects {
			return http.ErrUseLastResponse
		}
		if original.CheckRedirect != nil {
			return original.CheckRedirect(next, via)
		}
		return nil
	}
	return &h
}
