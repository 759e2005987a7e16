package sessiontest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// StateOrder checks that the getters know of an event when an observer of Call.ObserveEvents gets it. They may
// be ahead of it, so that what they tell can be explained by an event that comes later: ask for [StateOrder.Err]
// when nothing more is on its way.
//
//	order := sessiontest.StateOrder{Read: func(member string) map[string]any {
//		p := call.Participant(member)
//		if p == nil {
//			return nil
//		}
//		return map[string]any{"audio_muted": p.AudioMuted()}
//	}}
//	call.ObserveEvents().Subscribe(ctx, func(e *session.Event) { order.Saw(e.Sequence, e.Type, e.Payload) })
type StateOrder struct {
	// Read is what the getters tell of a member at the moment: values by their names on the wire, those that
	// are to be checked. Nil means that the member is not listed.
	Read func(member string) map[string]any

	run
	rooms map[string]bool
	open  []claim
}

// A claim is what a getter said in spite of an event. A later event may explain it.
type claim struct {
	OrderError
	member, field string // no field: about being listed
	got           any
}

// Saw takes in the next event.
func (o *StateOrder) Saw(sequence uint64, eventType string, payload json.RawMessage) {
	var body struct {
		Room   string         `json:"room_session_id"`
		Member map[string]any `json:"member"`
	}
	_ = json.Unmarshal(payload, &body) // an event that has neither changes no member
	id, _ := body.Member["member_id"].(string)
	o.next(sequence, eventType, func() {
		switch eventType {
		case "call.joined", "call.left": // everybody may be gone, or as told in a snapshot
			if o.rooms == nil {
				o.rooms = map[string]bool{}
			}
			o.rooms[body.Room] = eventType == "call.joined"
			o.open = nil
		case "member.joined", "member.updated":
			o.explained(id, body.Member, eventType == "member.joined")
			o.compare(id, body.Member, true)
		case "member.talking":
			o.explained(id, body.Member, false)
			o.compare(id, body.Member, false)
		case "member.left":
			o.explained(id, nil, true)
			if o.Read(id) != nil && o.inOneRoom() {
				o.claim(id, "", true, "has its member listed")
			}
		}
	})
}

// compare notes what the getters tell that is not what the event told. Talking changes nothing about those who
// are not listed, or not in that one of several rooms.
func (o *StateOrder) compare(id string, told map[string]any, lists bool) {
	read := o.Read(id)
	switch {
	case read == nil && lists:
		o.claim(id, "", false, "has its member not listed")
	case lists || o.inOneRoom():
		for field, got := range read {
			if want, known := told[field]; known && !reflect.DeepEqual(want, got) {
				o.claim(id, field, got, fmt.Sprintf("says that %s is %v, and the getter that it is %v", field, want, got))
			}
		}
	}
}

func (o *StateOrder) claim(id, field string, got any, problem string) {
	c := claim{o.now, id, field, got}
	c.Rule, c.Problem = 4, problem
	o.open = append(o.open, c)
}

// explained forgets the claims about a member that an event bears out. One that comes or goes is another one.
func (o *StateOrder) explained(id string, told map[string]any, another bool) {
	o.open = slices.DeleteFunc(o.open, func(c claim) bool {
		return c.member == id && (another || c.field == "" && c.got == true || c.field != "" && reflect.DeepEqual(told[c.field], c.got))
	})
}

func (o *StateOrder) inOneRoom() bool {
	n := 0
	for _, in := range o.rooms {
		if in {
			n++
		}
	}
	return n == 1
}

// Err is the first event that the getters did not know of, an [*OrderError], or nil.
func (o *StateOrder) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.open) == 0 {
		return nil
	}
	e := o.open[0].OrderError
	return &e
}

// A ListedMember is one participant of a list, as its getters tell at the moment.
type ListedMember struct {
	ID     string
	Known  bool // the getters tell what came with it, such as its name
	Ended  bool // Done is closed
	Listed bool // Call.Participants has it and the call is not destroyed, asked for after Done
}

// ListOrder checks what one observer of Call.ObserveParticipants gets. The zero value is ready; its methods may
// be called from any goroutine.
type ListOrder struct{ run }

// Saw takes in the next list.
func (o *ListOrder) Saw(list []ListedMember) {
	o.next(0, "participants", func() {
		for _, m := range list {
			switch {
			case !m.Known:
				o.fail(6, fmt.Sprintf("tells of %s before it is known", m.ID))
			case m.Ended && m.Listed:
				o.fail(6, fmt.Sprintf("still lists %s, which has ended", m.ID))
			}
		}
	})
}
