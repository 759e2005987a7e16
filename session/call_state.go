package session

// A CallStatus is where a call stands.
type CallStatus int

const (
	// CallStatusNew: an outbound call is being prepared; nothing was sent.
	CallStatusNew CallStatus = iota
	// CallStatusTrying: the service has taken the call.
	CallStatusTrying
	// CallStatusRinging: outbound, the far end rings and early media may flow;
	// inbound, the call waits for Answer or Reject.
	CallStatusRinging
	// CallStatusConnecting: answered, media is being connected.
	CallStatusConnecting
	// CallStatusConnected: answered, and media flows.
	CallStatusConnected
	// CallStatusRecovering: media was lost and is being restored.
	CallStatusRecovering
	// CallStatusDisconnecting: this program hung up.
	CallStatusDisconnecting
	// CallStatusDisconnected: over, without an error on this side.
	CallStatusDisconnected
	// CallStatusFailed: over because of an error.
	CallStatusFailed
	// CallStatusDestroyed: released; always the last.
	CallStatusDestroyed
	callStatusNumber
)

// String names the status as the Browser SDK does.
func (s CallStatus) String() string {
	return nameOf(s, "new", "trying", "ringing", "connecting", "connected", "recovering",
		"disconnecting", "disconnected", "failed", "destroyed")
}

// ended reports whether the call is over or about to be.
func (s CallStatus) ended() bool { return s >= CallStatusDisconnecting }

// A callEvent is what moves a call.
type callEvent int

const (
	inviteAccepted   callEvent = iota // the service answered the invite: "call created"
	inviteReceived                    // an inbound call arrived
	earlyMedia                        // verto.media
	callAnswered                      // verto.answer, received or about to be sent
	mediaUp                           // the main leg's media is connected
	mediaLost                         // and is no more
	hangupBegun                       // by this program
	callOver                          // bye, reject, or the hangup is done
	callFailed                        // a fatal error
	callReleased                      // nothing is left of it
	callEventsNumber                  // how many there are
)

func (e callEvent) String() string {
	return [...]string{"invite accepted", "invite received", "early media", "answered", "media up",
		"media lost", "hangup begun", "over", "failed", "released"}[e]
}

// A callState is a call's status and what decides about the next one.
type callState struct {
	status   CallStatus
	answered bool // by the far end, or by this one
	media    bool // of the main leg is connected
}

// nextCall is the state machine of a call; false means that the event does not
// belong here and changes nothing. A call only goes forward, except between
// connected and recovering. It is connected when it is both answered and its
// media is up, in whichever order that happens.
func nextCall(s callState, e callEvent) (callState, bool) {
	next := s
	switch {
	case e == callReleased:
		next.status = CallStatusDestroyed
		return next, s.status != CallStatusDestroyed
	case s.status >= CallStatusDisconnected:
		return s, false
	case e == callFailed:
		next.status = CallStatusFailed
		return next, true
	case e == callOver:
		next.status = CallStatusDisconnected
		return next, true
	case s.status == CallStatusDisconnecting:
		return s, false
	case e == hangupBegun:
		next.status = CallStatusDisconnecting
		return next, true
	}
	switch e {
	case inviteAccepted:
		next.status = forward(s.status, CallStatusTrying)
	case inviteReceived, earlyMedia:
		next.status = forward(s.status, CallStatusRinging)
	case callAnswered:
		next.answered = true
		next.status = forward(s.status, CallStatusConnecting)
	case mediaUp:
		next.media = true
	case mediaLost:
		next.media = false
		if s.status == CallStatusConnected {
			next.status = CallStatusRecovering
		}
	}
	if next.answered && next.media {
		next.status = CallStatusConnected
	}
	return next, next != s
}

// forward moves on to want, never back.
func forward(from, want CallStatus) CallStatus { return max(from, want) }
