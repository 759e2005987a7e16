package sessiontest

import (
	"errors"
	"slices"
	"time"

	"github.com/callrx/callrx/internal/wire"
)

// resume continues a session on a new socket. The state stands in for the token, which may be expired,
// and for the proof, which a restarted client does not send.
func (s *Server) resume(c *rpcCall, p wire.ConnectParams) (any, *rpcError) {
	token, err := s.verifyIgnoringExpiry(p.Authentication.JWTToken, clientKinds[:]...)
	if err != nil {
		return nil, unauthenticated(err)
	}
	x := s.sessions.resumable(p.AuthorizationState, p.Protocol)
	if x == nil {
		return nil, badResume(errors.New("authorization state is unknown, over or for another protocol"))
	}
	if x.subject != token.Subject {
		return nil, badResume(errors.New("authorization state belongs to another subscriber"))
	}
	if p.DPoPToken != "" {
		if err := s.checkRPCProof(c, token, p.DPoPToken); err != nil {
			return nil, unauthenticated(err)
		}
	}
	if !s.accept(c, x, token) {
		return nil, badResume(errEnded)
	}
	return s.connectResult(x), nil
}

func badResume(why error) *rpcError {
	return &rpcError{Code: wire.CodeRequesterValidationFailed, Message: "Requester validation failed", reason: why.Error()}
}

// socketEnded detaches a socket and starts the resume window of its session.
func (s *Server) socketEnded(k *socket) {
	t := s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sockets, k)
	x := k.session
	if x == nil || x.socket != k {
		return
	}
	x.socket, x.registered = nil, false
	x.holdUnansweredLocked()
	if s.ctx.Err() != nil {
		return
	}
	x.reap = time.AfterFunc(s.opts.CallGrace, func() { s.calls.reap(x) })
	if t.sessions[x.protocol] == x {
		x.forget = time.AfterFunc(s.opts.ResumeWindow, func() { s.sessions.forgetLost(x) })
	}
}

// sendState gives the client what it needs to resume.
func (s *Server) sendState(x *session) {
	state := s.sessions.newState(x)
	if k := s.sessions.socketOf(x); k != nil {
		k.request(wire.MethodEvent, wire.EventAuthorizationState, wire.EventParams{
			EventType: wire.EventAuthorizationState, Timestamp: s.timestamp(),
			Params: mustJSON(wire.AuthorizationState{AuthorizationState: state}),
		})
	}
}

// holdUnansweredLocked keeps for the next socket what may not have arrived on the last one. A client knows an
// event that it gets twice by its id.
func (x *session) holdUnansweredLocked() {
	held := append(x.unanswered, x.held...)
	x.held, x.unanswered = held[:min(len(held), maxHeld)], nil
}

// acknowledged forgets an event that has arrived.
func (t *sessionTable) acknowledged(k *socket, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := k.session; x != nil {
		x.unanswered = slices.DeleteFunc(x.unanswered, func(h heldFrame) bool { return h.id == id })
	}
}

// releaseHeld sends what came for x while it had no socket. From then on its socket gets events directly.
func (s *Server) releaseHeld(x *session) {
	t := s.sessions
	for {
		t.mu.Lock()
		k, held := x.socket, x.held
		switch {
		case k == nil: // it waits for the next socket
			held = nil
		case len(held) == 0:
			x.upToDate = k
		default:
			x.unanswered = append(x.unanswered, held...)
			x.held = nil
		}
		t.mu.Unlock()
		if len(held) == 0 {
			return
		}
		for _, h := range held {
			k.transmit(h.id, wire.MethodEvent, h.label, h.data)
		}
	}
}

// timestamp is the time as the wire writes it: seconds, with a fraction.
func (s *Server) timestamp() float64 { return float64(s.now().UnixMilli()) / 1000 }
