package sessiontest

import (
	"fmt"
	"slices"
)

// ConnectCall takes an answered leg on into the room of an address, as a scripted destination does. The
// call keeps its ids, stays a member of the room it is in and hears and sees the new one: a nested join. Its
// client is told by call.connect and a further call.joined. It fails when there is no such call, no such
// room, or the room is locked.
func (s *Server) ConnectCall(callID, address string) error {
	d, ok := s.resolve(address)
	if !ok || d.arrival != arriveRoom || d.kind != roomConference {
		return fmt.Errorf("sessiontest: %s is no room", address)
	}
	err := fmt.Errorf("sessiontest: no call %s is in a room", callID)
	s.calls.withLeg(callID, func(l *leg) {
		if l.answered() && l.parent == nil {
			err = l.nestLocked(s.calls.roomLocked(d))
		}
	})
	return err
}

// ReturnCall takes a leg back into the room that it was in before [Server.ConnectCall]. It returns false
// when the leg is in one room only.
func (s *Server) ReturnCall(callID string) bool {
	returned := false
	s.calls.withLeg(callID, func(l *leg) {
		if returned = len(l.outer) > 0; returned {
			l.unnestLocked("returned")
		}
	})
	return returned
}

func (l *leg) nestLocked(r *room) error {
	switch {
	case r.state.Locked:
		return fmt.Errorf("sessiontest: %s is locked", r.key)
	case slices.Contains(r.legs, l):
		return fmt.Errorf("sessiontest: the call is in %s already", r.key)
	}
	l.sendConnectLocked(r.sessionID, "connecting", nil)
	l.outer = append(l.outer, l.room)
	before := l.room
	l.stopTalkingLocked()
	l.sendConnectLocked(r.sessionID, "connected", nil)
	l.joinLocked(r)
	l.matchSourceLocked()
	before.rerouteLocked()
	return nil
}

// unnestLocked leaves the room that a leg came into last. A screen that was shared there ends with it.
func (l *leg) unnestLocked(reason string) {
	left := l.room
	for _, other := range slices.Clone(left.legs) {
		if other.parent == l {
			other.endLocked(normal(endedByPeer))
		}
	}
	l.stopTalkingLocked()
	left.dismissLocked(l, reason)
	l.room = l.outer[len(l.outer)-1]
	l.outer = slices.Clone(l.outer[:len(l.outer)-1])
	l.room.admitLocked(l)
	l.sendJoinedLocked()
	l.matchSourceLocked()
	l.room.rerouteLocked()
}

// roomsLocked returns every room that an answered leg is a member of, the one its media is in first.
func (l *leg) roomsLocked() []*room {
	rooms := []*room{l.room}
	for _, r := range slices.Backward(l.outer) {
		rooms = append(rooms, r)
	}
	return rooms
}

// sendConnectLocked tells the client about its way into a room, which need not be there yet, and who is at the
// other end, if it is one.
func (l *leg) sendConnectLocked(roomSession, state string, peer *leg) {
	p := map[string]any{
		"connect_state": state, "call_id": l.callID, "node_id": nodeID, "segment_id": l.segmentID,
		"room_session_id": roomSession,
	}
	if peer != nil {
		p["peer"] = map[string]any{"call_id": peer.callID, "node_id": nodeID}
	}
	l.sendLocked("call.connect", p)
}
