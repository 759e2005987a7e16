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
	"github.com/callrx/callrx/media"
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
	// allowed on loopback only. Empty: the preference of that name.
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
	//
	// In a [SharedStorage] the stored session is the last one's that resumed it. A
	// process without calls that is cut off by that opens a session of its own, which
	// is not stored, and says so by an *errs.SessionOwnedError on ObserveErrors; one
	// with calls on record keeps its session, and the next has another.
	PersistSession bool
	// Storage keeps what is stored. Nil: nothing is, beyond the client itself.
	Storage Storage

	// ReconnectAttachedCalls takes up the calls that an earlier process left in
	// Storage, if it ended less than the preference ReconnectCallsTimeout ago, and
	// those that the service offers. Each keeps its ID and appears in Calls; one that cannot be had is an
	// *errs.AttachError on ObserveErrors. False: such calls are forgotten, and those
	// that the service offers are ended.
	//
	// In a [SharedStorage] calls have owners: those of a process that is alive are
	// left to it, with an *errs.CallOwnedError each, and those of one that has
	// vanished are taken over when this one has seen no sign of life of it for five
	// seconds, for which Connect waits; machines may disagree about the time. Of several
	// processes one gets a call. A process whose call was taken over ends its own side
	// of it for that error. While it cannot reach the storage it keeps its calls. With
	// any other Storage one process is to use it at a time.
	ReconnectAttachedCalls bool
	// ReattachMedia gives the sources and sinks of a call that is taken up, and may
	// change what it sends and receives, which otherwise is what it did; a mute stays.
	// It is called once for each, on a goroutine of its own. Nil: silence is sent, and
	// what arrives is dropped.
	ReattachMedia func(*Call) MediaOptions
	// Preferences are what the client's preferences begin with. Nil:
	// DefaultPreferences.
	Preferences *PreferenceValues
	// SavePreferences loads and stores them, as Preferences.Persist does; that it
	// cannot is told by ObserveErrors. It needs a Storage.
	SavePreferences bool

	// Devices are the microphones, cameras and loudspeakers that calls use; see
	// Client.Devices. Nil: there are none, and calls send what the program gives them.
	Devices media.DeviceProvider
	// SkipDeviceMonitoring has Connect list the devices once, and not watch for
	// changes.
	SkipDeviceMonitoring bool

	// DPoPKey is the client's key. Nil: the stored one, else a new one, which
	// takes some 50 ms of CPU. Clients of one process may share a key.
	DPoPKey *DPoPKey
	// DisableDPoP signs in without a key; the client then cannot refresh tokens
	// by itself.
	DisableDPoP bool

	// Network tells how the machine is connected, so that a change is acted upon at
	// once instead of when something is missed; see ObserveNetworkChanges and the
	// preference EnableNetworkChangeDetection. HostNetwork(0) looks at the machine's
	// interfaces. Nil: nobody tells, and the client notices by itself, after 35
	// seconds at most for its connection and some eight for the media of a call.
	Network NetworkSource

	// Refresh tunes token refresh.
	Refresh RefreshPolicy
	// Reconnect tunes reconnecting.
	Reconnect ReconnectPolicy
	// ConnectTimeout bounds the opening of one socket. Zero: the preference
	// ConnectionTimeout, 10 s.
	ConnectTimeout time.Duration
	// RequestTimeout bounds a request whose context has no deadline. Zero: 5 s,
	// and for new descriptions the preference ReinviteTimeout.
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
	// Tracer is told of what the client does, for spans and metrics. Nil: nobody
	// is, at no cost.
	Tracer Tracer
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
	// MinDelay and MaxDelay bound the growing delay between attempts: the
	// preferences ReconnectDelayMin and ReconnectDelayMax, 100 ms and 3 s. The
	// actual delay is between half of it and all; a server's
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
	requestTimeout      = 5 * time.Second
)

func orElse[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

// withDefaults returns a copy with every default filled in, but for those that
// preferences have a say in.
func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	orElse(&o.MaxFrame, 4<<20)
	orElse(&o.Refresh.Lead, 30*time.Second)
	orElse(&o.Refresh.MaxAttempts, 5)
	orElse(&o.Refresh.ObtainTimeout, 10*time.Second)
	orElse(&o.Refresh.ApplyTimeout, 5*time.Second)
	orElse(&o.Refresh.MinBackoff, time.Second)
	orElse(&o.Refresh.MaxBackoff, 30*time.Second)
	orElse(&o.Refresh.ExpiryGrace, 2*time.Second)
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
	if o.SavePreferences && o.Storage == nil {
		return &errs.ConfigError{Field: "SavePreferences", Problem: "needs a Storage"}
	}
	if err := o.validatePreferences(); err != nil {
		return err
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

func (o Options) validatePreferences() error {
	if o.Preferences == nil {
		return nil
	}
	err := o.Preferences.validate()
	var bad *errs.ConfigError
	if errors.As(err, &bad) {
		bad.Field = "Preferences." + bad.Field
	}
	return err
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
