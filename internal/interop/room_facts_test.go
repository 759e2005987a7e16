package interop

import (
	"context"
	"testing"

	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestRoomLevelsChangeForBothSDKs: volumes and sensitivity, set by either for itself.
func TestRoomLevelsChangeForBothSDKs(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	ctx, self := t.Context(), m.call.Self()
	for _, fact := range []struct {
		getter, setter string // in the browser
		observe        func(*session.Participant) observable.Of[session.Level]
		set            func(context.Context, float64) error
	}{
		{"inputVolume", "setAudioInputVolume", (*session.Participant).ObserveInputVolume, self.SetAudioInputVolume},
		{"outputVolume", "setAudioOutputVolume", (*session.Participant).ObserveOutputVolume, self.SetAudioOutputVolume},
		{"inputSensitivity", "setAudioInputSensitivity", (*session.Participant).ObserveInputSensitivity, self.SetAudioInputSensitivity},
	} {
		m.does("bob: "+fact.getter, fact.set(ctx, 41))
		m.ann.holds(m.js("bob")+"."+fact.getter, 41)
		m.ann.do(nil, "%s.self.%s(27)", m.k.js(), fact.setter)
		until(m, "ann's "+fact.getter, fact.observe(m.of("ann")), func(l session.Level) bool { return l.Known && l.Value == 27 })
	}
	m.end()
}

// TestRoomAudioFlagsChangeForBothSDKs. (The official SDK has not implemented its toggleLowbitrate.)
func TestRoomAudioFlagsChangeForBothSDKs(t *testing.T) {
	t.Parallel()
	m := meet(t, sessiontest.RoleModerator)
	ctx, self := t.Context(), m.call.Self()
	for _, fact := range []struct {
		getter, toggler string // in the browser
		observe         func(*session.Participant) observable.Of[bool]
		get             func() bool
		toggle          func(context.Context) error
	}{
		{"echoCancellation", "toggleEchoCancellation", (*session.Participant).ObserveEchoCancellation, self.EchoCancellation, self.ToggleEchoCancellation},
		{"autoGain", "toggleAudioInputAutoGain", (*session.Participant).ObserveAutoGain, self.AutoGain, self.ToggleAudioInputAutoGain},
		{"noiseSuppression", "toggleNoiseSuppression", (*session.Participant).ObserveNoiseSuppression, self.NoiseSuppression, self.ToggleNoiseSuppression},
	} {
		want := !fact.get()
		m.does("bob: "+fact.toggler, fact.toggle(ctx))
		m.ann.holds(m.js("bob")+"."+fact.getter, want)
		m.ann.do(nil, "%s.self.%s()", m.k.js(), fact.toggler)
		until(m, "ann's "+fact.getter, fact.observe(m.of("ann")), func(v bool) bool { return v == want })
	}
	m.end()
}
