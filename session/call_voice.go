package session

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// A callVoice is the stage that the samples of a call's audio source pass before
// they are encoded. It is there as long as the call, with or without media.
type callVoice struct {
	*media.Voice
	gain, level *observable.State[float64]
	speaking    *observable.State[bool]

	far   *media.Meter // of what comes from the far end
	heard *observable.State[float64]
}

func newCallVoice() *callVoice {
	v := &callVoice{
		gain: observable.NewState(100.0), level: observable.NewState(0.0), speaking: observable.NewState(false),
		heard: observable.NewState(0.0),
	}
	v.far = media.NewMeter(v.heard.Watched, v.heard.Set)
	v.Voice = media.NewVoice(func(level float64, speaking bool) {
		v.level.Set(level)
		v.speaking.Set(speaking)
	})
	return v
}

func (v *callVoice) complete() {
	v.gain.Complete()
	v.level.Complete()
	v.speaking.Complete()
	v.heard.Complete()
}

// EnablePushToTalk puts a key in front of what the call sends, released: silence
// is sent until SetPushToTalkActive.
func (k *Call) EnablePushToTalk() { k.voice.SetPushToTalk(true) }

// DisablePushToTalk takes the key away: everything is sent, at the gain that is
// set. Without a key it does nothing.
func (k *Call) DisablePushToTalk() { k.voice.SetPushToTalk(false) }

// SetPushToTalkActive presses the key, or releases it. Without a key it does
// nothing.
func (k *Call) SetPushToTalkActive(active bool) { k.voice.Press(active) }

// SetLocalMicrophoneGain amplifies the samples of the audio source: 100 percent
// leaves them as they are, and less than 0 and more than 200 is held within. What
// a source has encoded itself is not changed.
func (k *Call) SetLocalMicrophoneGain(percent float64) {
	k.voice.SetGain(percent)
	k.voice.gain.Set(k.voice.Gain())
}

// LocalMicrophoneGain is the gain in percent.
func (k *Call) LocalMicrophoneGain() float64 { return k.voice.gain.Get() }

// ObserveLocalMicrophoneGain is the state stream of LocalMicrophoneGain.
func (k *Call) ObserveLocalMicrophoneGain() observable.Of[float64] { return k.voice.gain.Observe() }

// LocalAudioLevel is how loud the samples of the audio source are, before gain,
// key and mute: the root mean square of the last 20 ms, from 0 to 1. A source that
// encodes itself has none.
func (k *Call) LocalAudioLevel() float64 { return k.voice.level.Get() }

// ObserveLocalAudioLevel is the state stream of LocalAudioLevel: 50 values a
// second while the level changes. A slow observer asks for [observable.Latest].
func (k *Call) ObserveLocalAudioLevel() observable.Of[float64] { return k.voice.level.Observe() }

// LocalSpeaking reports whether somebody speaks here: the level was 0.03 or more
// within the last quarter of a second.
func (k *Call) LocalSpeaking() bool { return k.voice.speaking.Get() }

// ObserveLocalSpeaking is the state stream of LocalSpeaking.
func (k *Call) ObserveLocalSpeaking() observable.Of[bool] { return k.voice.speaking.Observe() }

// RemoteAudioLevel is how loud the last 20 ms from the far end were: the root mean
// square of the samples, from 0 to 1, and 0 when nothing has come for a quarter of a
// second. Asking decodes nothing: of Opus into a sink that takes packets it is known
// only while somebody observes it, and 0 otherwise.
func (k *Call) RemoteAudioLevel() float64 {
	if k.voice.heard.Watched() {
		return k.voice.heard.Get()
	}
	audio := k.Stats().Audio
	if audio.ReceiveLevel <= silentLevel || time.Since(audio.LastPacketAt) > remoteHold {
		return 0
	}
	return min(1, math.Pow(10, audio.ReceiveLevel/20)/math.Sqrt2)
}

// ObserveRemoteAudioLevel is the state stream of RemoteAudioLevel, whatever the codec
// and the sink: 50 values a second while the level changes. What arrives is decoded
// for it as long as somebody observes. A slow observer asks for [observable.Latest].
func (k *Call) ObserveRemoteAudioLevel() observable.Of[float64] { return k.voice.heard.Observe() }

const (
	silentLevel = -127 // what media tells of silence, in dBFS
	remoteHold  = 250 * time.Millisecond
)

// AddAudioInputDevice sends source from now on: in place of the one before, or, if
// the call has sent no audio, after agreeing that with the service. The source
// before stays open and the program's, a device is closed, and the call no longer
// uses what Client.Devices selects. Nil is the device that is selected there, which
// the call uses from then on. What fails changes nothing; a source that cannot send
// the codec that was agreed is an *errs.MediaTrackError, and a device that cannot be
// opened an *errs.MediaAccessError.
func (s *SelfParticipant) AddAudioInputDevice(ctx context.Context, source media.Source) error {
	return s.k.sendFrom(ctx, media.KindAudio, source)
}

// AddVideoInputDevice does the same for video.
func (s *SelfParticipant) AddVideoInputDevice(ctx context.Context, source media.Source) error {
	return s.k.sendFrom(ctx, media.KindVideo, source)
}

func (k *Call) sendFrom(ctx context.Context, kind media.Kind, source media.Source) error {
	what := "add " + kind.String() + " input"
	if source == nil && k.c.devices.provider == nil {
		return &errs.InvalidParamsError{Param: "source", Reason: "is nil: there is nothing to send"}
	}
	if err := k.alive(what); err != nil {
		return err
	}
	leg := k.media()
	if leg == nil {
		return &errs.InvalidStateTransitionError{From: k.Status().String(), To: what}
	}
	turn := k.input(kind).turn
	if err := turn.take(ctx); err != nil {
		return err
	}
	defer turn.give()
	if source != nil {
		return k.replaceInput(ctx, leg, source, inputBegin{kind: kind, given: true})
	}
	b, same, err := k.addInput(ctx, kind)
	switch {
	case err != nil:
		return err
	case same:
		return k.agreeToSend(ctx, kind)
	}
	if err = k.replaceInput(ctx, leg, b.capture, b); err != nil {
		k.c.shut(b.capture)
	}
	return err
}

// replaceInput has the call send source, and agrees that with the service if it has
// sent nothing. What was sent before is kept until then: what fails changes nothing.
func (k *Call) replaceInput(ctx context.Context, leg *media.Leg, source media.Source, b inputBegin) error {
	old, before, err := k.takeInput(leg, source, b)
	if err != nil {
		return err
	}
	done := before.capture
	if err = k.agreeToSend(ctx, b.kind); err != nil {
		_, after, _ := k.takeInput(leg, old, before)
		done = after.capture
	}
	if done != nil {
		k.c.shut(done)
	}
	return err
}

// agreeToSend has a kind sent that is not.
func (k *Call) agreeToSend(ctx context.Context, kind media.Kind) error {
	d := k.wantedDirections()
	of := map[media.Kind]*media.Direction{media.KindAudio: &d.Audio, media.KindVideo: &d.Video}[kind]
	if of.Sends() {
		return nil
	}
	*of |= media.SendOnly
	return k.SetDirections(ctx, d)
}

// takeInput puts source in the place of what is sent, which it returns. A device of it
// stays open.
func (k *Call) takeInput(leg *media.Leg, source media.Source, b inputBegin) (old media.Source, before inputBegin, failed error) {
	source = asked(source)
	err := k.c.ask(context.Background(), func() {
		old = leg.Source(b.kind)
		if failed = leg.Replace(b.kind, source); failed != nil {
			return
		}
		k.sends(k.id, "replaced", input(b.kind), source)
		before = k.input(b.kind).begun()
		k.input(b.kind).begin(b)
	})
	return old, before, errors.Join(err, failed)
}
