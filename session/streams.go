package session

import (
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
)

// streams are the write sides of what a client lets its program observe.
type streams struct {
	errors     *observable.Events[error]
	warnings   *observable.Events[Warning]
	events     *observable.Events[*Event]
	incoming   *observable.Events[*Call]
	preflight  *observable.Events[PreflightProgress]
	calls      *observable.State[[]*Call]
	status     *observable.State[Status]
	ready      *observable.State[bool]
	connected  *observable.State[bool]
	registered *observable.State[bool]
	user       *observable.State[*User]
	credential *observable.State[CredentialInfo]
	suspended  *observable.State[bool]

	network        *observable.State[NetworkState]
	networkChanges *observable.Events[NetworkChange]
}

func newStreams() streams {
	return streams{
		errors:     observable.NewEvents[error](1),
		warnings:   observable.NewEvents[Warning](warningReplay),
		events:     observable.NewEvents[*Event](0),
		incoming:   observable.NewEvents[*Call](0),
		preflight:  observable.NewEvents[PreflightProgress](0),
		calls:      observable.NewStateFunc([]*Call(nil), slices.Equal),
		status:     observable.NewState(StatusNew),
		ready:      observable.NewState(false),
		connected:  observable.NewState(false),
		registered: observable.NewState(false),
		user:       observable.NewState[*User](nil),
		credential: observable.NewState(CredentialInfo{}),
		suspended:  observable.NewState(false),

		network:        observable.NewStateFunc(NetworkState{Online: true}, NetworkState.equal),
		networkChanges: observable.NewEvents[NetworkChange](0),
	}
}

func (s *streams) complete() {
	s.errors.Complete()
	s.warnings.Complete()
	s.events.Complete()
	s.incoming.Complete()
	s.preflight.Complete()
	s.calls.Complete()
	s.status.Complete()
	s.ready.Complete()
	s.connected.Complete()
	s.registered.Complete()
	s.user.Complete()
	s.credential.Complete()
	s.suspended.Complete()
	s.network.Complete()
	s.networkChanges.Complete()
}

// ObserveErrors delivers every failure that no caller is waiting for, and those
// of Connect and Register as well: *errs.TokenRefreshError,
// *errs.DeviceTokenError, *errs.InvalidCredentialsError, *errs.TransportError,
// *errs.MessageParseError and others, as values. It is an event stream that
// replays the last one, and completes with Close. Do not keep the observable
// without watching it: events since this call are held for it.
func (c *Client) ObserveErrors() observable.Of[error] { return c.streams.errors.Observe() }

// ObserveWarnings delivers what works less well than it could. It is an event
// stream that replays the last ten.
func (c *Client) ObserveWarnings() observable.Of[Warning] { return c.streams.warnings.Observe() }

// ObserveSignalingEvents delivers every event of the service, in the order of
// arrival. It is an event stream without replay.
func (c *Client) ObserveSignalingEvents() observable.Of[*Event] { return c.streams.events.Observe() }

// Status is where the client stands.
func (c *Client) Status() Status { return c.streams.status.Get() }

// ObserveStatus is the state stream of Status.
func (c *Client) ObserveStatus() observable.Of[Status] { return c.streams.status.Observe() }

// Ready reports whether requests reach the service now: connected and
// authenticated. It goes false while the connection is being replaced.
func (c *Client) Ready() bool { return c.streams.ready.Get() }

// ObserveReady is the state stream of Ready.
func (c *Client) ObserveReady() observable.Of[bool] { return c.streams.ready.Observe() }

// Connected reports whether there is a session, even if its connection is being
// replaced at the moment.
func (c *Client) Connected() bool { return c.streams.connected.Get() }

// ObserveConnected is the state stream of Connected; ObserveReady tells of a connection
// that is being replaced.
func (c *Client) ObserveConnected() observable.Of[bool] { return c.streams.connected.Observe() }

// Registered reports whether inbound calls reach this client.
func (c *Client) Registered() bool { return c.streams.registered.Get() }

// ObserveRegistered is the state stream of Registered.
func (c *Client) ObserveRegistered() observable.Of[bool] { return c.streams.registered.Observe() }

// User is the signed-in subscriber; nil until the service has told.
func (c *Client) User() *User { return c.streams.user.Get() }

// ObserveUser is the state stream of User.
func (c *Client) ObserveUser() observable.Of[*User] { return c.streams.user.Observe() }

// A CredentialInfo says how the credential in use stands, without showing it.
type CredentialInfo struct {
	Fingerprint string                // of the token; changes with every refresh
	ExpiresAt   time.Time             // zero: unknown
	ClientBound bool                  // worthless without the client's DPoP key
	Mechanism   errs.RefreshMechanism // what refreshes it; empty: nothing
	RefreshAt   time.Time             // when the next attempt is due; zero: none
	Refresh     string                // the state of the refresher, for people
}

// Credential says how the credential in use stands.
func (c *Client) Credential() CredentialInfo { return c.streams.credential.Get() }

// ObserveCredential is the state stream of Credential: it changes when a token
// is refreshed, replaced or given up.
func (c *Client) ObserveCredential() observable.Of[CredentialInfo] {
	return c.streams.credential.Observe()
}

// publish shows the refresher's state.
func (r *refresher) publish() {
	info := CredentialInfo{
		ExpiresAt: r.token.expiresAt, ClientBound: r.token.bound,
		RefreshAt: r.due, Refresh: r.state.String(),
	}
	if r.token.text != "" {
		info.Fingerprint = fingerprint(r.token.text)
	}
	if r.state >= refreshArmed && r.state <= refreshBackoff {
		info.Mechanism = r.mechanism
	}
	r.c.streams.credential.Set(info)
}
