package sessiontest

import (
	"slices"
	"sync"
	"time"
)

const (
	maxStates = 8   // authorization states of one session that are honoured
	maxHeld   = 256 // events kept for a session without a socket
)

// session is an authenticated relationship. It outlives its sockets.
type session struct {
	protocol string
	identity string
	subject  string
	claims   claims // of the token accepted last

	registered bool
	ended      bool        // expired or forgotten: it cannot come back
	bound      bool        // the token accepted last is bound to a key
	deadline   time.Time   // by the server's clock
	socket     *socket     // nil while disconnected
	states     []string    // newest last
	held       []heldFrame // for the next socket
	unanswered []heldFrame // sent, and not acknowledged
	upToDate   *socket     // has been sent all that was held
	expiry     *time.Timer // fires at the deadline, plus slack
	forget     *time.Timer // fires when the resume window is over
	reap       *time.Timer // fires when calls without a socket are over
}

// heldFrame waits for a session's next socket.
type heldFrame struct {
	id    string
	label label
	data  []byte
}

// sessionTable holds all sessions and sockets. Its lock guards their links and every session field.
type sessionTable struct {
	mu       sync.Mutex
	sessions map[string]*session // by protocol
	states   map[string]*session // by authorization state
	sockets  map[*socket]bool
}

func newSessionTable() *sessionTable {
	return &sessionTable{
		sessions: map[string]*session{}, states: map[string]*session{}, sockets: map[*socket]bool{},
	}
}

// of returns the session that a socket carries, nil for none.
func (t *sessionTable) of(k *socket) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return k.session
}

func (t *sessionTable) addSocket(k *socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sockets[k] = true
}

// protocol returns the protocol string of the socket's session, "" before it has one.
func (k *socket) protocol() string {
	if x := k.srv.sessions.of(k); x != nil {
		return x.protocol
	}
	return ""
}

func (k *socket) subscriberID() string {
	if x := k.srv.sessions.of(k); x != nil {
		return x.subject
	}
	return ""
}

// newState makes an authorization state for x. The newest few stay valid, since the client may not have
// seen the last one when its socket broke.
func (t *sessionTable) newState(x *session) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	state := newSecret(32)
	x.states = append(x.states, state)
	t.states[state] = x
	for len(x.states) > maxStates {
		delete(t.states, x.states[0])
		x.states = slices.Delete(x.states, 0, 1)
	}
	return state
}

func (t *sessionTable) resumable(state, protocol string) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.states[state]
	if x == nil || x.protocol != protocol {
		return nil
	}
	return x
}

// forgetLost removes a session that nobody resumed.
func (t *sessionTable) forgetLost(x *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x.socket == nil {
		t.removeLocked(x)
	}
}

// removeLocked ends a session: its states resume nothing any more.
func (t *sessionTable) removeLocked(x *session) {
	x.ended = true
	delete(t.sessions, x.protocol)
	for _, state := range x.states {
		delete(t.states, state)
	}
	x.states, x.held = nil, nil
	if x.expiry != nil {
		x.expiry.Stop()
	}
	if x.forget != nil {
		x.forget.Stop()
	}
}

func (t *sessionTable) socketOf(x *session) *socket {
	t.mu.Lock()
	defer t.mu.Unlock()
	return x.socket
}

// closeAll cuts every socket and stops every session timer.
func (t *sessionTable) closeAll() {
	t.mu.Lock()
	var open []*socket
	for k := range t.sockets {
		open = append(open, k)
	}
	for _, x := range t.sessions {
		t.removeLocked(x)
	}
	t.mu.Unlock()
	for _, k := range open {
		k.drop()
	}
}
