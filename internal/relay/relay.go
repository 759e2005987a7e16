package relay

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
)

// Status is where a Relay stands.
type Status int

const (
	// Connecting: the first connection is being opened and authenticated.
	Connecting Status = iota + 1
	// Live: authenticated; requests pass.
	Live
	// Reconnecting: the connection is lost and another one will be tried.
	Reconnecting
	// Ended: closed, or given up; nothing will be tried any more.
	Ended
)

// A Config says what a Relay connects to and what it tells its owner. All
// callbacks must return quickly and must not call back into Close.
type Config struct {
	// URL is asked before every attempt.
	URL func() string
	// Dial opens a socket; the duration is the server's wish to wait before
	// the next attempt, when it refused.
	Dial func(ctx context.Context, url string) (Socket, time.Duration, error)
	// Authenticate makes a fresh connection usable. It runs on the run
	// goroutine, under a context that ends with the connection. An error made
	// by Fatal ends the relay, one made by Again retries without a report.
	Authenticate func(ctx context.Context, l *Link) error
	// Event gets every new event meant for this session, in arrival order, on
	// the read goroutine.
	Event func(wire.Event)
	// OnStatus gets every change, on the run goroutine; cause is nil for
	// Connecting and Live.
	OnStatus func(s Status, cause error)
	// Report gets failures that no caller is waiting for.
	Report func(error)
	// Tap, if set, sees every frame: read goroutine for incoming, write
	// goroutine for outgoing ones.
	Tap func(generation uint64, outgoing bool, frame string)
	// Secrets, if set, are what errors must not show although nothing tells by its
	// form that it is one.
	Secrets func() []string

	// Retry and ConnectTimeout, the time to open a socket in, are asked before
	// every attempt as well.
	Retry          func() Retry
	ConnectTimeout func() time.Duration
	AuthTimeout    time.Duration // authenticate it
	RequestTimeout time.Duration // a request without a deadline of its own
	WriteTimeout   time.Duration // one frame
	PingInterval   time.Duration // ping when no request was answered for so long; negative: never
	PingTimeout    time.Duration
	StableAfter    time.Duration // a connection this old resets the back-off
	CloseTimeout   time.Duration // close handshake, and the drain after signalwire.disconnect
	QueueLimit     int           // requests waiting for a connection

	Logger *slog.Logger
}

// Stats counts what a Relay dropped.
type Stats struct {
	Malformed  uint64 // frames that were not JSON, or too large
	Ignored    uint64 // frames that meant nothing here
	Stale      uint64 // events of an older session
	Duplicates uint64 // events delivered before
}

// A Relay owns a succession of Links.
type Relay struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}
	start  sync.Once

	protocol atomic.Pointer[string]
	seen     recent // events delivered; touched by one read goroutine at a time

	generation                            atomic.Uint64
	malformed, ignored, stale, duplicates atomic.Uint64

	mu      sync.Mutex
	current *Link                   // the latest one; it may be lost already
	dialing context.CancelCauseFunc // gives up the socket being opened; nil: there is none
	live    *Link                   // takes requests; nil while not authenticated
	queue   []*call                 // first come, first sent, once there is a live link
	ended   error                   // why no more requests are taken
	closing string                  // reason for the peer
	kick    chan struct{}
}

// New makes a Relay that does nothing until Start.
func New(cfg Config) *Relay {
	r := &Relay{cfg: cfg, done: make(chan struct{}), kick: make(chan struct{}, 1)}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	return r
}

// Start begins to connect. It may be called once; Close ends what it started.
func (r *Relay) Start() { r.start.Do(func() { go r.run() }) } // Close waits for run

// Close stops for good: requests get cause, the peer reads reason. It waits
// for every goroutine of the relay, for about Config.CloseTimeout at most, and
// may be called again and from several goroutines.
func (r *Relay) Close(reason string, cause error) {
	r.mu.Lock()
	if r.closing == "" {
		r.closing = reason
	}
	r.mu.Unlock()
	r.cancel(cause)
	r.start.Do(func() { r.end(cause) })
	<-r.done
}

// Done is closed when the relay has ended and left no goroutine behind.
func (r *Relay) Done() <-chan struct{} { return r.done }

// SetProtocol names the session whose events are delivered from now on.
func (r *Relay) SetProtocol(name string) { r.protocol.Store(&name) }

// Stats returns the counters so far.
func (r *Relay) Stats() Stats {
	return Stats{
		Malformed: r.malformed.Load(), Ignored: r.ignored.Load(),
		Stale: r.stale.Load(), Duplicates: r.duplicates.Load(),
	}
}

// Call sends a request and waits for its result. While there is no
// authenticated connection it waits its turn, in a queue of bounded length; a
// request whose context ends there is never sent. One that was sent on a
// connection that is lost fails with *errs.TransportError and is not repeated.
func (r *Relay) Call(ctx context.Context, method string, params any) (wire.Raw, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	c, err := newCall(method, params, r.cfg.Secrets)
	if err != nil {
		return "", err
	}
	ctx, cancel := bound(ctx, r.cfg.RequestTimeout)
	defer cancel()
	if err := r.submit(ctx, c); err != nil {
		return "", err
	}
	defer r.forget(c)
	return c.wait(ctx)
}

func (r *Relay) submit(ctx context.Context, c *call) error {
	r.mu.Lock()
	live := r.live
	switch {
	case live != nil && live.ctx.Err() == nil:
		r.mu.Unlock()
		return live.submit(ctx, c)
	case r.ended != nil:
		r.mu.Unlock()
		return r.ended
	case len(r.queue) >= r.cfg.QueueLimit:
		r.mu.Unlock()
		return &errs.QueueFullError{Method: c.method, Capacity: r.cfg.QueueLimit}
	}
	r.queue = append(r.queue, c)
	r.mu.Unlock()
	return nil
}

// forget drops c wherever it waits.
func (r *Relay) forget(c *call) {
	c.dropped.Store(true)
	r.mu.Lock()
	live := r.live
	for i, q := range r.queue {
		if q == c {
			r.queue = append(r.queue[:i:i], r.queue[i+1:]...)
			break
		}
	}
	r.mu.Unlock()
	if live != nil {
		live.forget(c)
	}
}

// Reconnect drops the current connection, if any, authenticated or not, and
// opens another at once.
func (r *Relay) Reconnect(cause error) {
	r.mu.Lock()
	current := r.current
	r.kickNow()
	r.mu.Unlock()
	if current != nil {
		current.fail(cause)
	}
}

// event delivers what is new and meant for this session.
func (r *Relay) event(f *wire.Frame) {
	if r.seen.before(f.ID) {
		r.duplicates.Add(1)
		return
	}
	if p := r.protocol.Load(); p != nil && !f.Event.OnChannel(*p) {
		r.stale.Add(1)
		r.cfg.Logger.Debug("stale event dropped", "event_type", f.Event.Type)
		return
	}
	r.cfg.Event(f.Event)
}

// ignore counts a frame that is well-formed but means nothing here.
func (r *Relay) ignore(why string) {
	r.ignored.Add(1)
	r.cfg.Logger.Debug("frame ignored", "why", why)
}

// reject counts and reports a frame that could not be read.
func (r *Relay) reject(size int, cause error) {
	r.malformed.Add(1)
	r.cfg.Report(&errs.MessageParseError{Size: size, OriginalError: cause})
}

// syntax gives a decoding failure the error type that Go programs know.
func syntax(text string, err error) error {
	var std *json.SyntaxError
	var v json.RawMessage
	if e := json.Unmarshal([]byte(text), &v); errors.As(e, &std) {
		return std
	}
	return err
}

// where is an address without what could be a secret.
func where(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
