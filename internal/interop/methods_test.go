package interop

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
)

// A deed is a method of a participant in either SDK, and a fact that both must show of it. It is done by each member to
// itself and to another.
type deed struct {
	official string // as the browser calls it, "" when the official SDK has no such method
	ours     string // method of callrx
	args     []any  // of both
	shows    string // getter of the official SDK, and the name of its observable without "$"
	want     any
	alone    bool // done only to oneself
}

// deeds leave a member as they found it, but for its levels.
func deeds() []deed {
	return []deed{
		{"mute", "Mute", nil, "audioMuted", true, false},
		{"unmute", "Unmute", nil, "audioMuted", false, false},
		{"toggleMute", "ToggleMute", nil, "audioMuted", true, false},
		{"toggleMute", "ToggleMute", nil, "audioMuted", false, false},
		{"muteVideo", "MuteVideo", nil, "visible", false, false},
		{"unmuteVideo", "UnmuteVideo", nil, "visible", true, false},
		{"toggleMuteVideo", "ToggleMuteVideo", nil, "videoMuted", true, false},
		{"toggleMuteVideo", "ToggleMuteVideo", nil, "videoMuted", false, false},
		{"toggleDeaf", "ToggleDeaf", nil, "deaf", true, false},
		{"toggleDeaf", "ToggleDeaf", nil, "deaf", false, false},
		{"", "SetDeaf", []any{true}, "deaf", true, false},
		{"", "SetDeaf", []any{false}, "deaf", false, false},
		{"toggleHandraise", "ToggleHandraise", nil, "handraised", true, false},
		{"toggleHandraise", "ToggleHandraise", nil, "handraised", false, false},
		{"", "SetHandRaised", []any{true}, "handraised", true, false},
		{"", "SetHandRaised", []any{false}, "handraised", false, false},
		{"toggleEchoCancellation", "ToggleEchoCancellation", nil, "echoCancellation", false, false},
		{"toggleEchoCancellation", "ToggleEchoCancellation", nil, "echoCancellation", true, false},
		{"toggleAudioInputAutoGain", "ToggleAudioInputAutoGain", nil, "autoGain", false, false},
		{"toggleAudioInputAutoGain", "ToggleAudioInputAutoGain", nil, "autoGain", true, false},
		{"toggleNoiseSuppression", "ToggleNoiseSuppression", nil, "noiseSuppression", false, false},
		{"toggleNoiseSuppression", "ToggleNoiseSuppression", nil, "noiseSuppression", true, false},
		{"", "SetAudioFlags", []any{session.AudioFlags{}}, "autoGain", false, false},
		{"", "SetAudioFlags", []any{session.AudioFlags{EchoCancellation: true, AutoGain: true, NoiseSuppression: true}}, "autoGain", true, false},
		{"enableStudioAudio", "EnableStudioAudio", nil, "noiseSuppression", false, true},
		{"disableStudioAudio", "DisableStudioAudio", nil, "noiseSuppression", true, true},
		{"setAudioInputVolume", "SetAudioInputVolume", []any{41.0}, "inputVolume", 41.0, false},
		{"setAudioOutputVolume", "SetAudioOutputVolume", []any{27.0}, "outputVolume", 27.0, false},
		{"setAudioInputSensitivity", "SetAudioInputSensitivity", []any{33.0}, "inputSensitivity", 33.0, false},
		{"", "SetLowBitrate", []any{true}, "lowbitrate", true, false},
		{"", "ToggleLowbitrate", nil, "lowbitrate", false, false},
	}
}

// facts are what of a participant callrx shows under the names of the official SDK's getters.
func facts() map[string]func(context.Context, *session.Participant, any) error {
	return map[string]func(context.Context, *session.Participant, any) error{
		"audioMuted":       becomes((*session.Participant).ObserveAudioMuted),
		"videoMuted":       becomes((*session.Participant).ObserveVideoMuted),
		"visible":          becomes((*session.Participant).ObserveVisible),
		"deaf":             becomes((*session.Participant).ObserveDeaf),
		"handraised":       becomes((*session.Participant).ObserveHandRaised),
		"echoCancellation": becomes((*session.Participant).ObserveEchoCancellation),
		"autoGain":         becomes((*session.Participant).ObserveAutoGain),
		"noiseSuppression": becomes((*session.Participant).ObserveNoiseSuppression),
		"inputVolume":      becomes((*session.Participant).ObserveInputVolume),
		"outputVolume":     becomes((*session.Participant).ObserveOutputVolume),
		"inputSensitivity": becomes((*session.Participant).ObserveInputSensitivity),
		"lowbitrate":       becomes((*session.Participant).ObserveLowBitrate),
	}
}

// becomes waits until an observable has a value.
func becomes[T comparable](observe func(*session.Participant) observable.Of[T]) func(context.Context, *session.Participant, any) error {
	return func(ctx context.Context, p *session.Participant, want any) error {
		if level, is := want.(float64); is {
			want = session.Level{Value: level, Known: true}
		}
		_, err := observe(p).Wait(ctx, func(v T) bool { return any(v) == want })
		return err
	}
}

// js is the deed in the browser, done to a participant.
func (d deed) js(to string) string {
	args := make([]string, len(d.args))
	for i, a := range d.args {
		args[i] = quote(a)
	}
	return fmt.Sprintf("%s.%s(%s)", to, d.official, strings.Join(args, ", "))
}

// do is the deed in callrx, done to a *Participant or *SelfParticipant.
func (d deed) do(ctx context.Context, to any) error {
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for _, a := range d.args {
		args = append(args, reflect.ValueOf(a))
	}
	err, _ := reflect.ValueOf(to).MethodByName(d.ours).Call(args)[0].Interface().(error)
	return err
}
