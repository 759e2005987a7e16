package session

import (
	"slices"

	"github.com/callrx/callrx/internal/wire"
)

// joined takes in the snapshot of a room: its members replace those that were
// known of it.
func (r *room) joined(e *wire.CallEvent) {
	s := r.session(e.RoomSessionID)
	if r.afresh {
		r.begin(s)
	}
	if s == nil {
		s = &roomSession{id: r.own(wire.MemberRoomSessionID, "", e.RoomSessionID)}
	}
	r.sessions = append(slices.DeleteFunc(slices.Clone(r.sessions), func(other *roomSession) bool { return other == s }), s)
	r.round++
	told, err := wire.DecodeRoomSession(e.RoomSession, func(m *wire.Member) {
		p := r.upsert(s, m)
		if p == nil {
			return
		}
		p.round = r.round
		if m.Texts[wire.MemberCallID] == e.CallID && r.k.NodeID() == "" {
			r.k.node.Set(p.NodeID())
		}
	})
	if err != nil && e.RoomSession != "" {
		r.k.c.log.Warn("call.joined cannot be read", "call_id", r.k.id, "error", err)
	}
	r.remove(func(p *Participant) bool { return p.round != r.round && p.leave(s) })
	r.identify(e.MemberID)
	names, _ := wire.DecodeTexts(e.Capabilities)
	s.capabilities = capabilitiesOf(names)
	s.name, s.displayName = told.Name, told.DisplayName
	s.flags, s.meta = told.Flags, decodeObject(told.Meta)
	if told.LayoutName != "" {
		s.layout = told.LayoutName
	}
	granted := ComputeCapabilities(s.capabilities)
	if r.self != nil {
		r.self.capabilities.granted.set(&granted)
	}
	r.publish()
	if granted.SetLayout {
		r.listLayouts()
	}
}

// begin forgets every room but s, and who the call is: it has been attached to
// another session of the service.
func (r *room) begin(s *roomSession) {
	r.afresh, r.selfID = false, ""
	for _, other := range r.sessions {
		if other != s {
			delete(r.k.rooms, other.id)
			r.remove(func(p *Participant) bool { return p.leave(other) })
		}
	}
	r.sessions = nil
}

// identify notes which member the call itself is: the one of the first join, or
// else of the service's answer to the invite.
func (r *room) identify(member string) {
	if r.selfID == "" {
		r.selfID = r.own(wire.MemberID, "", r.k.setMember(member))
	}
	if p := r.members[r.selfID]; p != nil && (r.self == nil || r.self.Participant != p) {
		r.self = newSelf(p)
		p.me.Store(r.self)
	}
}

// told takes in what an event says of one member.
func (r *room) told(s *roomSession, kind string, m *wire.Member) {
	id := m.ID()
	if p := r.members[id]; p != nil && p.isIn(s) {
		p.told(m)
		return
	}
	if id == "" || kind == wire.EventMemberTalking {
		return // it has left already, or was never here
	}
	r.upsert(s, m)
	r.identify("")
	r.publish()
}

// upsert makes m a member of s, or more of one known already; nil if it has no
// name.
func (r *room) upsert(s *roomSession, m *wire.Member) *Participant {
	if m.ID() == "" {
		return nil
	}
	p := r.members[m.ID()]
	if p == nil {
		p = newParticipant(r.k, r.own(wire.MemberID, "", m.ID()))
		r.members[p.id] = p
		r.list = append(r.list, p)
	}
	if !p.isIn(s) {
		p.rooms = append(p.rooms, s)
	}
	p.told(m)
	return p
}

func (r *room) memberLeft(s *roomSession, id string) {
	p := r.members[id]
	if p == nil {
		r.k.c.log.Debug("an unknown member left", "call_id", r.k.id)
		return
	}
	if p.leave(s) {
		r.remove(func(other *Participant) bool { return other == p })
		r.publish()
	}
}

// remove takes out the participants that are gone; publish ends them. Programs
// hold the list, so that those who remain make another one.
func (r *room) remove(gone func(*Participant) bool) {
	before := len(r.leaving)
	remain := make([]*Participant, 0, len(r.list))
	for _, p := range r.list {
		if !gone(p) {
			remain = append(remain, p)
			continue
		}
		r.leaving = append(r.leaving, p)
		delete(r.members, p.id)
		if r.self != nil && r.self.Participant == p {
			r.self = nil
		}
	}
	if len(r.leaving) > before {
		r.list = remain
	}
}

// layoutChanged shows another layout, and each member where it is now.
func (r *room) layoutChanged(s *roomSession, raw wire.Raw) {
	l, err := wire.DecodeLayout(raw)
	if err != nil {
		return
	}
	before := s.layers
	s.layout, s.layers = l.ID, newLayers(l.Layers)
	r.round++
	for i := range s.layers {
		layer := &s.layers[i]
		if p := r.members[layer.MemberID]; p != nil && p.isIn(s) {
			p.place(layer)
			p.round = r.round
		} else if layer.MemberID != "" {
			r.k.c.log.Debug("a layout places an unknown member", "call_id", r.k.id)
		}
	}
	for _, layer := range before {
		if p := r.members[layer.MemberID]; p != nil && p.isIn(s) && p.round != r.round {
			p.place(nil)
		}
	}
	r.publish()
}
