package sessiontest

import "encoding/json"

// memberFlags is the part of a member that changes by call.* requests.
type memberFlags struct {
	AudioMuted        bool    `json:"audio_muted"`
	VideoMuted        bool    `json:"video_muted"`
	Deaf              bool    `json:"deaf"`
	Visible           bool    `json:"visible"`
	HandRaised        bool    `json:"handraised"`
	EchoCancellation  bool    `json:"echo_cancellation"`
	AutoGain          bool    `json:"auto_gain"`
	NoiseSuppression  bool    `json:"noise_suppression"`
	LowBitrate        bool    `json:"lowbitrate"`
	Denoise           bool    `json:"denoise"`
	InputVolume       float64 `json:"input_volume"`
	OutputVolume      float64 `json:"output_volume"`
	InputSensitivity  float64 `json:"input_sensitivity"`
	RequestedPosition string  `json:"requested_position"`
}

func newMemberFlags() memberFlags {
	return memberFlags{
		Visible: true, EchoCancellation: true, AutoGain: true, NoiseSuppression: true,
		InputSensitivity: 44, RequestedPosition: "auto",
	}
}

// member is a leg as others see it.
type member struct {
	MemberID      string         `json:"member_id"`
	CallID        string         `json:"call_id"`
	NodeID        string         `json:"node_id"`
	RoomID        string         `json:"room_id"`
	RoomSessionID string         `json:"room_session_id"`
	Name          string         `json:"name"`
	Type          string         `json:"type"`
	ParentID      string         `json:"parent_id,omitempty"`
	SubscriberID  string         `json:"subscriber_id"`
	AddressID     string         `json:"address_id"`
	Talking       bool           `json:"talking"`
	Meta          map[string]any `json:"meta"`
	Audience      bool           `json:"isAudience,omitempty"`
	memberFlags
}

// memberLocked is the leg as a member of one of the rooms it is in.
func (l *leg) memberLocked(r *room) member {
	m := member{
		MemberID: l.memberID, CallID: l.callID, NodeID: nodeID, RoomID: r.id, RoomSessionID: r.sessionID,
		Name: l.name, Type: l.kind, SubscriberID: l.subject, Talking: l.talking, Meta: map[string]any{}, memberFlags: l.flags,
		Audience: l.head().audience,
	}
	if l.parent != nil {
		m.ParentID = l.parent.memberID
	}
	if sub := l.t.srv.registry.subscriber(l.subject); sub != nil {
		m.AddressID = sub.Address
	}
	return m
}

// updatedLocked tells the rooms that the leg is in what changed about it.
func (l *leg) updatedLocked(fields ...string) {
	for _, r := range l.roomsLocked() {
		var all map[string]any
		_ = json.Unmarshal(mustJSON(l.memberLocked(r)), &all)
		partial := map[string]any{"updated": fields}
		for _, key := range append([]string{"room_session_id", "room_id", "member_id", "call_id", "node_id", "type"}, fields...) {
			partial[key] = all[key]
		}
		r.broadcastLocked("member.updated", nil, map[string]any{"member": partial})
	}
}
