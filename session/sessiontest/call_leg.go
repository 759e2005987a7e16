package sessiontest

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/sdp/v3"
)

// CallState is the life of a leg as call.state events tell it.
type CallState string

// The states of a leg.
const (
	CallCreated  CallState = "created"  // known to the gateway
	CallRinging  CallState = "ringing"  // waiting for the far end, or for this client to answer
	CallAnswered CallState = "answered" // in a room, with whoever else is there
	CallEnded    CallState = "ended"
)

// leg is the connection of one client to the gateway. A main leg is a call; a screen or device leg belongs
// to one.
type leg struct {
	// Set once.

	t         *callTable
	callID    string
	memberID  string
	segmentID string
	subject   string
	inbound   bool   // the client dialled; otherwise the gateway rang it
	kind      string // "member", "screen" or "device"
	parent    *leg   // of a screen or device
	name      string // display name
	from, to  string
	createdAt time.Time
	ctx       context.Context // ends with the leg
	cancel    context.CancelFunc
	work      *worker // answers, offers and closes, in order

	own *legMedia // touched by the worker only

	voiceAt     atomic.Int64 // when a voice was heard last
	speaking    atomic.Bool  // talking, or about to be
	silenced    atomic.Bool  // nothing is sent to the client
	sensitivity atomic.Int64 // the level at which a voice is heard, in dB below full scale

	// Guarded by the table.

	session      *session
	via          *socket // that the client began with
	offered      *socket // that the leg was offered on
	dest         destination
	state        CallState
	answeredAt   time.Time
	endedAt      time.Time
	ending       ending
	room         *room   // that its media is in
	outer        []*room // that it came through and is still a member of
	role         Role    // of its own, whatever the room would give it
	capabilities []string
	audience     bool
	bot          *Bot  // nil for the leg of a client
	ring         *ring // the ringing this leg is part of
	offer        *sdp.SessionDescription
	negotiated   int       // counts offers, so that only the newest is answered
	agreed       int       // the offer that media agrees with
	media        *legMedia // nil until there is a description
	script       CallScript
	flags        memberFlags
	held         bool
	dropped      bool // a fault stops its media
	talking      bool
	quiet        *time.Timer // ends talking
	pinger       *time.Timer
	lost         *time.Timer        // ends the leg when its media stays away
	stopSource   context.CancelFunc // of a tone
	digits       []string
	subscribed   []string // event types

	userVariables map[string]any
}

// newLeg prepares a leg for the client of a session.
func (t *callTable) newLeg(x *session, callID string) *leg {
	l := &leg{
		t: t, callID: callID, memberID: newUUID(), segmentID: newUUID(), subject: x.subject, session: x,
		kind: "member", state: CallCreated, createdAt: t.srv.now(), work: newWorker(), flags: newMemberFlags(),
	}
	l.sensitivity.Store(int64(l.flags.InputSensitivity))
	l.ctx, l.cancel = context.WithCancel(t.srv.ctx)
	if sub := t.srv.registry.subscriber(x.subject); sub != nil {
		l.name = sub.Profile.DisplayName
	}
	return l
}

// answered tells whether the leg takes part in a room.
func (l *leg) answered() bool { return l.state == CallAnswered && l.room != nil }

// setStateLocked changes the state and tells the client.
func (l *leg) setStateLocked(state CallState) {
	l.state = state
	l.sendStateLocked()
}

// sendSDPLocked delivers the gateway's description once, with verto.media or verto.answer.
func (l *leg) sendSDPLocked(method, text string) {
	if l.script.AnswerSDP != "" {
		text = l.script.AnswerSDP
	}
	l.sendVertoLocked(method, map[string]any{"callID": l.callID, "sdp": text})
}

// Who ended a leg.
const (
	endedByClient  = "client"
	endedByPeer    = "peer"
	endedByServer  = "server"
	endedByTimeout = "timeout"
)

// ending says how a leg ends.
type ending struct {
	by     string
	cause  string
	code   int
	reason string // of call.left and member.left
}

// normal is the ending of a call that was hung up.
func normal(by string) ending {
	return ending{by: by, cause: "NORMAL_CLEARING", code: 16, reason: "hangup"}
}

// turnedAway is the ending of a call to a room that is locked.
func turnedAway() ending {
	return ending{by: endedByServer, cause: "CALL_REJECTED", code: 21, reason: "locked"}
}

// endLocked ends a leg: tells its client, the others of its room and whoever rings, and gives up its media.
// A client that hung up by itself gets no verto.bye, and nobody gets one for a screen or a device, which a
// client would take for the end of its call.
func (l *leg) endLocked(e ending) {
	if l.state == CallEnded {
		return
	}
	before, joined := l.state, l.answered()
	l.state, l.ending, l.endedAt = CallEnded, e, l.t.srv.now()
	l.stopLocked()
	if e.by != endedByClient && l.parent == nil {
		l.sendVertoLocked("verto.bye", map[string]any{"callID": l.callID, "cause": e.cause, "causeCode": e.code})
		if before == CallRinging && !l.inbound {
			l.repeatByeLocked(e)
		}
	}
	if l.parent == nil && (l.inbound || joined) {
		l.sendStateLocked()
	}
	for _, other := range l.t.legs {
		if other.parent == l {
			other.endLocked(ending{by: endedByPeer, cause: e.cause, code: e.code, reason: e.reason})
		}
	}
	if joined {
		l.leaveLocked(e.reason)
	}
	if l.ring != nil {
		l.ring.legEndedLocked(l, e)
	}
	l.t.forgetLocked(l)
}

// stopLocked ends everything that runs for the leg.
func (l *leg) stopLocked() {
	l.cancel()
	for _, timer := range [...]*time.Timer{l.quiet, l.pinger, l.lost} {
		if timer != nil {
			timer.Stop()
		}
	}
	l.work.finish(func() {
		if l.own != nil {
			l.own.close()
		}
	})
}

// repeatByeLocked cancels a ringing once more. A client that looks the caller up before it knows the call
// would otherwise ring for ever.
func (l *leg) repeatByeLocked(e ending) {
	time.AfterFunc(2*time.Second, func() {
		l.t.mu.Lock()
		defer l.t.mu.Unlock()
		if !l.t.closed {
			l.sendVertoLocked("verto.bye", map[string]any{"callID": l.callID, "cause": e.cause, "causeCode": e.code})
		}
	})
}

// sections returns the media sections of the leg.
func (l *leg) sections() []*section {
	if l.media == nil {
		return nil
	}
	return l.media.live()
}

// hasVideo tells whether the client shows or sees something.
func (l *leg) hasVideo() bool {
	return slices.ContainsFunc(l.sections(), func(s *section) bool { return isVideo(s) && (s.fromClient() || s.toClient()) })
}

func (l *leg) digitString() string { return strings.Join(l.digits, "") }
