package sessiontest

import (
	"slices"
)

// roomKind says what a room does with media and who may do what in it.
type roomKind int

const (
	roomConference roomKind = iota // everybody hears whoever speaks
	roomBridge                     // two legs; when one goes the other goes
	roomEcho                       // one leg that hears itself
	roomTone                       // one leg that hears a tone
)

// room is where answered legs are. Even a call to the echo is in one, by itself.
type room struct {
	t         *callTable
	kind      roomKind
	key       string // under which others find it, "" for nobody
	id        string
	sessionID string
	name      string
	display   string
	state     RoomState
	legs      []*leg // in order of arrival
	floor     []*leg // who spoke last comes first
	mixer     *mixer // nil while there is nothing to mix
	shown     string // who is highlighted in the layout that was sent last
}

// newRoomLocked makes the room of a destination, which nobody finds yet.
func (t *callTable) newRoomLocked(d destination) *room {
	r := &room{
		t: t, kind: d.kind, id: newUUID(), sessionID: newUUID(), name: d.name, display: d.display,
		state: RoomState{Layout: layoutGrid},
	}
	if d.kind == roomConference {
		r.key, r.state = d.address, t.openingLocked(d)
	}
	return r
}

// roomLocked returns the room of an address, opened if need be.
func (t *callTable) roomLocked(d destination) *room {
	if d.kind != roomConference {
		return t.newRoomLocked(d)
	}
	r := t.rooms[d.address]
	if r == nil {
		r = t.newRoomLocked(d)
		t.rooms[r.key] = r
	}
	return r
}

// joinLocked brings a leg into a room and tells everybody. Its own client learns of the room first.
func (l *leg) joinLocked(r *room) {
	r.legs = append(r.legs, l)
	l.room = r
	if l.parent == nil {
		r.admitLocked(l)
		l.sendJoinedLocked()
	}
	r.broadcastLocked("member.joined", l, map[string]any{"member": l.memberLocked(r)})
	r.changedLocked()
}

// bridgeLocked brings both legs of a call between two into a room of their own.
func (t *callTable) bridgeLocked(caller, callee *leg) {
	r := t.newRoomLocked(destination{kind: roomBridge, name: caller.name + "-" + callee.name})
	r.legs = []*leg{caller, callee}
	caller.room, callee.room = r, r
	for _, l := range r.legs {
		r.admitLocked(l)
		peer := callee
		if l == callee {
			peer = caller
		}
		l.sendConnectLocked(r.sessionID, "connected", peer)
		l.sendJoinedLocked()
	}
	r.changedLocked()
}

// changedLocked follows a change of who is in the room: layout and ways of the media.
func (r *room) changedLocked() {
	if r.hasVideo() {
		r.sendLayoutLocked()
	}
	r.rerouteLocked()
}

// leaveLocked takes a leg out of every room it is in, the one it came into last first.
func (l *leg) leaveLocked(reason string) {
	for _, r := range l.roomsLocked() {
		r.dismissLocked(l, reason)
	}
	l.outer = nil
}

// dismissLocked takes a leg out of a room, if it is there, and tells everybody.
func (r *room) dismissLocked(l *leg, reason string) {
	if !slices.Contains(r.legs, l) {
		return
	}
	gone := map[string]any{"reason": reason, "member": l.memberLocked(r)}
	r.removeLocked(l)
	if l.parent == nil {
		l.sendLeftLocked(r, reason)
	}
	r.broadcastLocked("member.left", l, gone)
	r.changedLocked()
	if r.kind == roomBridge && l.parent == nil {
		for _, other := range slices.Clone(r.legs) {
			other.endLocked(normal(endedByPeer))
		}
	}
}

// removeLocked takes a leg out of the lists of a room, without telling anybody. The leg still knows the
// room it was in.
func (r *room) removeLocked(l *leg) {
	is := func(other *leg) bool { return other == l }
	r.legs, r.floor = slices.DeleteFunc(slices.Clone(r.legs), is), slices.DeleteFunc(slices.Clone(r.floor), is)
	for _, sec := range l.sections() {
		sec.targets.Store(nil)
	}
	if len(r.legs) == 0 && r.key != "" && r.t.rooms[r.key] == r {
		delete(r.t.rooms, r.key)
	}
}

// memberOf returns the leg with that member id, nil if there is none.
func (r *room) memberOf(id string) *leg {
	for _, l := range r.legs {
		if l.memberID == id {
			return l
		}
	}
	return nil
}
