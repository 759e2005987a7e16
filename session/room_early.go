package session

import "github.com/callrx/callrx/internal/wire"

// maxEarly is how many events of a room wait for the call to join it.
const maxEarly = 256

// early holds the events of rooms that a call is about to join: they may
// overtake the call.joined that makes sense of them. It has an entry for each
// room that the service has announced.
type early map[string][]earlyEvent

type earlyEvent struct {
	e     wire.Event
	shown *Event
}

// announce makes events of a room be held.
func (y early) announce(session string) {
	if _, known := y[session]; !known && session != "" && len(y) < maxEarly {
		y[session] = nil
	}
}

// hold keeps an event of a room that no call is in for those that may be about
// to join it. On the loop, like what follows.
func (c *Client) hold(session string, e wire.Event, shown *Event) {
	if session == "" {
		return
	}
	for _, k := range c.streams.calls.Get() {
		k.room.hold(session, e, shown)
	}
}

// hold keeps an event for later if the call may be about to join its room: it
// was announced, or the call has joined none yet.
func (r *room) hold(session string, e wire.Event, shown *Event) {
	if len(r.sessions) == 0 {
		r.early.announce(session)
	}
	waiting, announced := r.early[session]
	if !announced || r.over {
		return
	}
	if len(waiting) == maxEarly {
		waiting = waiting[1:] // what is said last counts
	}
	r.early[session] = append(waiting, earlyEvent{e, shown})
}

// release applies what was held for a room that is joined now. What was held for
// rooms that nobody announced is of another call.
func (r *room) release(session string) {
	waiting := r.early[session]
	clear(r.early)
	for _, w := range waiting {
		if e, err := wire.DecodeCallEvent(w.e.Params); err == nil {
			r.k.event(w.e.Type, &e, w.shown)
		}
	}
}
