package session

import (
	"reflect"

	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/observable"
)

// Name is what people call the participant; empty until the service has told.
func (p *Participant) Name() string { return p.facts.get().Texts[wire.MemberName] }

// ObserveName is the state stream of Name.
func (p *Participant) ObserveName() observable.Of[string] {
	return p.observeText(wire.MemberName)
}

// Type is "member", "screen", "device" or a kind of a later time.
func (p *Participant) Type() string { return p.facts.get().Texts[wire.MemberType] }

// ObserveType is the state stream of Type.
func (p *Participant) ObserveType() observable.Of[string] {
	return p.observeText(wire.MemberType)
}

// CallID is the id of its own leg.
func (p *Participant) CallID() string { return p.facts.get().Texts[wire.MemberCallID] }

// ObserveCallID is the state stream of CallID.
func (p *Participant) ObserveCallID() observable.Of[string] {
	return p.observeText(wire.MemberCallID)
}

// NodeID names the server that hosts its leg.
func (p *Participant) NodeID() string { return p.facts.get().Texts[wire.MemberNodeID] }

// ObserveNodeID is the state stream of NodeID.
func (p *Participant) ObserveNodeID() observable.Of[string] {
	return p.observeText(wire.MemberNodeID)
}

// ParentID is the id of the participant whose screen or device it is.
func (p *Participant) ParentID() string { return p.facts.get().Texts[wire.MemberParentID] }

// ObserveParentID is the state stream of ParentID.
func (p *Participant) ObserveParentID() observable.Of[string] {
	return p.observeText(wire.MemberParentID)
}

// UserID is the id of its subscriber; empty for guests.
func (p *Participant) UserID() string { return p.facts.get().Texts[wire.MemberSubscriberID] }

// ObserveUserID is the state stream of UserID.
func (p *Participant) ObserveUserID() observable.Of[string] {
	return p.observeText(wire.MemberSubscriberID)
}

// AddressID is the id of the address it called from; empty if there is none.
func (p *Participant) AddressID() string { return p.facts.get().Texts[wire.MemberAddressID] }

// ObserveAddressID is the state stream of AddressID.
func (p *Participant) ObserveAddressID() observable.Of[string] {
	return p.observeText(wire.MemberAddressID)
}

// AudioMuted reports whether the others do not hear the participant.
func (p *Participant) AudioMuted() bool { return p.facts.get().Flag(wire.MemberAudioMuted) }

// ObserveAudioMuted is the state stream of AudioMuted.
func (p *Participant) ObserveAudioMuted() observable.Of[bool] {
	return p.observeFlag(wire.MemberAudioMuted)
}

// VideoMuted reports whether the others do not see it.
func (p *Participant) VideoMuted() bool { return p.facts.get().Flag(wire.MemberVideoMuted) }

// ObserveVideoMuted is the state stream of VideoMuted.
func (p *Participant) ObserveVideoMuted() observable.Of[bool] {
	return p.observeFlag(wire.MemberVideoMuted)
}

// Deaf reports whether the service keeps the others' audio from it.
func (p *Participant) Deaf() bool { return p.facts.get().Flag(wire.MemberDeaf) }

// ObserveDeaf is the state stream of Deaf.
func (p *Participant) ObserveDeaf() observable.Of[bool] {
	return p.observeFlag(wire.MemberDeaf)
}

// Visible reports whether it has a picture.
func (p *Participant) Visible() bool { return p.facts.get().Flag(wire.MemberVisible) }

// ObserveVisible is the state stream of Visible.
func (p *Participant) ObserveVisible() observable.Of[bool] {
	return p.observeFlag(wire.MemberVisible)
}

// HandRaised reports whether it wants to speak.
func (p *Participant) HandRaised() bool { return p.facts.get().Flag(wire.MemberHandRaised) }

// ObserveHandRaised is the state stream of HandRaised.
func (p *Participant) ObserveHandRaised() observable.Of[bool] {
	return p.observeFlag(wire.MemberHandRaised)
}

// Talking reports whether the service hears it speak.
func (p *Participant) Talking() bool { return p.facts.get().Flag(wire.MemberTalking) }

// ObserveTalking is the state stream of Talking.
func (p *Participant) ObserveTalking() observable.Of[bool] {
	return p.observeFlag(wire.MemberTalking)
}

// EchoCancellation reports whether its capture removes the echo.
func (p *Participant) EchoCancellation() bool { return p.facts.get().Flag(wire.MemberEchoCancellation) }

// ObserveEchoCancellation is the state stream of EchoCancellation.
func (p *Participant) ObserveEchoCancellation() observable.Of[bool] {
	return p.observeFlag(wire.MemberEchoCancellation)
}

// AutoGain reports whether its capture levels the volume.
func (p *Participant) AutoGain() bool { return p.facts.get().Flag(wire.MemberAutoGain) }

// ObserveAutoGain is the state stream of AutoGain.
func (p *Participant) ObserveAutoGain() observable.Of[bool] {
	return p.observeFlag(wire.MemberAutoGain)
}

// NoiseSuppression reports whether its capture removes noise.
func (p *Participant) NoiseSuppression() bool { return p.facts.get().Flag(wire.MemberNoiseSuppression) }

// ObserveNoiseSuppression is the state stream of NoiseSuppression.
func (p *Participant) ObserveNoiseSuppression() observable.Of[bool] {
	return p.observeFlag(wire.MemberNoiseSuppression)
}

// LowBitrate reports whether it gets by with little bandwidth.
func (p *Participant) LowBitrate() bool { return p.facts.get().Flag(wire.MemberLowBitrate) }

// ObserveLowBitrate is the state stream of LowBitrate.
func (p *Participant) ObserveLowBitrate() observable.Of[bool] {
	return p.observeFlag(wire.MemberLowBitrate)
}

// Denoise reports whether the service removes noise from it.
func (p *Participant) Denoise() bool { return p.facts.get().Flag(wire.MemberDenoise) }

// ObserveDenoise is the state stream of Denoise.
func (p *Participant) ObserveDenoise() observable.Of[bool] {
	return p.observeFlag(wire.MemberDenoise)
}

// Audience reports whether it may watch only.
func (p *Participant) Audience() bool { return p.facts.get().Flag(wire.MemberAudience) }

// ObserveAudience is the state stream of Audience.
func (p *Participant) ObserveAudience() observable.Of[bool] {
	return p.observeFlag(wire.MemberAudience)
}

// InputVolume is how loud the service takes what comes from it: not its microphone's own gain.
func (p *Participant) InputVolume() Level { return p.facts.get().level(wire.MemberInputVolume) }

// ObserveInputVolume is the state stream of InputVolume.
func (p *Participant) ObserveInputVolume() observable.Of[Level] {
	return p.observeLevel(wire.MemberInputVolume)
}

// OutputVolume is how loud the service sends to it.
func (p *Participant) OutputVolume() Level { return p.facts.get().level(wire.MemberOutputVolume) }

// ObserveOutputVolume is the state stream of OutputVolume.
func (p *Participant) ObserveOutputVolume() observable.Of[Level] {
	return p.observeLevel(wire.MemberOutputVolume)
}

// InputSensitivity is from which loudness on it is heard; rooms only.
func (p *Participant) InputSensitivity() Level {
	return p.facts.get().level(wire.MemberInputSensitivity)
}

// ObserveInputSensitivity is the state stream of InputSensitivity.
func (p *Participant) ObserveInputSensitivity() observable.Of[Level] {
	return p.observeLevel(wire.MemberInputSensitivity)
}

// RequestedPosition is the slot it asked for.
func (p *Participant) RequestedPosition() VideoPosition {
	return VideoPosition(p.facts.get().Texts[wire.MemberRequestedPosition])
}

// ObserveRequestedPosition is the state stream of RequestedPosition.
func (p *Participant) ObserveRequestedPosition() observable.Of[VideoPosition] {
	return observeSame(&p.facts, factKey(wire.MemberRequestedPosition), func(v *memberView) VideoPosition {
		return VideoPosition(v.Texts[wire.MemberRequestedPosition])
	})
}

// Position is where on the canvas the participant is, shared by all who ask; nil: nowhere.
func (p *Participant) Position() *LayoutLayer { return p.facts.get().layer }

// ObservePosition is the state stream of Position.
func (p *Participant) ObservePosition() observable.Of[*LayoutLayer] {
	return observeFact(&p.facts, factPosition, func(v *memberView) *LayoutLayer { return v.layer }, sameLayer)
}

// Meta is what the room's owner attached to it.
func (p *Participant) Meta() map[string]any { return decodeObject(p.facts.get().Meta) }

// ObserveMeta is the state stream of Meta.
func (p *Participant) ObserveMeta() observable.Of[map[string]any] {
	return observeFact(&p.facts, factMeta, func(v *memberView) map[string]any { return decodeObject(v.Meta) }, sameObject)
}

// The parts of a member that are no single field on the wire.
const (
	factPosition factKey = iota + 100
	factMeta
)

func sameObject(a, b map[string]any) bool { return reflect.DeepEqual(a, b) }

func (p *Participant) observeText(f wire.MemberField) observable.Of[string] {
	return observeSame(&p.facts, factKey(f), func(v *memberView) string { return v.Texts[f] })
}

func (p *Participant) observeFlag(f wire.MemberField) observable.Of[bool] {
	return observeSame(&p.facts, factKey(f), func(v *memberView) bool { return v.Flag(f) })
}

func (p *Participant) observeLevel(f wire.MemberField) observable.Of[Level] {
	return observeSame(&p.facts, factKey(f), func(v *memberView) Level { return v.level(f) })
}
