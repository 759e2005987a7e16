package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
	"github.com/callrx/callrx/media"
	"github.com/google/uuid"
)

// Version is the version of the SDK.
const Version = rest.Version

// A Client is one subscriber's session with the service, from Connect to Close.
// All methods may be called from any goroutine, also from observers.
type Client struct {
	opts     Options
	provider provider
	http     *http.Client
	api      *rest.Client
	log      *slog.Logger
	id       string // tells it from others in logs and diagnostics
	clock    clock

	// Written during Connect only, before anything reads them.
	key *DPoPKey

	hosts     atomic.Pointer[hosts]
	current   atomic.Pointer[token] // what requests are sent with
	active    atomic.Pointer[life]  // the session, for those who send requests
	counted   atomic.Pointer[life]  // the session, or the last one, for Stats
	ice       atomic.Pointer[[]media.ICEServer]
	passwords icePasswords

	sessionName atomic.Pointer[string] // its fingerprint, for logs and diagnostics

	past        past // for ExportDiagnostics
	streams     streams
	store       *store
	directory   *Directory
	preferences *Preferences
	devices     *Devices

	// The loop goroutine owns the fields of this group.
	refresh     refresher
	resume      resume
	resumeOf    string // the user whose session that is
	given       string // an authorization state from outside, for the next Connect
	session     *life  // nil without a session
	wanted      bool   // to be registered
	bound       bool   // this session has used a bound token
	projectID   string
	name        string // of the session that calls belong to: its protocol
	sequence    uint64
	reconnected func(error) // tells the Tracer; nil unless reconnecting
	entering    entering
	lastStatus  Status
	custody     custody
	legs        map[string]*Call // by the ids that events name them with
	extras      map[string]*ExtraLeg
	talks       map[string]*Conversation // that are open, by id
	catching    bool                     // somebody is closing their gaps
	sampling    bool                     // the figures of calls are being taken
	addresses   []netip.Addr             // the machine's when it was last online; nil: not known

	mailbox   chan func()
	looping   chan struct{} // closed when the loop has ended
	startLoop sync.Once
	listening sync.Once // to Options.Network
	quit      context.CancelCauseFunc
	ctx       context.Context // ends with Close
	workers   sync.WaitGroup  // whatever runs beside the loop

	turns       chan struct{} // one slot: Connect, Disconnect and UpdateCredential take turns
	asking      slot          // the provider is asked one thing at a time
	registering chan struct{} // one slot: so is the service, about registration

	mu        sync.Mutex // guards the rest
	closing   bool
	interrupt context.CancelCauseFunc // of whoever has the turn
	done      chan struct{}           // of the session that runs or ran last
	err       error
}

// New makes a client that has not started anything yet. p may be nil when an
// earlier process left a session in opts.Storage. It returns *errs.ConfigError
// for options that cannot work. With SavePreferences it waits for the storage,
// for two seconds at most.
func New(p CredentialProvider, opts Options) (*Client, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	o := opts.withDefaults()
	c := &Client{
		opts:        o,
		provider:    newProvider(p),
		id:          uuid.NewString()[:8],
		streams:     newStreams(),
		mailbox:     make(chan func(), 16),
		looping:     make(chan struct{}),
		turns:       make(chan struct{}, 1),
		asking:      newSlot(),
		legs:        map[string]*Call{},
		extras:      map[string]*ExtraLeg{},
		talks:       map[string]*Conversation{},
		registering: make(chan struct{}, 1),
		done:        make(chan struct{}),
	}
	c.log = redacting(o.Logger, &c.sessionName).With("client", c.id)
	c.watchStreams()
	c.ctx, c.quit = context.WithCancelCause(context.Background())
	c.http = o.HTTPClient
	if c.http == nil {
		c.http = rest.DefaultHTTPClient()
	}
	c.api = rest.New(rest.Config{
		Base: c.apiBase, HTTP: c.http, Token: c.bearer, Logger: c.log,
		OnUnauthorized: c.replaceToken, OnDate: c.setClock,
	})
	c.directory = newDirectory(c)
	c.store, c.custody = newStore(o.Storage, o.PersistSession, c.report), newCustody(c)
	c.preferences = newPreferences(c, o.Preferences)
	c.devices = newDevices(c)
	if o.SavePreferences {
		if err := c.preferences.Persist(c.ctx); err != nil {
			c.report(err)
		}
	}
	c.refresh = refresher{c: c, policy: o.Refresh, timer: time.NewTimer(time.Hour)}
	c.refresh.timer.Stop()
	return c, nil
}

// Open makes a client, connects it and registers it for inbound calls, as opts
// says. On error nothing is left running. A token that may not register, such as
// a guest's, is no error: ObserveErrors tells, and Registered is false.
func Open(ctx context.Context, p CredentialProvider, opts Options) (*Client, error) {
	c, err := New(p, opts)
	if err != nil {
		return nil, err
	}
	if opts.SkipConnection {
		err = c.signIn(ctx)
	} else {
		err = c.comeOnline(ctx)
	}
	if err == nil && !opts.SkipConnection && !opts.SkipRegister {
		var refused *errs.InvalidCredentialsError
		if err = c.Register(ctx); errors.As(err, &refused) {
			err = nil // reported; guests cannot register, and can call all the same
		}
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	c.takeUp()
	return c, nil
}

// Close ends the session and releases everything. Observables complete, Done is
// closed, and no goroutine of the client is left, except one that a credential
// provider or a storage holds by ignoring its context. What PersistSession
// stored stays, for a later process to resume. Close returns within about two
// seconds, always nil; calling it again is harmless.
func (c *Client) Close() error {
	why := &errs.SessionEndedError{By: errs.EndedByLocal, Cause: errs.EndClosed, OriginalError: errs.ErrClosed}
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.abort(errs.ErrClosed)
	select {
	case c.turns <- struct{}{}:
		c.begun()
		c.endCalls(&errs.CallEndedError{By: errs.EndedByLocal, Cause: string(errs.EndClosed), OriginalError: errs.ErrClosed})
		c.endSession(why, "closed")
		c.post(func() {
			c.custody.dropAll()
			c.refresh.handle(clientClosed)
			c.setStatus(clientIsClosed)
			c.quit(errs.ErrClosed)
		})
	case <-c.ctx.Done(): // another Close is at it
	}
	<-c.looping
	c.workers.Wait()
	c.preferences.complete()
	c.devices.complete()
	c.store.close()
	c.streams.calls.Set(nil) // also those that ended when the loop did
	c.streams.complete()
	c.directory.complete()
	for _, k := range c.talks {
		k.complete()
	}
	c.finish(why)
	c.dropIdle()
	return nil
}

// Disconnect ends the session on purpose: the connection is closed and what
// could resume the session is erased. The credential is kept; Connect starts a
// new session. It cancels a Connect that is under way.
func (c *Client) Disconnect(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.abort(errs.ErrDisconnected)
	ctx, release, err := c.turn(ctx, disconnecting)
	if err != nil {
		return err
	}
	defer release()
	c.endCalls(&errs.CallEndedError{By: errs.EndedByLocal, Cause: string(errs.EndDisconnected), OriginalError: errs.ErrDisconnected})
	c.endSession(&errs.SessionEndedError{
		By: errs.EndedByLocal, Cause: errs.EndDisconnected, Retryable: true, OriginalError: errs.ErrDisconnected,
	}, "disconnected")
	return c.ask(ctx, func() {
		c.refresh.handle(clientDisconnected)
		c.wanted, c.bound = false, false
		c.forgetResume()
		c.custody.dropAll()
	})
}

// Done is closed when the session has ended for good; Err then says why. A
// session survives the loss of its connection. Connect after an end starts a
// new session with a new Done.
func (c *Client) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

// Err is nil while there is a session or none has been yet. After the end it is
// a *errs.SessionEndedError that says who ended it and why, with the cause
// inside: errors.Is finds errs.ErrClosed and errs.ErrDisconnected, errors.As
// the *errs.InvalidCredentialsError of an expired or rejected token.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// ICEServers are what the service last offered for the media of calls; nil
// before the first connection.
func (c *Client) ICEServers() []media.ICEServer {
	if s := c.ice.Load(); s != nil {
		return slices.Clone(*s)
	}
	return nil
}

func (c *Client) apiBase() string {
	if c.opts.APIURL != "" {
		return c.opts.APIURL
	}
	if h := c.hosts.Load(); h != nil {
		return h.api
	}
	return ""
}

func (c *Client) bearer() string {
	if t := c.current.Load(); t != nil {
		return t.text
	}
	return ""
}

// agent is how the client introduces itself.
func (c *Client) agent() string {
	if c.opts.ClientName != "" {
		return c.opts.ClientName + " " + rest.UserAgent
	}
	return rest.UserAgent
}

// dropIdle closes idle HTTP connections, unless they are the program's.
func (c *Client) dropIdle() {
	if c.opts.HTTPClient == nil {
		c.http.CloseIdleConnections()
	}
}

// report puts a failure that no caller waits for on ObserveErrors.
func (c *Client) report(err error) {
	c.log.Warn("background failure", "error", err)
	c.failed(note{category: DiagnosticFailure, what: "error"}, err)
	c.streams.errors.Publish(err)
}

func (c *Client) warn(w Warning) {
	c.log.Warn("degraded", "code", string(w.Code()), "warning", w.String())
	c.past.add(note{category: DiagnosticFailure, what: "warning", more: map[string]any{
		"code": string(w.Code()), "message": c.clean(w.String()),
	}})
	c.streams.warnings.Publish(w)
}
