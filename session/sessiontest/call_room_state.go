package sessiontest

import (
	"fmt"
	"maps"
	"slices"
)

// RoomState is what a room tells about itself. The zero value is that of a new room.
type RoomState struct {
	Layout              string           `json:"layout"`               // "grid-responsive" when empty
	Locked              bool             `json:"locked"`               // nobody else gets in
	Recording           bool             `json:"recording"`            // shown to the members; nothing is recorded
	Streaming           bool             `json:"streaming"`            // shown to the members; nothing is streamed
	PrioritizeHandRaise bool             `json:"prioritize_handraise"` // raised hands come first in the layout
	HideVideoMuted      bool             `json:"hide_video_muted"`     // who shows no picture has no place in the layout
	Meta                map[string]any   `json:"meta"`                 // must be encodable as JSON, as must what follows
	Recordings          []map[string]any `json:"recordings"`           // as they are sent
	Streams             []map[string]any `json:"streams"`
	Playbacks           []map[string]any `json:"playbacks"`
}

// clone returns a state that shares nothing with r but what is inside the lists.
func (r RoomState) clone() RoomState {
	r.Meta = maps.Clone(r.Meta)
	r.Recordings, r.Streams, r.Playbacks = slices.Clone(r.Recordings), slices.Clone(r.Streams), slices.Clone(r.Playbacks)
	return r
}

// UpdateRoom changes the state of the room of an address: of the open one, whose members are told by
// call.updated and room.updated and, if the layout may look different, by layout.changed; or, when nobody is
// there, the state with which the room opens from now on. It fails when no room can have that address, or
// no layout that name.
func (s *Server) UpdateRoom(address string, change func(*RoomState)) error {
	d, ok := s.resolve(address)
	if !ok || d.arrival != arriveRoom || d.kind != roomConference {
		return fmt.Errorf("sessiontest: %s is no room", address)
	}
	t := s.calls
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.rooms[d.address]
	before := t.openingLocked(d)
	if r != nil {
		before = r.state.clone()
	}
	after := before.clone()
	change(&after)
	setDefault(&after.Layout, layoutGrid)
	if !isLayout(after.Layout) {
		return fmt.Errorf("sessiontest: there is no layout %s", after.Layout)
	}
	if r == nil {
		t.openings[d.address] = after
		return nil
	}
	r.state = after
	r.sendUpdatedLocked()
	if before.Layout != after.Layout || before.PrioritizeHandRaise != after.PrioritizeHandRaise || before.HideVideoMuted != after.HideVideoMuted {
		r.sendLayoutLocked()
	}
	return nil
}

// openingLocked returns the state with which the room of a destination opens: what was decided here, or by
// the backend that created it.
func (t *callTable) openingLocked(d destination) RoomState {
	state, ok := t.openings[d.address]
	if !ok && d.resource != "" {
		if x := t.srv.registry.resource(d.resource); x != nil {
			state.Layout, _ = x.Details["layout"].(string)
			state.PrioritizeHandRaise, _ = x.Details["prioritize_handraise"].(bool)
			state.Meta, _ = x.Details["meta"].(map[string]any)
		}
	}
	if !isLayout(state.Layout) {
		state.Layout = layoutGrid
	}
	return state.clone()
}

// sendUpdatedLocked tells every member the whole state, by either event that clients know.
func (r *room) sendUpdatedLocked() {
	for _, event := range []string{"call.updated", "room.updated"} {
		for _, l := range r.recipientsLocked(nil) {
			l.sendLocked(event, map[string]any{
				"room_id": r.id, "room_session_id": r.sessionID, "room_session": r.describeLocked(l),
			})
		}
	}
}

// describeLocked is the room session as the client of a leg is told.
func (r *room) describeLocked(to *leg) map[string]any {
	members := []member{}
	for _, l := range r.legs {
		members = append(members, l.memberLocked(r))
	}
	s := r.state
	return map[string]any{
		"room_session_id": r.sessionID, "room_id": r.id, "event_channel": to.session.protocol, "name": r.name,
		"display_name": r.display, "layout_name": s.Layout, "recording": s.Recording, "streaming": s.Streaming,
		"prioritize_handraise": s.PrioritizeHandRaise, "hide_video_muted": s.HideVideoMuted, "locked": s.Locked,
		"meta": object(s.Meta), "members": members,
		"recordings": objects(s.Recordings), "streams": objects(s.Streams), "playbacks": objects(s.Playbacks),
	}
}

// object and objects write nothing as an empty one.
func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func objects(l []map[string]any) []map[string]any {
	if l == nil {
		return []map[string]any{}
	}
	return l
}
