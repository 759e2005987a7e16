package sessiontest

import (
	"slices"
	"strings"
)

// Role decides with which capabilities somebody joins a room.
type Role string

// The roles. A plain room takes everybody as a moderator, as the production service does.
const (
	RoleModerator   Role = "moderator"   // may do everything
	RoleParticipant Role = "participant" // speaks and shows, and changes nobody but itself
	RoleAudience    Role = "audience"    // hears and sees, may raise a hand, and is neither heard nor shown
)

// capabilities returns what a role may do. A role that is none of the constants may do nothing.
func (r Role) capabilities() []string {
	switch r {
	case RoleModerator:
		return []string{"self", "member", "device", "screenshare", "lock", "end", "vmuted", "layout", "digit"}
	case RoleParticipant:
		return []string{"self", "device", "screenshare", "digit"}
	case RoleAudience:
		return []string{"self.deaf", "self.raisehand", "self.speaker", "digit"}
	}
	return []string{}
}

// bridgeCapabilities is what both ends of a call between two may do, and who is alone with a service.
func bridgeCapabilities() []string { return []string{"self", "digit", "end"} }

// SetRole decides as what a subscriber, given by reference or id, joins the room of an address from now on.
// An empty who stands for everybody without a role of their own.
func (s *Server) SetRole(address, who string, role Role) {
	t := s.calls
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.roles[address] == nil {
		t.roles[address] = map[string]Role{}
	}
	t.roles[address][who] = role
}

// SetCapabilities changes what the client of a leg may do in its room. The client is told by a further
// call.joined, the only event that carries capabilities. Nothing given means that nothing is allowed. It
// returns false when no such leg is in a room.
func (s *Server) SetCapabilities(callID string, capabilities ...string) bool {
	changed := false
	s.calls.withLeg(callID, func(l *leg) {
		if changed = l.answered() && l.parent == nil; changed {
			l.capabilities = append([]string{}, capabilities...)
			l.sendJoinedLocked()
		}
	})
	return changed
}

// roleOfLocked returns the role of a leg in a room.
func (r *room) roleOfLocked(l *leg) Role {
	names := []string{l.subject, ""}
	if sub := r.t.srv.registry.subscriber(l.subject); sub != nil {
		names = []string{l.subject, sub.Reference, ""}
	}
	for _, who := range names {
		if role, ok := r.t.roles[r.key][who]; ok {
			return role
		}
	}
	return RoleModerator
}

// admitLocked gives a leg what its role in a room is worth.
func (r *room) admitLocked(l *leg) {
	if r.kind != roomConference {
		l.capabilities, l.audience = bridgeCapabilities(), false
		return
	}
	role := r.roleOfLocked(l)
	if l.role != "" {
		role = l.role
	}
	l.capabilities, l.audience = role.capabilities(), role == RoleAudience
}

// may tells whether a leg, or the one a screen or device belongs to, has a capability. A name grants all
// that begin with it, so "self.mute" grants "self.mute.audio.off".
func (l *leg) may(capability string) bool {
	return slices.ContainsFunc(l.head().capabilities, func(granted string) bool {
		return granted == capability || strings.HasPrefix(capability, granted+".")
	})
}

// mayAny tells whether a leg has a capability of a root, even the smallest.
func (l *leg) mayAny(root string) bool {
	return slices.ContainsFunc(l.capabilities, func(granted string) bool {
		return granted == root || strings.HasPrefix(granted, root+".")
	})
}
