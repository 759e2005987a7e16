package session

import (
	"slices"
	"strings"

	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/observable"
)

// A room is what a call knows of the rooms it is in and of their members. The
// client's loop owns it; view is for everybody.
type room struct {
	k        *Call
	sessions []*roomSession          // joined, the current one last
	members  map[string]*Participant // of all of them, by id
	list     []*Participant          // in the order of joining; shown, so only ever appended to
	leaving  []*Participant          // out of it, and to be ended once that is shown
	self     *SelfParticipant
	selfID   string
	layouts  []string
	round    uint64 // counts the layouts applied
	early    early
	words    map[string]string                                 // texts that many members share
	owner    func(f wire.MemberField, old, text string) string // own, made once
	over     bool
	afresh   bool // the next join is the first one again

	view        facts[roomView]
	local       facts[localView]
	mutes       slot // muting on both sides is one step
	screenShare *observable.State[ScreenShareStatus]
}

// A roomSession is one room that the call is in.
type roomSession struct {
	id string
	roomFacts
}

// roomFacts is what the service tells of one room.
type roomFacts struct {
	name, displayName string
	flags             wire.RoomFlag
	meta              map[string]any
	layout            string
	layers            []LayoutLayer
	capabilities      []Capability
}

// roomView is what a program sees of a call's rooms: the facts are those of the
// room joined last.
type roomView struct {
	roomFacts
	self         *SelfParticipant
	participants []*Participant
	layouts      []string
}

func newRoom(k *Call) *room {
	r := &room{
		k: k, members: map[string]*Participant{}, words: map[string]string{}, early: early{},
		view: facts[roomView]{now: &roomView{}}, local: facts[localView]{now: &localView{}},
		mutes: newSlot(), screenShare: observable.NewState(ScreenShareNone),
	}
	r.owner = r.own
	return r
}

// apply takes in an event of the call.
func (r *room) apply(kind string, e *wire.CallEvent) {
	s := r.session(e.RoomSessionID)
	switch {
	case r.over:
	case kind == wire.EventCallJoined:
		r.joined(e)
	case s == nil:
		r.early.announce(e.RoomSessionID) // the call is about to join it
	case kind == wire.EventMemberUpdated, kind == wire.EventMemberTalking, kind == wire.EventMemberJoined:
		r.told(s, kind, &e.Member)
	case kind == wire.EventMemberLeft:
		r.memberLeft(s, e.Member.ID())
	case kind == wire.EventLayoutChanged:
		r.layoutChanged(s, e.Layout)
	case kind == wire.EventCallUpdated, kind == wire.EventRoomUpdated:
		r.updated(s, e.RoomSession)
	case kind == wire.EventCallLeft:
		r.left(s, e)
	}
}

func (r *room) session(id string) *roomSession {
	for _, s := range r.sessions {
		if s.id == id {
			return s
		}
	}
	return nil
}

// updated changes what is told of a room and leaves the rest as it is.
func (r *room) updated(s *roomSession, raw wire.Raw) {
	if raw == "" {
		return
	}
	told, err := wire.DecodeRoomSession(raw, nil)
	if err != nil {
		return
	}
	s.flags = s.flags&^told.Known | told.Flags
	if told.Meta != "" {
		s.meta = decodeObject(told.Meta)
	}
	r.publish()
}

// left forgets a room that the call has left, and whoever was in that one only.
func (r *room) left(s *roomSession, e *wire.CallEvent) {
	if e.MemberID != r.selfID && r.k.c.legs[e.CallID] != r.k {
		return // of somebody else
	}
	r.sessions = slices.DeleteFunc(slices.Clone(r.sessions), func(other *roomSession) bool { return other == s })
	delete(r.k.rooms, s.id)
	r.remove(func(p *Participant) bool { return p.leave(s) })
	r.publish()
	if len(r.sessions) == 0 && e.CallID == r.k.id && !strings.HasPrefix(e.Reason, "transfer") {
		r.k.awaitBye(e.Reason)
	}
}

// publish shows the state of the room that was joined last.
func (r *room) publish() {
	v := roomView{self: r.self, participants: r.list, layouts: r.layouts}
	if n := len(r.sessions); n > 0 {
		v.roomFacts = r.sessions[n-1].roomFacts
	}
	r.view.set(&v)
	for _, p := range r.leaving {
		p.end()
	}
	r.leaving = nil
}

// complete ends everything that can be observed of the rooms.
func (r *room) complete() {
	r.over = true
	for _, p := range r.list {
		p.end()
	}
	r.view.complete()
	r.local.complete()
	r.screenShare.Complete()
}

// maxWords bounds the memory for shared texts.
const maxWords = 64

// own returns a copy of a text that does not hold the frame it came in, the same
// one for all members where they are likely to share it.
func (r *room) own(f wire.MemberField, old, text string) string {
	if old == text {
		return old
	}
	switch f {
	case wire.MemberNodeID, wire.MemberRoomID, wire.MemberRoomSessionID, wire.MemberType, wire.MemberRequestedPosition:
		if word, ok := r.words[text]; ok {
			return word
		}
		text = strings.Clone(text)
		if len(r.words) < maxWords {
			r.words[text] = text
		}
		return text
	}
	return strings.Clone(text)
}
