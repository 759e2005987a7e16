package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// A call that has selected for itself goes its own way, as a client does: it leaves a
// device that is unplugged and comes back to it.
func TestACallSelectsForItself(t *testing.T) {
	busy := plugged(t, media.Device{ID: "busy", Label: "Busy", Kind: media.DeviceAudioInput})
	busy.Busy = true
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset, webcam)
		plug(t, v, busy)
		ann := b.withDevices(t, v, asUsual)
		recovered := taped(t, ann.Devices().ObserveRecovered())
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		other, _ := b.echoed(t, ann, session.MediaOptions{})
		self, ctx, exchanges := selfOf(t, k), t.Context(), reinvites(b.srv, k)
		nowTone(t, heard, deskHz)
		if err := self.SelectAudioInput(ctx, &headset, session.SelectDeviceOptions{SavePreference: true}); err != nil {
			t.Fatal(err)
		}
		if p := ann.Preferences().Get().PreferredAudioInput; idOf(p) != "headset" {
			t.Errorf("%v is preferred", p)
		}
		nowTone(t, heard, headsetHz)
		if idOf(ann.Devices().SelectedAudioInput()) != "desk" || v.InUse(media.DeviceAudioInput, "desk") != 1 || v.InUse(media.DeviceAudioInput, "headset") != 1 {
			t.Error("it is not this call alone")
		}
		var access *errs.MediaAccessError
		if err := self.SelectAudioInput(ctx, &busy.Device, session.SelectDeviceOptions{}); !errors.As(err, &access) {
			t.Errorf("a device that is busy: %v", err)
		}
		for name, d := range map[string]*media.Device{"a camera": &webcam, "nothing known": {Kind: media.DeviceAudioInput}} {
			if err := self.SelectAudioInput(ctx, d, session.SelectDeviceOptions{}); !errors.As(err, new(*errs.InvalidParamsError)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := self.SelectVideoInput(ctx, &webcam, session.SelectDeviceOptions{}); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
			t.Errorf("a camera for a call without video: %v", err)
		}
		nowTone(t, heard, headsetHz)
		v.Remove(media.DeviceAudioInput, "headset")
		pass(2 * time.Second)
		nowTone(t, heard, deskHz)
		plug(t, v, plugged(t, headset))
		pass(2 * time.Second)
		nowTone(t, heard, headsetHz)
		told := recovered.take()
		if len(told) != 2 || told[0].CallID != k.ID() || told[1].CallID != k.ID() || told[1].Reason != session.DeviceRecoveryReconnected {
			t.Errorf("recovered %+v", told)
		}
		if err := self.SelectAudioInput(ctx, nil, session.SelectDeviceOptions{}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowSilence(t, heard)
		if n := v.InUse(media.DeviceAudioInput, "headset"); n != 0 {
			t.Errorf("%d open although none is selected", n)
		}
		if err := self.AddAudioInputDevice(ctx, nil); err != nil {
			t.Fatal(err)
		}
		nowTone(t, heard, deskHz)
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, headsetHz)
		if n := reinvites(b.srv, k); n != exchanges {
			t.Errorf("%d exchanges of descriptions, %d before", n, exchanges)
		}
		if err := other.Hangup(ctx); err != nil {
			t.Error(err)
		}
		b.over(t, ann, k)
	})
}

// A call that sends what the program gave it sends a device from then on, and nothing
// when it is to have none or inputs are disabled.
func TestACallWithASourceSelectsADevice(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{AudioSource: newTone(t, 580, micLevel)})
		nowTone(t, heard, 580)
		for _, want := range []struct {
			device *media.Device
			hz     float64
		}{{nil, 0}, {&headset, headsetHz}, {&headset, headsetHz}} {
			if err := selfOf(t, k).SelectAudioInput(t.Context(), want.device, session.SelectDeviceOptions{}); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
			if want.hz == 0 {
				nowSilence(t, heard)
			} else {
				nowTone(t, heard, want.hz)
			}
		}
		if err := ann.Devices().DisableAudioInput(); err != nil {
			t.Fatal(err)
		}
		if err := selfOf(t, k).SelectAudioInput(t.Context(), &desk, session.SelectDeviceOptions{}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowSilence(t, heard)
		if n := v.InUse(media.DeviceAudioInput, "desk") + v.InUse(media.DeviceAudioInput, "headset"); n != 0 {
			t.Errorf("%d open although inputs are disabled", n)
		}
		if err := ann.Devices().EnableAudioInput(); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		b.over(t, ann, k)
		without := b.client(t, "bob")
		k = connected(t, without.Client, "/public/echo", without.dialing(session.MediaOptions{}))
		if err := selfOf(t, k).SelectAudioInput(t.Context(), &desk, session.SelectDeviceOptions{}); !errors.As(err, new(*errs.InvalidParamsError)) {
			t.Errorf("without a provider: %v", err)
		}
		b.over(t, without, k)
	})
}
