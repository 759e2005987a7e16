package session

import (
	"context"
	"fmt"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// Mute asks that nobody hears the participant. On the call's own participant it
// first stops sending, whatever the service says to it; both failures are
// returned. A refusal is an *errs.JSONRPCError, as with all methods here.
func (p *Participant) Mute(ctx context.Context) error { return p.mute(ctx, media.KindAudio, true) }

// Unmute takes Mute back. On the call's own participant it sends again once the
// service has agreed, and not at all if it refuses.
func (p *Participant) Unmute(ctx context.Context) error { return p.mute(ctx, media.KindAudio, false) }

// MuteVideo asks that nobody sees the participant; see Mute.
func (p *Participant) MuteVideo(ctx context.Context) error { return p.mute(ctx, media.KindVideo, true) }

// UnmuteVideo takes MuteVideo back; see Unmute.
func (p *Participant) UnmuteVideo(ctx context.Context) error {
	return p.mute(ctx, media.KindVideo, false)
}

func (p *Participant) mute(ctx context.Context, kind media.Kind, muted bool) error {
	if s := p.Self(); s != nil {
		return s.mute(ctx, kind, muted)
	}
	return p.requestMute(ctx, kind, muted)
}

// requestMute is the service's half.
func (p *Participant) requestMute(ctx context.Context, kind media.Kind, muted bool) error {
	method := map[bool]string{true: "call.mute", false: "call.unmute"}[muted]
	return p.request(ctx, muteFlag(kind), muted, method, map[string]any{"channels": []string{kind.String()}})
}

func muteFlag(kind media.Kind) wire.MemberField {
	if kind == media.KindVideo {
		return wire.MemberVideoMuted
	}
	return wire.MemberAudioMuted
}

// SetDeaf asks that the participant does not hear the others, or hears them.
func (p *Participant) SetDeaf(ctx context.Context, deaf bool) error {
	return p.request(ctx, wire.MemberDeaf, deaf, map[bool]string{true: "call.deaf", false: "call.undeaf"}[deaf], nil)
}

// SetHandRaised raises the participant's hand, or lowers it.
func (p *Participant) SetHandRaised(ctx context.Context, raised bool) error {
	return p.request(ctx, wire.MemberHandRaised, raised, map[bool]string{true: "call.raisehand", false: "call.lowerhand"}[raised], nil)
}

// SetLowBitrate asks that the participant gets by with little bandwidth.
func (p *Participant) SetLowBitrate(ctx context.Context, low bool) error {
	return p.request(ctx, wire.MemberLowBitrate, low, "call.lowbitrate.set", map[string]any{"lowbitrate": low})
}

// SetAudioInputVolume sets how loud the service takes what comes from the
// participant: 0 to 100, of which the service may refuse the upper part.
func (p *Participant) SetAudioInputVolume(ctx context.Context, volume float64) error {
	return p.setLevel(ctx, "call.microphone.volume.set", "volume", volume)
}

// SetAudioOutputVolume sets how loud the service sends to the participant; see
// SetAudioInputVolume.
func (p *Participant) SetAudioOutputVolume(ctx context.Context, volume float64) error {
	return p.setLevel(ctx, "call.speaker.volume.set", "volume", volume)
}

// SetAudioInputSensitivity sets from which loudness on the participant is heard:
// 0 to 100. Rooms only.
func (p *Participant) SetAudioInputSensitivity(ctx context.Context, sensitivity float64) error {
	return p.setLevel(ctx, "call.microphone.sensitivity.set", "sensitivity", sensitivity)
}

func (p *Participant) setLevel(ctx context.Context, method, param string, v float64) error {
	if !(v >= 0 && v <= 100) { // which also refuses NaN
		return &errs.InvalidParamsError{Param: param, Reason: fmt.Sprintf("is %v: want 0 to 100", v)}
	}
	return p.command(ctx, method, map[string]any{param: v})
}

// SetPosition asks for a slot of the layout. The service accepts slots that the
// layout lacks, and then moves nothing.
func (p *Participant) SetPosition(ctx context.Context, position VideoPosition) error {
	if !position.Valid() {
		return &errs.InvalidParamsError{Param: "position", Reason: fmt.Sprintf("is %q: want auto, reserved-N, standard-N, off-canvas, playback or full-screen", position)}
	}
	target, err := p.address()
	if err != nil {
		return err
	}
	return p.k.command(ctx, "call.member.position.set", map[string]any{
		"targets": []any{map[string]any{"target": target, "position": position}},
	})
}

// Remove takes the participant out of the room.
func (p *Participant) Remove(ctx context.Context) error {
	target, err := p.address()
	if err != nil {
		return err
	}
	return p.k.command(ctx, "call.member.remove", map[string]any{"targets": []any{target}})
}

// End ends the participant's call.
func (p *Participant) End(ctx context.Context) error { return p.command(ctx, "call.end", nil) }

// SetMeta is not offered by the service: *errs.UnimplementedError.
func (p *Participant) SetMeta(context.Context, map[string]any) error {
	return &errs.UnimplementedError{Operation: "set the metadata of a participant"}
}

// UpdateMeta is not offered by the service: *errs.UnimplementedError.
func (p *Participant) UpdateMeta(context.Context, map[string]any) error {
	return &errs.UnimplementedError{Operation: "update the metadata of a participant"}
}

// target is how requests name the participant: by its own leg, if that is known.
func (p *Participant) target() MemberTarget {
	v := p.facts.get()
	return MemberTarget{MemberID: p.id, CallID: v.Texts[wire.MemberCallID], NodeID: v.Texts[wire.MemberNodeID]}
}

// address is target for requests that need the leg.
func (p *Participant) address() (MemberTarget, error) {
	t := p.target()
	if t.CallID == "" || t.NodeID == "" {
		return t, &errs.InvalidParamsError{Param: "participant", Reason: "has no leg that is known yet"}
	}
	return t, nil
}

// command sends a request about the participant.
func (p *Participant) command(ctx context.Context, method string, params map[string]any) error {
	return p.k.aimed(ctx, p.target(), method, params, nil)
}
