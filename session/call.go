package session

import (
	"context"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/serial"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// A Call is a conversation that this client dialled or was offered. Its handle
// stays valid, and its ID the same, across reconnects and sessions, until it is
// destroyed.
// All methods may be called from any goroutine, also from observers.
type Call struct {
	c         *Client
	id        string
	direction errs.CallDirection
	to, from  Party
	digits    *observable.Events[media.Digit]
	voice     *callVoice
	quality   *callQuality
	recovery  *callRecovery

	status *observable.State[CallStatus]
	held   *observable.State[bool]
	params *observable.Events[MediaParams]
	tuned  *observable.Events[AudioConstraintsChange]
	talk   *observable.Events[*Event]

	node, member *observable.State[string] // where it is hosted, and our own member id
	directions   *observable.State[media.Directions]
	variables    *observable.State[map[string]any]

	errors  *observable.Events[error]
	events  *observable.Events[*Event]
	decided sync.Once   // an inbound call is answered or rejected once
	ringing *time.Timer // until when; nil: for ever

	ctx  context.Context // ends with the call, for the reason it ended
	stop context.CancelCauseFunc
	done chan struct{} // closed when nothing is left of the call
	jobs serial.Queue  // what is done to the media, one after the other

	past     callPast // for ExportDiagnostics
	traced   callTrace
	exchange chan struct{} // one slot: offers are made and answered one after the other

	// The client's loop owns the fields of this group.
	state callState
	offer string // of an inbound call
	known bool   // the service may know of the call: an end is told
	rooms map[string]bool
	room  *room

	inputs   [2]*callInput // audio and video
	wishes   []MediaParams // of the service, the oldest first
	granting bool          // the first of them is being done

	kept    bool          // the call is on record in the storage
	keptAt  time.Time     // last written by itself
	letGo   chan struct{} // closed when it is known that the call is this client's to end; nil: it is
	revived bool          // made of the record of an earlier process
	orphans []attachExtra // what that sent beside the main leg, and the service still has

	answeredBefore bool // in that process

	leaving *errs.CallEndedError // why this program hung up, which is why the call ends then

	veiled    bool   // video is not sent, as the client is suspended
	departure uint64 // counts signs that the call goes on after it has left its last room

	attachment    uint64 // counts attempts to attach: what an older one brings is void
	attaching     bool   // one is under way
	stopAttaching context.CancelFunc
	attachNow     chan struct{} // do not wait for the next try: capacity 1
	extras        []*ExtraLeg   // that ended with the call
	subscribed    []string      // event types that the service was asked for

	mu          sync.Mutex // guards the rest
	leg         *media.Leg
	loudspeaker *selectedOutput // that it plays on; nil: the program does with what it hears as it likes
	ice         iceChoice
	unclear     bool            // whether the service means the same since the last exchange
	clearing    bool            // that is being cleared up
	attached    bool            // the first exchange of descriptions is done
	reattaching bool            // it is to be done again, on another session
	invited     bool            // the offer there is has been sent: an answer that comes before is to an older one
	here        context.Context // ends when that is so
	leave       context.CancelCauseFunc
	wanted      media.Directions
	ended       *errs.CallEndedError
}

// A Party is one end of a call.
type Party struct {
	URI  string // "/private/ann", "+15551234567", "sip:..."
	Name string // for people; may be empty
}

// newCall makes a call. For the Tracer it belongs to ctx, and it lives on when
// that ends.
func (c *Client) newCall(ctx context.Context, id string, d errs.CallDirection) *Call {
	k := &Call{
		c: c, id: id, direction: d,
		digits:   observable.NewEvents[media.Digit](0),
		status:   observable.NewState(CallStatusNew),
		held:     observable.NewState(false),
		params:   observable.NewEvents[MediaParams](0),
		tuned:    observable.NewEvents[AudioConstraintsChange](0),
		talk:     observable.NewEvents[*Event](0),
		errors:   observable.NewEvents[error](1),
		events:   observable.NewEvents[*Event](0),
		done:     make(chan struct{}),
		exchange: make(chan struct{}, 1), attachNow: make(chan struct{}, 1),
		rooms: map[string]bool{},
	}
	k.newFacts()
	k.MergeUserVariables(c.preferred().UserVariables)
	k.past.began = time.Now().Round(0)
	k.traced.ctx = context.WithoutCancel(ctx)
	k.begins(OperationCall)
	k.stopAttaching = func() {}
	k.watchStreams()
	k.room, k.voice = newRoom(k), newCallVoice()
	k.inputs = newCallInputs(k)
	k.quality, k.recovery = newCallQuality(), newCallRecovery()
	k.jobs.Workers = &c.workers
	k.ctx, k.stop = context.WithCancelCause(k.traced.ctx)
	k.here, k.leave = context.WithCancelCause(k.ctx)
	return k
}

// ID names the call, here and on the wire.
func (k *Call) ID() string { return k.id }

// Direction says who placed the call.
func (k *Call) Direction() errs.CallDirection { return k.direction }

// To is the called party: what was dialled, or for an inbound call this client.
func (k *Call) To() Party { return k.to }

// From is the calling party of an inbound call.
func (k *Call) From() Party { return k.from }

// Status is where the call stands.
func (k *Call) Status() CallStatus { return k.status.Get() }

// ObserveStatus is the state stream of Status. It ends with
// CallStatusDestroyed.
func (k *Call) ObserveStatus() observable.Of[CallStatus] { return k.status.Observe() }

// Held reports whether the call is on hold.
func (k *Call) Held() bool { return k.held.Get() }

// ObserveHeld is the state stream of Held.
func (k *Call) ObserveHeld() observable.Of[bool] { return k.held.Observe() }

// ObserveErrors delivers the call's *errs.CallError values, as an event stream
// that replays the last one. A fatal one is the last and ends the call.
func (k *Call) ObserveErrors() observable.Of[error] { return k.errors.Observe() }

// ObserveEvents delivers the service's events of this call, known to the SDK or
// not, in order of arrival: an event stream without replay.
func (k *Call) ObserveEvents() observable.Of[*Event] { return k.events.Observe() }

// ObserveDigits delivers the keys that the far end presses: an event stream
// without replay.
func (k *Call) ObserveDigits() observable.Of[media.Digit] { return k.digits.Observe() }

// Done is closed when the call is over and everything of it is released.
func (k *Call) Done() <-chan struct{} { return k.done }

// Err is nil while the call lives. Then it is a *errs.CallEndedError that says
// who ended it and why.
func (k *Call) Err() error {
	if e := k.EndReason(); e != nil {
		return e
	}
	return nil
}

// EndReason is what Err returns, typed; nil while the call lives.
func (k *Call) EndReason() *errs.CallEndedError {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ended
}

// ObserveIncoming delivers each new inbound call once, ringing: an event stream
// without replay.
func (c *Client) ObserveIncoming() observable.Of[*Call] { return c.streams.incoming.Observe() }

// Calls are the live calls, newest first. The slice is shared: do not change it.
func (c *Client) Calls() []*Call { return c.streams.calls.Get() }

// ObserveCalls is the state stream of Calls.
func (c *Client) ObserveCalls() observable.Of[[]*Call] { return c.streams.calls.Observe() }
