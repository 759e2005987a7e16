package sessiontest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/internal/wire"
)

// The verbs below act on sessions. Their who is a protocol string, a subscriber's id or its reference;
// empty means everybody. They return how many sessions or sockets they reached.

// SessionInfo describes a session at one moment.
type SessionInfo struct {
	Protocol     string    `json:"protocol"`      // names the session
	SubscriberID string    `json:"subscriber_id"` // whose it is
	Reference    string    `json:"reference"`     // the subscriber's reference
	TokenID      string    `json:"token_id"`      // jti of the token accepted last
	ClientBound  bool      `json:"client_bound"`  // that token is bound to a key
	Registered   bool      `json:"registered"`    // inbound calls would be delivered
	Connected    bool      `json:"connected"`     // it has a socket; otherwise it waits to be resumed
	Deadline     time.Time `json:"deadline"`      // when it is closed unless it brings a new token
}

// Sessions returns the live sessions, in the order of their protocol strings.
func (s *Server) Sessions() []SessionInfo {
	var infos []SessionInfo
	for _, x := range s.sessions.match(s.matcher("")) {
		infos = append(infos, s.sessionInfo(x))
	}
	slices.SortFunc(infos, func(a, b SessionInfo) int { return strings.Compare(a.Protocol, b.Protocol) })
	return infos
}

func (s *Server) sessionInfo(x *session) SessionInfo {
	var reference string
	if sub := s.registry.subscriber(x.subject); sub != nil {
		reference = sub.Reference
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return SessionInfo{
		Protocol: x.protocol, SubscriberID: x.subject, Reference: reference, TokenID: x.claims.JTI,
		ClientBound: x.bound, Registered: x.registered, Connected: x.socket != nil, Deadline: x.deadline,
	}
}

// Drop cuts sockets without farewell, as a failing network does. The sessions can be resumed. With an
// empty who it also cuts sockets that carry no session yet.
func (s *Server) Drop(who string) int {
	return s.eachSocket(who, (*socket).drop)
}

// CloseSockets closes sockets with a close code and reason. The sessions can be resumed.
func (s *Server) CloseSockets(who string, code int, reason string) int {
	return s.eachSocket(who, func(k *socket) { k.close(websocket.StatusCode(code), reason) })
}

// StallMode says which direction of a half-open socket is dead.
type StallMode int

const (
	StallNone StallMode = iota // both directions work again
	StallDeaf                  // the server hears nothing, but what it sends arrives
	StallMute                  // the server hears and acts, but nothing it sends arrives
	StallBoth                  // neither
)

// Stall makes open sockets half-open, or whole again with [StallNone]: what was under way is then
// delivered, as after a network outage. A deaf server does not miss its pings.
func (s *Server) Stall(who string, mode StallMode) int {
	return s.eachSocket(who, func(k *socket) {
		if k.conn != nil {
			k.conn.stall(mode == StallDeaf || mode == StallBoth, mode == StallMute || mode == StallBoth)
		}
	})
}

// RefuseConnections refuses WebSocket handshakes until the returned fault is removed: with an HTTP status
// and, unless retryAfter is zero, a Retry-After header, or by cutting the connection when status is zero.
// Open sockets and REST are not touched.
func (s *Server) RefuseConnections(status int, retryAfter time.Duration) *InjectedFault {
	a := Action{Kind: FaultStatus, Status: status}
	if status == 0 {
		a.Kind = FaultReset
	}
	if retryAfter > 0 {
		a.Headers = map[string]string{"Retry-After": strconv.Itoa(int(retryAfter.Seconds()))}
	}
	return s.Inject(Fault{Match: Match{Method: http.MethodGet, Path: "/"}, Times: -1, Action: a})
}

// SendEvent sends a signalwire.event. The channel is a string, a list of strings, or nil for an event that
// names none; an event on a channel that does not name a session's protocol is stale to that client. A
// session without socket gets the event when it is resumed. It fails when params cannot be encoded.
func (s *Server) SendEvent(who, eventType string, channel, params any) (int, error) {
	data, err := json.Marshal(params)
	if err != nil {
		return 0, fmt.Errorf("encode event: %w", err)
	}
	event := wire.EventParams{EventType: eventType, EventChannel: channel, Timestamp: s.timestamp(), Params: data}
	matched := s.sessions.match(s.matcher(who))
	for _, x := range matched {
		s.deliver(x, event, label{event: eventType})
	}
	return len(matched), nil
}

// label says what a frame that is sent is about.
type label struct{ event, verto, call string }

// deliver sends an event to a session, or keeps it for the session's next socket.
func (s *Server) deliver(x *session, event wire.EventParams, about label) {
	id := newUUID()
	data := requestFrame(id, wire.MethodEvent, event)
	t := s.sessions
	t.mu.Lock()
	k := x.socket
	direct := k != nil && x.upToDate == k
	switch frame := (heldFrame{id, about, data}); {
	case direct && len(x.unanswered) < maxHeld:
		x.unanswered = append(x.unanswered, frame)
	case !direct && len(x.held) < maxHeld:
		x.held = append(x.held, frame)
	}
	t.mu.Unlock()
	if direct {
		k.transmit(id, wire.MethodEvent, about, data)
	}
}

// SendRaw writes a text frame as it is: garbage, huge frames, unknown methods.
func (s *Server) SendRaw(who string, frame []byte) int {
	return s.eachSocket(who, func(k *socket) { k.transmit("", "", label{}, frame) })
}

// AnnounceDisconnect sends signalwire.disconnect, by which a node says that it is going away. It closes
// nothing: follow it with [Server.CloseSockets] or [Server.Drop].
func (s *Server) AnnounceDisconnect(who string) int {
	return s.eachSocket(who, func(k *socket) { k.request(wire.MethodDisconnect, "", struct{}{}) })
}

// Expire ends sessions as if their tokens had run out now: the socket is closed with 4401 token_expired
// and nothing can be resumed.
func (s *Server) Expire(who string) int {
	matched := s.sessions.match(s.matcher(who))
	for _, x := range matched {
		s.sessions.mu.Lock()
		k := x.socket
		s.sessions.removeLocked(x)
		s.sessions.mu.Unlock()
		if k != nil {
			k.closeExpired()
		}
	}
	return len(matched)
}

// matcher turns a who into a test on sessions.
func (s *Server) matcher(who string) func(*session) bool {
	if who == "" {
		return func(*session) bool { return true }
	}
	if sub := s.registry.find(who); sub != nil {
		who = sub.ID
	}
	return func(x *session) bool { return x.protocol == who || x.subject == who }
}

func (t *sessionTable) match(want func(*session) bool) []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []*session
	for _, x := range t.sessions {
		if want(x) {
			found = append(found, x)
		}
	}
	return found
}

// eachSocket runs do for the sockets of the matching sessions, outside the lock.
func (s *Server) eachSocket(who string, do func(*socket)) int {
	want, t := s.matcher(who), s.sessions
	var found []*socket
	t.mu.Lock()
	for k := range t.sockets {
		if k.session == nil && who == "" || k.session != nil && want(k.session) {
			found = append(found, k)
		}
	}
	t.mu.Unlock()
	for _, k := range found {
		do(k)
	}
	return len(found)
}
