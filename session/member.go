package session

import (
	"encoding/json"

	"github.com/callrx/callrx/internal/wire"
)

// A Member is what the service has told of one member of a room, at one moment.
// In a [MemberEvent] it is what that event told, which may be part of it.
type Member struct {
	ID            string
	CallID        string // of the member's own leg
	NodeID        string // that hosts it
	RoomID        string
	RoomSessionID string
	Name          string
	Type          string // "member", "screen", "device", or a kind of a later time
	ParentID      string // of a screen or device: whose it is
	SubscriberID  string // empty: a guest
	AddressID     string

	RequestedPosition VideoPosition

	AudioMuted       bool
	VideoMuted       bool
	Deaf             bool // hears nobody
	Visible          bool
	HandRaised       bool
	Talking          bool // as the service hears it
	EchoCancellation bool
	AutoGain         bool
	NoiseSuppression bool
	LowBitrate       bool
	Denoise          bool
	Audience         bool // watches only

	InputVolume      Level
	OutputVolume     Level
	InputSensitivity Level

	Meta map[string]any
}

// A Level is a volume or a sensitivity, which the service need not tell.
type Level struct {
	Value float64
	Known bool
}

// memberView is what is known of a member.
type memberView struct {
	wire.Member
	layer *LayoutLayer // where it is shown; nil: nowhere
}

func (v *memberView) level(f wire.MemberField) Level {
	return Level{Value: v.Number(f), Known: v.Known(f)}
}

// export makes the public form.
func (v *memberView) export() Member {
	t := &v.Texts
	return Member{
		ID: t[wire.MemberID], CallID: t[wire.MemberCallID], NodeID: t[wire.MemberNodeID],
		RoomID: t[wire.MemberRoomID], RoomSessionID: t[wire.MemberRoomSessionID],
		Name: t[wire.MemberName], Type: t[wire.MemberType], ParentID: t[wire.MemberParentID],
		SubscriberID: t[wire.MemberSubscriberID], AddressID: t[wire.MemberAddressID],
		RequestedPosition: VideoPosition(t[wire.MemberRequestedPosition]),
		AudioMuted:        v.Flag(wire.MemberAudioMuted), VideoMuted: v.Flag(wire.MemberVideoMuted),
		Deaf: v.Flag(wire.MemberDeaf), Visible: v.Flag(wire.MemberVisible), HandRaised: v.Flag(wire.MemberHandRaised),
		Talking: v.Flag(wire.MemberTalking), EchoCancellation: v.Flag(wire.MemberEchoCancellation),
		AutoGain: v.Flag(wire.MemberAutoGain), NoiseSuppression: v.Flag(wire.MemberNoiseSuppression),
		LowBitrate: v.Flag(wire.MemberLowBitrate), Denoise: v.Flag(wire.MemberDenoise), Audience: v.Flag(wire.MemberAudience),
		InputVolume: v.level(wire.MemberInputVolume), OutputVolume: v.level(wire.MemberOutputVolume),
		InputSensitivity: v.level(wire.MemberInputSensitivity),
		Meta:             decodeObject(v.Meta),
	}
}

// told is v with what m tells laid over it. Texts go through own, so that no
// frame is held for the sake of a name in it.
func (v *memberView) told(m *wire.Member, own func(f wire.MemberField, old, new string) string) *memberView {
	next := *v
	next.Merge(m, own)
	return &next
}

// decodeObject reads a JSON object; nil for an empty one and for none.
func decodeObject(raw wire.Raw) map[string]any {
	if raw == "" || raw == "{}" {
		return nil
	}
	var m map[string]any
	_ = json.Unmarshal([]byte(raw), &m)
	return m
}
