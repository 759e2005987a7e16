package sessiontest

import (
	"slices"
	"strings"
	"time"
)

// CallScript makes calls to a destination go differently. Of several that match the oldest is used.
type CallScript struct {
	// Destination is the address as it is dialled, without query; empty for every address.
	Destination string
	// Times is how many calls it is for: 1 when zero, -1 for all.
	Times int
	// AnswerDelay holds back the gateway's answer, and with it the media, that long.
	AnswerDelay time.Duration
	// NeverAnswer leaves a call to a room, the echo or the tone without answer.
	NeverAnswer bool
	// AnswerSDP is sent instead of every session description of the gateway.
	AnswerSDP string
	// DropMedia connects the media but passes nothing on, either way. See also [Server.DropMedia].
	DropMedia bool
	// RefuseEvents are event types that the client may not subscribe to.
	RefuseEvents []string
}

// ScriptCalls puts a script into force until the returned function is called.
func (s *Server) ScriptCalls(script CallScript) (remove func()) {
	setDefault(&script.Times, 1)
	t, p := s.calls, &script
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scripts = append(t.scripts, p)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.scripts = slices.DeleteFunc(t.scripts, func(other *CallScript) bool { return other == p })
	}
}

// takeScriptLocked returns the script for a call to an address, zero for none.
func (t *callTable) takeScriptLocked(address string) CallScript {
	for _, script := range t.scripts {
		if script.Times != 0 && (script.Destination == "" || script.Destination == address) {
			script.Times--
			return *script
		}
	}
	return CallScript{}
}

// HangupCall ends a leg from the far side. The cause is NORMAL_CLEARING when empty; a zero code is the
// usual one of that cause. It returns false when there is no such leg.
func (s *Server) HangupCall(callID, cause string, code int) bool {
	e := normal(endedByServer)
	if cause != "" {
		e.cause, e.code, e.reason = cause, codeOf(cause, code), strings.ToLower(cause)
	}
	return s.calls.withLeg(callID, func(l *leg) { l.endLocked(e) })
}

// DismissCall takes a leg out of every room it is in, and says so with call.left, but leaves the leg alone: no
// verto.bye follows, and the media stays up until its client gives up. It returns false when there is no such
// leg.
func (s *Server) DismissCall(callID, reason string) bool {
	return s.calls.withLeg(callID, func(l *leg) {
		if l.answered() {
			l.leaveLocked(reason)
		}
	})
}

// SendVerto sends a Verto message to the client of a leg, whatever it does there. It returns false when
// there is no such leg. The parameters must be encodable as JSON.
func (s *Server) SendVerto(callID, method string, params any) bool {
	return s.calls.withLeg(callID, func(l *leg) { l.sendVertoLocked(method, params) })
}

// SendDTMF plays digits to the client of a leg as telephone events (RFC 4733), 200 ms each. It returns
// false when there is no such leg or it receives no audio; without the format in its description nothing
// is sent.
func (s *Server) SendDTMF(callID, digits string) bool {
	sent := false
	s.calls.withLeg(callID, func(l *leg) { sent = l.sendDigitsLocked(digits) })
	return sent
}

// DropMedia stops passing on what comes from and goes to the client of a leg, or starts again. The
// transport stays up. It returns false when there is no such leg.
func (s *Server) DropMedia(callID string, drop bool) bool {
	return s.calls.withLeg(callID, func(l *leg) {
		l.dropped = drop
		if l.answered() {
			l.room.rerouteLocked()
		}
	})
}

func (t *callTable) withLeg(callID string, f func(*leg)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.legs[callID]
	if l == nil || t.closed {
		return false
	}
	f(l)
	return true
}
