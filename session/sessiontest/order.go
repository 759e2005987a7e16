package sessiontest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// An OrderError is the first break of the rules of order that package session
// publishes ("Order" in its documentation).
type OrderError struct {
	Rule     int    // its number there
	Index    int    // which event breaks it, counted from 0
	Sequence uint64 // that event's number in its session
	Type     string
	Problem  string
}

// Error tells the rule, the event and what is wrong.
func (e *OrderError) Error() string {
	return fmt.Sprintf("order rule %d: event %d (%s, sequence %d) %s", e.Rule, e.Index, e.Type, e.Sequence, e.Problem)
}

// SessionOrder checks what one observer of Client.ObserveSignalingEvents gets.
// The zero value is ready; its methods may be called from any goroutine.
//
//	var order sessiontest.SessionOrder
//	client.ObserveSignalingEvents().Subscribe(ctx, func(e *session.Event) { order.Saw(e.Sequence, e.Type, e.Payload) })
//	...
//	if err := order.Err(); err != nil { // names the first break
type SessionOrder struct{ run }

// Saw takes in the next event.
func (o *SessionOrder) Saw(sequence uint64, eventType string, _ json.RawMessage) {
	o.next(sequence, eventType, func() {
		if o.index > 0 && sequence != o.last+1 {
			o.fail(1, fmt.Sprintf("follows sequence %d", o.last))
		}
		o.last = sequence
	})
}

// CallOrder checks what one observer of Call.ObserveEvents gets; see
// [SessionOrder].
type CallOrder struct {
	// Late says that the observer came after the call had joined a room, so that
	// it has not seen every call.joined.
	Late bool

	run
	seen   map[uint64]bool
	rooms  map[string]bool // joined, and not left: true; left: false
	joined string          // the room that early events may be of: the one just joined
	early  uint64          // the last of these
}

// Saw takes in the next event.
func (o *CallOrder) Saw(sequence uint64, eventType string, payload json.RawMessage) {
	var body struct {
		Room string `json:"room_session_id"`
		Call string `json:"call_id"`
	}
	_ = json.Unmarshal(payload, &body) // an event that names neither is of no room
	o.next(sequence, eventType, func() {
		if o.seen == nil {
			o.seen, o.rooms = map[uint64]bool{}, map[string]bool{}
		}
		if o.seen[sequence] {
			o.fail(3, "comes a second time")
		}
		o.seen[sequence] = true
		o.rising(sequence, body.Room)
		o.inRoom(eventType, body.Room, body.Call == "")
	})
}

// rising checks rule 2. Early events of a room follow its call.joined at once.
func (o *CallOrder) rising(sequence uint64, room string) {
	switch {
	case sequence > o.last:
		o.last, o.joined = sequence, ""
	case o.joined == "" || o.joined != room:
		o.fail(2, fmt.Sprintf("comes after sequence %d", o.last))
	case sequence <= o.early:
		o.fail(2, fmt.Sprintf("comes after sequence %d, which was early as well", o.early))
	default:
		o.early = sequence
	}
}

// inRoom checks rule 5.
func (o *CallOrder) inRoom(eventType, room string, byRoom bool) {
	in, known := o.rooms[room]
	switch {
	case room == "":
	case eventType == "call.joined":
		o.rooms[room], o.joined, o.early = true, room, 0
	case eventType == "call.left":
		o.rooms[room] = false
	case !byRoom || !ofRoom(eventType):
	case known && !in:
		o.fail(5, "is of a room that the call has left")
	case !known && !o.Late:
		o.fail(5, "is of a room that the call has not joined")
	}
}

func ofRoom(eventType string) bool {
	return strings.HasPrefix(eventType, "member.") || eventType == "layout.changed" ||
		eventType == "call.updated" || eventType == "room.updated"
}

// run is what the checkers have in common.
type run struct {
	mu     sync.Mutex // guards the rest, and the fields of whoever embeds it
	index  int
	last   uint64 // the highest sequence so far
	now    OrderError
	broken *OrderError
}

// next checks one event, unless something was wrong before.
func (r *run) next(sequence uint64, eventType string, check func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		r.now = OrderError{Index: r.index, Sequence: sequence, Type: eventType}
		check()
		r.index++
	}
}

func (r *run) fail(rule int, problem string) {
	if r.broken == nil {
		e := r.now
		e.Rule, e.Problem = rule, problem
		r.broken = &e
	}
}

// Count is how many events were in order.
func (r *run) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken.Index
	}
	return r.index
}

// Err is the first break, an [*OrderError], or nil.
func (r *run) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	return nil
}
