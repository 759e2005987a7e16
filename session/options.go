package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
)

// LevelTrace is the log level of single frames, below slog.LevelDebug.
const LevelTrace = slog.LevelDebug - 4

// Options configures a client. The zero value connects to the cluster that the
// token names, keeps everything in memory and logs nothing.
type Options struct {
	// SkipConnection makes Open sign in without connecting.
	SkipConnection bool
	// SkipRegister makes Open connect without becoming reachable for calls.
	SkipRegister bool

	// APIURL replaces the REST address that the token names, for example
	// "http://127.0.0.1:8080". Plain http is allowed on loopback only.
	APIURL string
	// RelayURL replaces the WebSocket address that the token names. Plain ws is
	// allowed on loopback only.
	RelayURL string
	// AllowedDomains lists the domains, with their subdomains, that a token may
	// send this client to. Empty allows any. Set it when tokens come from
	// strangers.
	AllowedDomains []string
	// HTTPClient carries REST requests and WebSocket handshakes. Nil: one that
	// honours the proxy environment, wants TLS 1.2 and dials *.localhost names
	// on loopback. Timeout must be zero: contexts bound every request.
	HTTPClient *http.Client
	// DialSocket replaces the built-in WebSocket.
	DialSocket func(ctx context.Context, url string) (Socket, error)
	// ClientName precedes the SDK's in what the service sees as agent.
	ClientName string

	// PersistSession stores the credential, the DPoP key and what resumes the
	// session, so that a later process goes on where this one was. It needs a
	// Storage that lasts.
	PersistSession bool
	// Storage keeps what is stored. Nil: nothing is, beyond the client itself.
	Storage Storage

	// DPoPKey is the client's key. Nil: the stored one, else a new one, which
	// takes some 50 ms of CPU. Clients of one process may share a key.
	DPoPKey *DPoPKey
	// DisableDPoP signs in without a key; the client then cannot refresh tokens
	// by itself.
	DisableDPoP bool

	// Refresh tunes token refresh.
	Refresh RefreshPolicy
	// Reconnect tunes reconnecting.
	Reconnect ReconnectPolicy
	// ConnectTimeout bounds the opening of one socket. Zero: 10 s.
	ConnectTimeout time.Duration
	// RequestTimeout bounds a request whose context has no deadline. Zero: 5 s.
	RequestTimeout time.Duration
	// RingTimeout ends an inbound call that was neither answered nor rejected for
	// so long, as unanswered. Zero: it rings until the caller or the service ends
	// it.
	RingTimeout time.Duration
	// MaxFrame is the largest frame read, in bytes; larger ones are skipped and
	// reported. Zero: 4 MiB, which holds a room of some 6,000 members.
	MaxFrame int64

	// Logger gets the client's log, with secrets replaced by fingerprints. Nil:
	// none.
	// Its handler is called from the client's own goroutines and must not block.
	Logger *slog.Logger
	// WireTap sees every frame, with secrets replaced. It is called from the
	// client's own goroutines, in order per direction, and must not block.
	WireTap func(WireFrame)
}

// A WireFrame is one WebSocket message, as WireTap sees it.
type WireFrame struct {
	Time       time.Time
	Connection uint64 // counts the client's connections from 1
	Outgoing   bool
	Text       string // secrets replaced by fingerprints
}

// A RefreshPolicy tunes token refresh. Zero fields have the stated defaults.
type RefreshPolicy struct {
	// Lead is how long before expiry the first attempt starts: 30 s, but at
	// most half of the token's life.
	Lead time.Duration
	// MaxAttempts bounds one round of attempts: 5.
	MaxAttempts int
	// ObtainTimeout bounds getting a new token: 10 s.
	ObtainTimeout time.Duration
	// ApplyTimeout bounds telling the service about it: 5 s.
	ApplyTimeout time.Duration
	// MinBackoff and MaxBackoff bound the growing delay between attempts before
	// jitter: 1 s and 30 s. The actual delay is between half of it and all.
	MinBackoff, MaxBackoff time.Duration
	// ExpiryGrace is how long after expiry a session is torn down: 2 s.
	ExpiryGrace time.Duration
}

// A ReconnectPolicy tunes reconnecting. Zero fields have the stated defaults.
type ReconnectPolicy struct {
	// MinDelay and MaxDelay bound the growing delay between attempts: 100 ms
	// and 3 s. The actual delay is between half of it and all; a server's
	// Retry-After wins when it is longer.
	MinDelay, MaxDelay time.Duration
	// Budget ends the session when no connection came up for so long. Zero:
	// keep trying until the token expires.
	Budget time.Duration
	// Delay, if set, replaces the built-in delay; attempt counts from 1.
	Delay func(attempt int) time.Duration
	// PingInterval is how long no request may have been answered before the
	// client asks for a sign of life: 30 s. Negative: never.
	PingInterval time.Duration
	// PingTimeout is how long it then waits: 5 s.
	PingTimeout time.Duration
}

// Fixed periods of the protocol.
const (
	authTimeout         = 15 * time.Second // socket open to authenticated
	infoTimeout         = 30 * time.Second // subscriber info, retries included
	activationLimit     = 30 * time.Second
	boundTTL            = 900 * time.Second // lifetime asked for, and assumed when unknown
	registerPatience    = 5 * time.Second   // registration waits so long for a bound token
	writeTimeout        = 10 * time.Second
	stableAfter         = 5 * time.Second
	closeTimeout        = time.Second
	requestQueue        = 256
	skewTolerance       = 30 * time.Second
	resumeAfterExpiry   = 5 * time.Minute // how long a session lost before expiry may be resumed
	warningReplay       = 10
	wallClockCheck      = time.Minute // timers are re-read at least so often: machines sleep
	noProgressTolerance = 2 * time.Second
)

func orElse[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

// withDefaults returns a copy with every default filled in.
func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	orElse(&o.ConnectTimeout, 10*time.Second)
	orElse(&o.RequestTimeout, 5*time.Second)
	orElse(&o.MaxFrame, 4<<20)
	orElse(&o.Refresh.Lead, 30*time.Second)
	orElse(&o.Refresh.MaxAttempts, 5)
	orElse(&o.Refresh.ObtainTimeout, 10*time.Second)
	orElse(&o.Refresh.ApplyTimeout, 5*time.Second)
	orElse(&o.Refresh.MinBackoff, time.Second)
	orElse(&o.Refresh.MaxBackoff, 30*time.Second)
	orElse(&o.Refresh.ExpiryGrace, 2*time.Second)
	orElse(&o.Reconnect.MinDelay, 100*time.Millisecond)
	orElse(&o.Reconnect.MaxDelay, 3*time.Second)
	orElse(&o.Reconnect.PingInterval, 30*time.Second)
	orElse(&o.Reconnect.PingTimeout, 5*time.Second)
	return o
}

// validate returns a *errs.ConfigError for the first option that cannot work.
func (o Options) validate() error {
	if err := checkURL("APIURL", o.APIURL, "https", "http"); err != nil {
		return err
	}
	if err := checkURL("RelayURL", o.RelayURL, "wss", "ws"); err != nil {
		return err
	}
	if o.PersistSession && o.Storage == nil {
		return &errs.ConfigError{Field: "PersistSession", Problem: "needs a Storage that lasts"}
	}
	if o.DPoPKey != nil && o.DPoPKey.key == nil {
		return &errs.ConfigError{Field: "DPoPKey", Problem: "GenerateDPoPKey makes one", OriginalError: &errs.DPoPInitError{OriginalError: errors.New("the key is empty")}}
	}
	if o.HTTPClient != nil && o.HTTPClient.Timeout != 0 {
		return &errs.ConfigError{Field: "HTTPClient", Problem: "its Timeout would cut the WebSocket; leave it zero"}
	}
	positive := []struct {
		name  string
		value time.Duration
	}{
		{"ConnectTimeout", o.ConnectTimeout}, {"RequestTimeout", o.RequestTimeout},
		{"Refresh.Lead", o.Refresh.Lead}, {"Refresh.ObtainTimeout", o.Refresh.ObtainTimeout},
		{"Refresh.ApplyTimeout", o.Refresh.ApplyTimeout}, {"Refresh.MinBackoff", o.Refresh.MinBackoff},
		{"Refresh.MaxBackoff", o.Refresh.MaxBackoff}, {"Refresh.ExpiryGrace", o.Refresh.ExpiryGrace},
		{"Reconnect.MinDelay", o.Reconnect.MinDelay}, {"Reconnect.MaxDelay", o.Reconnect.MaxDelay},
		{"Reconnect.Budget", o.Reconnect.Budget}, {"Reconnect.PingTimeout", o.Reconnect.PingTimeout},
		{"RingTimeout", o.RingTimeout}, {"MaxFrame", time.Duration(o.MaxFrame)}, {"Refresh.MaxAttempts", time.Duration(o.Refresh.MaxAttempts)},
	}
	for _, p := range positive {
		if p.value < 0 {
			return &errs.ConfigError{Field: p.name, Problem: "is negative"}
		}
	}
	return nil
}

// checkURL wants an absolute URL of the secure scheme, or of the plain one on
// loopback.
func checkURL(field, text, secure, plain string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err // without the text, which may hold a password
		}
		return &errs.ConfigError{Field: field, Problem: "is not a URL", OriginalError: err}
	case u.Hostname() == "" || u.Scheme != secure && u.Scheme != plain:
		return &errs.ConfigError{Field: field, Problem: fmt.Sprintf("want %s://host, or %s:// on loopback", secure, plain)}
	case u.Scheme == plain && !isLoopback(u.Hostname()):
		return &errs.ConfigError{Field: field, Problem: fmt.Sprintf("plain %s would send the token in clear to %s; use %s", plain, u.Hostname(), secure)}
	case u.User != nil || strings.ContainsAny(text, "?#"):
		return &errs.ConfigError{Field: field, Problem: "must hold neither user nor query"}
	}
	return nil
}
