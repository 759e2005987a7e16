package session

import (
	"context"

	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// Toggles of one participant take turns, and each changes what the one before
// has asked for, even if the service has not reported that yet: two in a row
// change nothing in the end.

// ToggleMute mutes the participant, or unmutes it; see Mute.
func (p *Participant) ToggleMute(ctx context.Context) error {
	return p.toggle(ctx, wire.MemberAudioMuted, func(muted bool) error { return p.mute(ctx, media.KindAudio, muted) })
}

// ToggleMuteVideo mutes the participant's video, or unmutes it; see Mute.
func (p *Participant) ToggleMuteVideo(ctx context.Context) error {
	return p.toggle(ctx, wire.MemberVideoMuted, func(muted bool) error { return p.mute(ctx, media.KindVideo, muted) })
}

// ToggleDeaf changes whether the participant hears the others.
func (p *Participant) ToggleDeaf(ctx context.Context) error {
	return p.toggle(ctx, wire.MemberDeaf, func(deaf bool) error { return p.SetDeaf(ctx, deaf) })
}

// ToggleHandraise raises the participant's hand, or lowers it.
func (p *Participant) ToggleHandraise(ctx context.Context) error {
	return p.toggle(ctx, wire.MemberHandRaised, func(raised bool) error { return p.SetHandRaised(ctx, raised) })
}

// ToggleLowbitrate changes whether the participant gets by with little bandwidth.
func (p *Participant) ToggleLowbitrate(ctx context.Context) error {
	return p.toggle(ctx, wire.MemberLowBitrate, func(low bool) error { return p.SetLowBitrate(ctx, low) })
}

// AudioFlags are the three treatments of a captured voice, which the service
// sets together.
type AudioFlags struct {
	EchoCancellation bool
	AutoGain         bool
	NoiseSuppression bool
}

// AudioFlags are the participant's, as the service has told or as they were
// requested since. What it has not told is on, as it is by default.
func (p *Participant) AudioFlags() AudioFlags {
	return AudioFlags{
		EchoCancellation: p.wanted(wire.MemberEchoCancellation, true),
		AutoGain:         p.wanted(wire.MemberAutoGain, true),
		NoiseSuppression: p.wanted(wire.MemberNoiseSuppression, true),
	}
}

// SetAudioFlags asks for all three.
func (p *Participant) SetAudioFlags(ctx context.Context, f AudioFlags) error {
	wants := map[wire.MemberField]bool{
		wire.MemberEchoCancellation: f.EchoCancellation, wire.MemberAutoGain: f.AutoGain,
		wire.MemberNoiseSuppression: f.NoiseSuppression,
	}
	return p.requestAll(ctx, wants, "call.audioflags.set", map[string]any{
		"echo_cancellation": f.EchoCancellation, "auto_gain": f.AutoGain, "noise_suppression": f.NoiseSuppression,
	})
}

// ToggleEchoCancellation changes that one and leaves the others as they are. It
// ends studio audio.
func (p *Participant) ToggleEchoCancellation(ctx context.Context) error {
	return p.toggleAudio(ctx, func(f *AudioFlags) { f.EchoCancellation = !f.EchoCancellation })
}

// ToggleAudioInputAutoGain changes that one; see ToggleEchoCancellation.
func (p *Participant) ToggleAudioInputAutoGain(ctx context.Context) error {
	return p.toggleAudio(ctx, func(f *AudioFlags) { f.AutoGain = !f.AutoGain })
}

// ToggleNoiseSuppression changes that one; see ToggleEchoCancellation.
func (p *Participant) ToggleNoiseSuppression(ctx context.Context) error {
	return p.toggleAudio(ctx, func(f *AudioFlags) { f.NoiseSuppression = !f.NoiseSuppression })
}

func (p *Participant) toggleAudio(ctx context.Context, change func(*AudioFlags)) error {
	done, err := p.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	f := p.AudioFlags()
	change(&f)
	if err := p.SetAudioFlags(ctx, f); err != nil {
		return err
	}
	if s := p.Self(); s != nil {
		s.setStudio(false)
	}
	return nil
}

// toggle has do ask for the opposite of what was wanted last.
func (p *Participant) toggle(ctx context.Context, f wire.MemberField, do func(want bool) error) error {
	done, err := p.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	return do(!p.wanted(f, false))
}

// takeTurn waits until no other toggle of the participant is under way.
func (p *Participant) takeTurn(ctx context.Context) (done func(), err error) {
	p.mu.Lock()
	if p.turn == nil {
		p.turn = make(chan struct{}, 1)
	}
	turn := p.turn
	p.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-p.k.ctx.Done():
		return nil, p.k.alive("toggle")
	}
}

// wanted is what was requested of a flag last, or else what the service has
// told, or else what is implied.
func (p *Participant) wanted(f wire.MemberField, implied bool) bool {
	p.mu.Lock()
	want, asked := p.asked[f]
	p.mu.Unlock()
	if asked {
		return want
	}
	if v := p.facts.get(); v.Known(f) {
		return v.Flag(f)
	}
	return implied
}

// request asks the service to set a flag.
func (p *Participant) request(ctx context.Context, f wire.MemberField, want bool, method string, params map[string]any) error {
	return p.requestAll(ctx, map[wire.MemberField]bool{f: want}, method, params)
}

// requestAll remembers what is asked for until the service reports it. After a
// failure it forgets it: then the service's word counts.
func (p *Participant) requestAll(ctx context.Context, wants map[wire.MemberField]bool, method string, params map[string]any) error {
	p.mu.Lock()
	v := p.facts.get()
	if p.asked == nil {
		p.asked = map[wire.MemberField]bool{}
	}
	for f, want := range wants {
		_, open := p.asked[f]
		if open || !v.Known(f) || v.Flag(f) != want { // or there will be nothing to report
			p.asked[f] = want
		}
	}
	p.mu.Unlock()
	err := p.command(ctx, method, params)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		for f := range wants {
			delete(p.asked, f)
		}
	}
	return err
}

// settle forgets the requests that the service reports as done, once that can be
// read: what is asked for meanwhile builds on one or the other. On the loop.
func (p *Participant) settle(m *wire.Member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for f, want := range p.asked {
		if m.Known(f) && m.Flag(f) == want {
			delete(p.asked, f)
		}
	}
}
