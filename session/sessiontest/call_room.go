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
	legs      []*leg // in order of arrival
	floor     []*leg // who spoke last comes first
	layout    string
	locked    bool
}

func (t *callTable) newRoom(kind roomKind, name, display string) *room {
	return &room{
		t: t, kind: kind, id: newUUID(), sessionID: newUUID(), name: name, display: display, layout: layouts[0],
	}
}

// roomLocked returns the room of an address, opened if need be.
func (t *callTable) roomLocked(d destination) *room {
	if d.kind != roomConference {
		return t.newRoom(d.kind, d.name, d.display)
	}
	r := t.rooms[d.address]
	if r == nil {
		r = t.newRoom(roomConference, d.name, d.display)
		r.key = d.address
		t.rooms[r.key] = r
	}
	return r
}

func (r *room) capabilities() []string {
	if r.kind == roomConference {
		return roomCapabilities[:]
	}
	return bridgeCapabilities[:]
}

// describeLocked is the room session as the client of a leg is told.
func (r *room) describeLocked(to *leg) map[string]any {
	members := []member{}
	for _, l := range r.legs {
		members = append(members, l.memberLocked())
	}
	return map[string]any{
		"room_session_id": r.sessionID, "room_id": r.id, "event_channel": to.session.protocol, "name": r.name,
		"display_name": r.display, "layout_name": r.layout, "recording": false, "streaming": false,
		"prioritize_handraise": false, "hide_video_muted": false, "locked": r.locked, "meta": map[string]any{},
		"members": members, "recordings": []any{}, "streams": []any{}, "playbacks": []any{},
	}
}

// joinLocked brings a leg into a room and tells everybody. Its own client learns of the room first.
func (l *leg) joinLocked(r *room) {
	r.legs = append(r.legs, l)
	l.room = r
	if l.parent == nil {
		l.sendJoinedLocked()
	}
	r.broadcastLocked("member.joined", l, map[string]any{"member": l.memberLocked()})
	r.changedLocked()
}

// bridgeLocked brings both legs of a call between two into a room of their own.
func (t *callTable) bridgeLocked(caller, callee *leg) {
	r := t.newRoom(roomBridge, caller.name+"-"+callee.name, "")
	r.legs = []*leg{caller, callee}
	caller.room, callee.room = r, r
	for _, l := range r.legs {
		peer := callee
		if l == callee {
			peer = caller
		}
		l.sendLocked("call.connect", map[string]any{
			"connect_state": "connected", "call_id": l.callID, "node_id": nodeID, "segment_id": l.segmentID,
			"room_session_id": r.sessionID, "peer": map[string]any{"call_id": peer.callID, "node_id": nodeID},
		})
		l.sendJoinedLocked()
	}
	r.changedLocked()
}

// changedLocked follows a change of who is in the room: layout and ways of the media.
func (r *room) changedLocked() {
	if slices.ContainsFunc(r.legs, (*leg).hasVideo) {
		r.sendLayoutLocked()
	}
	r.rerouteLocked()
}

// leaveLocked takes a leg out of its room and tells everybody.
func (l *leg) leaveLocked(reason string) {
	r := l.room
	gone := map[string]any{"reason": reason, "member": l.memberLocked()}
	l.removeLocked()
	if l.parent == nil {
		l.sendLeftLocked(reason)
	}
	r.broadcastLocked("member.left", l, gone)
	r.changedLocked()
	if r.kind == roomBridge && l.parent == nil {
		for _, other := range slices.Clone(r.legs) {
			other.endLocked(normal(endedByPeer))
		}
	}
}

// removeLocked takes a leg out of its room's lists, without telling anybody. The leg still knows the room
// it was in.
func (l *leg) removeLocked() {
	r := l.room
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
