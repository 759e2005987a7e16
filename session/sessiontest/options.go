package sessiontest

import (
	"log/slog"
	"time"

	"github.com/pion/webrtc/v4"
)

// Options configures a [Server]. The zero value is a plain loopback server with the lifetimes and
// windows of the production service as far as they are known; every field says what zero means.
// A duration that may be switched off is switched off by a negative value.
type Options struct {
	// Where the server lives.

	// TLS makes the server speak https and wss with a certificate signed by a throw-away authority
	// that only [Server.Client] and [Server.CertPool] know. It is ignored when InMemory is set.
	TLS bool
	// Domain is what the host names end in: "callrx.localhost" when empty. Tokens then name
	// "puc.<Domain>:<port>" as their cluster host. A Domain with a port keeps that port.
	Domain string
	// Addr is where the server listens: "127.0.0.1:0" when empty.
	Addr string
	// AdminAddr, when set, starts a second listener (loopback only) with the admin API.
	AdminAddr string
	// InMemory replaces sockets by in-memory connections, so that a server and its clients can live
	// inside a [testing/synctest] bubble. Only [Server.Client] and [Server.DialContext] reach it.
	InMemory bool
	// OmitClusterHost leaves the cluster host out of minted tokens.
	OmitClusterHost bool
	// AllowedOrigins limits which browser origins may connect; empty allows every origin.
	AllowedOrigins []string

	// Who may mint tokens. Random when empty; see [Server.Project].

	ProjectID    string
	ProjectToken string

	// Token lifetimes.

	// TokenTTL is the life of a SAT or guest token that asks for none: 2 hours when zero.
	TokenTTL time.Duration
	// MaxBoundLifetime caps client-bound tokens: 15 minutes when zero.
	MaxBoundLifetime time.Duration
	// MaxFamilyLifetime ends all bound tokens that descend from one SAT this long after that SAT
	// was issued; zero sets no limit.
	MaxFamilyLifetime time.Duration
	// TokenLeeway accepts tokens this long after their expiry; zero accepts none.
	TokenLeeway time.Duration

	// Session life.

	// ExpirySlack delays the closing of an expired session; zero closes at the expiry itself.
	ExpirySlack time.Duration
	// ResumeWindow is how long a session survives its lost socket: 5 minutes when zero.
	ResumeWindow time.Duration
	// ReauthWindow is what a session resumed with an expired token gets to bring a fresh one:
	// 30 seconds when zero.
	ReauthWindow time.Duration
	// PingInterval is the time between signalwire.ping requests: 10 seconds when zero, negative
	// sends none.
	PingInterval time.Duration
	// PingTimeout closes a socket whose ping stays unanswered that long: 15 seconds when zero,
	// negative never closes.
	PingTimeout time.Duration
	// IdleLimit closes a socket that did not authenticate: 60 seconds when zero, negative never.
	IdleLimit time.Duration
	// GuestsMayGoOnline answers subscriber.online from guest and invite tokens with success and
	// registers nothing, as pages that always register need it. By default it is refused.
	GuestsMayGoOnline bool

	// Calls.

	// NoTURN leaves the relay out of the connect result and does not start it. InMemory implies it.
	NoTURN bool
	// AllInterfaces offers the addresses of every interface for media; by default only loopback is.
	AllInterfaces bool
	// SettingEngine, when set, prepares every media transport: with a virtual network
	// (github.com/pion/transport/v5/vnet) calls work inside a [testing/synctest] bubble. The network is
	// then its own affair: neither loopback nor AllInterfaces is applied.
	SettingEngine func(*webrtc.SettingEngine)
	// DefaultDestination is where phone numbers and sip: addresses go: "/public/echo" when empty.
	DefaultDestination string
	// KnownRoomsOnly refuses calls to public addresses that no backend created, beside the built-in ones.
	// By default a call opens the room it names.
	KnownRoomsOnly bool
	// RingTimeout ends a call that nobody answers: 60 seconds when zero.
	RingTimeout time.Duration
	// EarlyMedia is how long /public/early plays before it answers: 1 second when zero.
	EarlyMedia time.Duration
	// CallGrace is how long calls survive the loss of their socket: 60 seconds when zero.
	CallGrace time.Duration
	// CallPingInterval is the time between verto.ping messages of a call: 30 seconds when zero,
	// negative sends none.
	CallPingInterval time.Duration
	// MediaTimeout ends a call whose media has failed and does not come back: 15 seconds when zero.
	MediaTimeout time.Duration

	// Proofs of possession (RFC 9449) and rotation.

	// ProofWindow is how far a proof's issue time may lie from the server's clock, either way:
	// 5 minutes when zero. Used proof ids are remembered for twice that time plus one minute.
	ProofWindow time.Duration
	// StrictProofs uses up a proof even when the request it came with ended in a 5xx answer.
	StrictProofs bool
	// RotationGrace is how long a used-up refresh token is answered again with the same new pair:
	// 10 seconds when zero, negative never.
	RotationGrace time.Duration
	// StrictRotation revokes the whole token family when a used-up refresh token comes back after
	// the grace, and revokes a bound token once its successor is used, 30 seconds later at most.
	StrictRotation bool

	// Observation.

	// JournalLimit is how many entries the journal keeps, the oldest go first: 65536 when zero.
	JournalLimit int
	// Logger receives the server's log, without token material; nil discards it.
	Logger *slog.Logger
	// Verbose makes [NewServer] log at debug level to the test's output when Logger is nil.
	Verbose bool
}

// withDefaults returns a copy in which every zero field has its documented value.
func (o Options) withDefaults() Options {
	setDefault(&o.Domain, "callrx.localhost")
	setDefault(&o.Addr, "127.0.0.1:0")
	setDefault(&o.ProjectID, newUUID())
	setDefault(&o.ProjectToken, "PT"+newSecret(24))
	setDefault(&o.TokenTTL, 2*time.Hour)
	setDefault(&o.MaxBoundLifetime, 15*time.Minute)
	setDefault(&o.ResumeWindow, 5*time.Minute)
	setDefault(&o.ReauthWindow, 30*time.Second)
	setDefault(&o.PingInterval, 10*time.Second)
	setDefault(&o.PingTimeout, 15*time.Second)
	setDefault(&o.IdleLimit, time.Minute)
	setDefault(&o.ProofWindow, 5*time.Minute)
	setDefault(&o.RotationGrace, 10*time.Second)
	setDefault(&o.DefaultDestination, "/public/echo")
	setDefault(&o.RingTimeout, time.Minute)
	setDefault(&o.EarlyMedia, time.Second)
	setDefault(&o.CallGrace, time.Minute)
	setDefault(&o.CallPingInterval, 30*time.Second)
	setDefault(&o.MediaTimeout, 15*time.Second)
	setDefault(&o.JournalLimit, 1<<16)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.InMemory {
		o.TLS = false
		o.NoTURN = true
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
