package session

import (
	"fmt"
	"strings"
)

// A Status is where a client stands.
type Status int

const (
	// StatusNew: never connected.
	StatusNew Status = iota
	// StatusConnecting: Connect is signing in.
	StatusConnecting
	// StatusOnline: connected and authenticated.
	StatusOnline
	// StatusReconnecting: the connection is lost, the session goes on, another
	// connection is being opened.
	StatusReconnecting
	// StatusOffline: no session. Connect may start another.
	StatusOffline
	// StatusClosed: for good.
	StatusClosed
)

// String names the status in lower case.
func (s Status) String() string {
	return nameOf(s, "new", "connecting", "online", "reconnecting", "offline", "closed")
}

// nameOf is the name of v, or, when it has none, its type and number.
func nameOf[T ~int](v T, names ...string) string {
	if v < 0 || int(v) >= len(names) {
		return fmt.Sprintf("%s(%d)", strings.TrimPrefix(fmt.Sprintf("%T", v), "session."), int(v))
	}
	return names[v]
}

// connected reports whether a session exists, even while its connection is
// being replaced.
func (s Status) connected() bool { return s == StatusOnline || s == StatusReconnecting }

// A clientEvent is what moves a client from one status to another.
type clientEvent int

const (
	connectBegun   clientEvent = iota // the program called Connect
	sessionUp                         // a connection was authenticated
	sessionLost                       // its connection broke and is being replaced
	sessionEnded                      // for good: failed, disconnected or expired
	clientIsClosed                    // the program called Close
	clientEventsNumber
)

func (e clientEvent) String() string {
	return [...]string{"connect", "session up", "connection lost", "session ended", "closed"}[e]
}

// nextStatus is the client's state machine; false means that the event does not
// belong in this status and changes nothing.
func nextStatus(s Status, e clientEvent) (Status, bool) {
	switch {
	case s == StatusClosed:
		return s, false
	case e == clientIsClosed:
		return StatusClosed, true
	case e == connectBegun && (s == StatusNew || s == StatusOffline):
		return StatusConnecting, true
	case e == sessionUp && (s == StatusConnecting || s == StatusReconnecting):
		return StatusOnline, true
	case e == sessionLost && s == StatusOnline:
		return StatusReconnecting, true
	case e == sessionEnded && (s == StatusConnecting || s.connected()):
		return StatusOffline, true
	}
	return s, false
}

// Format shows the client's status, whatever the verb: a client in a log line
// shows none of the secrets it holds.
func (c *Client) Format(w fmt.State, _ rune) { _, _ = fmt.Fprintf(w, "session.Client(%s)", c.Status()) }
