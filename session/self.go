package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// A SelfParticipant is the call itself as a member of its room. What it has
// beside a [Participant] is on this side: muting also stops what is sent, and
// there are screens, devices and studio audio.
//
// The service and this side mute each by itself: a moderator's mute changes
// AudioMuted and lets this side go on sending. LocalAudioMuted tells what this
// side does.
type SelfParticipant struct {
	*Participant
	capabilities *SelfCapabilities
}

// localView is what this side of a call does, whatever the service says.
type localView struct {
	audioMuted, videoMuted bool
	studio                 bool
}

const (
	factLocalAudioMuted factKey = iota
	factLocalVideoMuted
	factStudio
)

func newSelf(p *Participant) *SelfParticipant {
	return &SelfParticipant{Participant: p, capabilities: newSelfCapabilities()}
}

func (s *SelfParticipant) end() { s.capabilities.granted.complete() }

// Capabilities are what the service lets this call do.
func (s *SelfParticipant) Capabilities() *SelfCapabilities { return s.capabilities }

// LocalAudioMuted reports whether this side sends silence.
func (s *SelfParticipant) LocalAudioMuted() bool { return s.k.room.local.get().audioMuted }

// ObserveLocalAudioMuted is the state stream of LocalAudioMuted.
func (s *SelfParticipant) ObserveLocalAudioMuted() observable.Of[bool] {
	return observeSame(&s.k.room.local, factLocalAudioMuted, func(v *localView) bool { return v.audioMuted })
}

// LocalVideoMuted reports whether this side sends no pictures.
func (s *SelfParticipant) LocalVideoMuted() bool { return s.k.room.local.get().videoMuted }

// ObserveLocalVideoMuted is the state stream of LocalVideoMuted.
func (s *SelfParticipant) ObserveLocalVideoMuted() observable.Of[bool] {
	return observeSame(&s.k.room.local, factLocalVideoMuted, func(v *localView) bool { return v.videoMuted })
}

// StudioAudio reports whether studio audio is on.
func (s *SelfParticipant) StudioAudio() bool { return s.k.room.local.get().studio }

// ObserveStudioAudio is the state stream of StudioAudio.
func (s *SelfParticipant) ObserveStudioAudio() observable.Of[bool] {
	return observeSame(&s.k.room.local, factStudio, func(v *localView) bool { return v.studio })
}

// EnableStudioAudio asks for sound without any treatment: no echo cancellation,
// no gain control, no noise suppression. Changing one of them ends it.
func (s *SelfParticipant) EnableStudioAudio(ctx context.Context) error { return s.studio(ctx, true) }

// DisableStudioAudio asks for all three again.
func (s *SelfParticipant) DisableStudioAudio(ctx context.Context) error { return s.studio(ctx, false) }

func (s *SelfParticipant) studio(ctx context.Context, on bool) error {
	done, err := s.takeTurn(ctx)
	if err != nil || s.StudioAudio() == on {
		if done != nil {
			done()
		}
		return err
	}
	defer done()
	if err := s.SetAudioFlags(ctx, AudioFlags{EchoCancellation: !on, AutoGain: !on, NoiseSuppression: !on}); err != nil {
		return err
	}
	return s.setStudio(on)
}

func (s *SelfParticipant) setStudio(on bool) error {
	return s.change(func(v *localView) { v.studio = on })
}

// change shows what this side does, by way of the loop, which owns it.
func (s *SelfParticipant) change(do func(*localView)) error {
	return s.k.c.ask(context.Background(), func() {
		local := &s.k.room.local
		next := *local.now
		do(&next)
		local.set(&next)
		s.k.rewrite()
	})
}

// mute stops sending before it asks, so that nobody hears what is said while the
// request travels. Unmuting asks first. One at a time.
func (s *SelfParticipant) mute(ctx context.Context, kind media.Kind, muted bool) error {
	var local error
	if muted {
		local = s.send(kind, false)
	}
	if err := s.k.room.mutes.take(ctx); err != nil {
		return errors.Join(local, err)
	}
	defer s.k.room.mutes.give()
	if muted { // again: an unmute may have been under way
		return errors.Join(s.send(kind, false), s.requestMute(ctx, kind, true))
	}
	if err := s.requestMute(ctx, kind, false); err != nil {
		return err
	}
	return s.send(kind, true)
}

// send makes this side send one kind of media, or not.
func (s *SelfParticipant) send(kind media.Kind, on bool) error {
	if leg := s.k.media(); leg != nil {
		leg.Mute(kind, !on)
	}
	return s.change(func(v *localView) {
		if kind == media.KindVideo {
			v.videoMuted = !on
		} else {
			v.audioMuted = !on
		}
	})
}
