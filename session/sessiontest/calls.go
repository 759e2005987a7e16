package sessiontest

import (
	"sync"

	"github.com/pion/webrtc/v4"
)

// nodeID names the one media node of the gateway.
const nodeID = "n-1@puc"

// callTable holds everything about calls: legs by call id and rooms by address. Its lock guards both, and
// every leg and room field that is not said to be otherwise. Methods whose name ends in Locked need it.
// Events are queued under the lock, which never waits, so that every client gets them in the order in
// which things happened.
type callTable struct {
	srv         *Server
	certificate func() (*webrtc.Certificate, error)
	turn        turnServer

	mu       sync.Mutex
	closed   bool
	legs     map[string]*leg
	ended    []CallInfo // newest last
	rooms    map[string]*room
	openings map[string]RoomState       // of rooms by address
	roles    map[string]map[string]Role // by address of a room and reference or id of a subscriber
	scripts  []*CallScript
	vertoID  int
}

func newCallTable(s *Server) *callTable {
	return &callTable{
		srv: s, certificate: sync.OnceValues(newDTLSCertificate),
		legs: map[string]*leg{}, rooms: map[string]*room{}, openings: map[string]RoomState{}, roles: map[string]map[string]Role{},
	}
}

// addLocked makes a leg known and starts its worker. It returns false when the server is closing.
func (t *callTable) addLocked(l *leg) bool {
	if t.closed {
		return false
	}
	t.legs[l.callID] = l
	t.srv.running.Go(l.work.run)
	return true
}

// findLocked returns a live leg of a subscriber, nil if there is none with that id.
func (t *callTable) findLocked(callID, subject string) *leg {
	if l := t.legs[callID]; l != nil && l.subject == subject {
		return l
	}
	return nil
}

// closeAll ends every leg without a word and the relay with them. The server waits for what is left.
func (t *callTable) closeAll() {
	t.mu.Lock()
	t.closed = true
	for _, l := range t.legs {
		l.stopLocked()
	}
	t.mu.Unlock()
	t.turn.close()
}

// reap ends the legs of a session that lost its socket and did not come back.
func (t *callTable) reap(x *session) {
	if t.srv.sessions.socketOf(x) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	for _, l := range t.legs {
		if l.session == x {
			l.endLocked(ending{by: endedByTimeout, cause: "RECOVERY_ON_TIMER_EXPIRE", code: 102, reason: "timeout"})
		}
	}
}
