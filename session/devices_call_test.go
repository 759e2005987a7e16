package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// The row of the fault table: a microphone is unplugged in mid-call, and plugged in
// again. The far end hears the other one within the time that devices are given to
// settle, and nothing else happens to the call.
func TestDeviceUnpluggedInMidCallIsReplacedAndComesBack(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, headset, desk)
		ann := b.withDevices(t, v, asUsual)
		recovered, history := taped(t, ann.Devices().ObserveRecovered()), (*history)(nil)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		failures := taped(t, k.ObserveErrors())
		nowTone(t, heard, headsetHz)
		history = watch(k)
		v.Remove(media.DeviceAudioInput, "headset")
		hear(t, heard, 1200*time.Millisecond)
		if _, level := loudest(hear(t, heard, 100*time.Millisecond), 16000); level > -90 {
			t.Errorf("a microphone that is not there is heard at %.1f dBFS", level)
		}
		pass(1500 * time.Millisecond)
		nowTone(t, heard, deskHz)
		var gone *errs.DeviceNotFoundError
		var track *errs.MediaTrackError
		if f := failures.take(); len(f) != 1 || !errors.As(f[0], &track) || !errors.As(f[0], &gone) || gone.DeviceID != "headset" {
			t.Errorf("told were %v", f)
		}
		plug(t, v, plugged(t, headset))
		pass(2 * time.Second)
		nowTone(t, heard, headsetHz)
		if v.InUse(media.DeviceAudioInput, "desk") != 0 || v.InUse(media.DeviceAudioInput, "headset") != 1 {
			t.Error("what is not used is not closed")
		}
		var reasons []session.DeviceRecoveryReason
		for _, r := range recovered.take() {
			reasons = append(reasons, r.Reason)
		}
		if len(reasons) != 2 || reasons[0] != session.DeviceRecoveryFallback || reasons[1] != session.DeviceRecoveryReconnected {
			t.Errorf("recovered for %v", reasons)
		}
		wantTold(t, toldBy(t, ann.ExportDiagnostics()), "device selected kind=audioinput", "device opened kind=audioinput",
			"device ended kind=audioinput", "device recovered kind=audioinput", "device replaced kind=audioinput",
			"device recovered kind=audioinput", "device replaced kind=audioinput")
		b.over(t, ann, k)
		if n := v.InUse(media.DeviceAudioInput, "headset"); n != 0 {
			t.Errorf("%d left open by a call that is over", n)
		}
		wantStatuses(t, history.all(t), session.CallStatusConnected)
	})
}

// When there is nothing else the far end hears silence, until the device is back.
func TestTheOnlyDeviceIsUnpluggedAndComesBack(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		failures := taped(t, k.ObserveErrors())
		nowTone(t, heard, deskHz)
		v.Remove(media.DeviceAudioInput, "desk")
		pass(5 * time.Second)
		nowSilence(t, heard)
		if f := failures.take(); len(f) != 1 || !errors.As(f[0], new(*errs.DeviceNotFoundError)) || idOf(ann.Devices().SelectedAudioInput()) != "desk" {
			t.Errorf("told were %v, selected is %v", f, ann.Devices().SelectedAudioInput())
		}
		plug(t, v, plugged(t, desk))
		pass(2 * time.Second)
		nowTone(t, heard, deskHz)
		// back at once, perhaps before anybody has looked
		v.Remove(media.DeviceAudioInput, "desk")
		plug(t, v, plugged(t, desk))
		pass(3 * time.Second)
		nowTone(t, heard, deskHz)
		b.over(t, ann, k)
	})
}

// D07: a selection changes what is captured, and neither mute nor key nor what the
// service has agreed to.
func TestRunningCallsFollowTheSelection(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		nowTone(t, heard, deskHz)
		exchanges := reinvites(b.srv, k)
		k.EnablePushToTalk()
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowSilence(t, heard)
		if v.InUse(media.DeviceAudioInput, "desk") != 0 || v.InUse(media.DeviceAudioInput, "headset") != 1 {
			t.Errorf("open: %d of desk, %d of headset", v.InUse(media.DeviceAudioInput, "desk"), v.InUse(media.DeviceAudioInput, "headset"))
		}
		if !k.LocalSpeaking() {
			t.Error("the meter does not see the new microphone")
		}
		k.SetPushToTalkActive(true)
		nowTone(t, heard, headsetHz)
		k.DisablePushToTalk()
		if err := ann.Devices().SelectAudioInput(nil); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowSilence(t, heard)
		if n := v.InUse(media.DeviceAudioInput, "headset"); n != 0 {
			t.Errorf("%d open although none is selected", n)
		}
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		if n := reinvites(b.srv, k); n != exchanges {
			t.Errorf("%d exchanges of descriptions, %d before", n, exchanges)
		}
		b.over(t, ann, k)
	})
}

func TestDisabledInputsAreSilentInRunningCalls(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, webcam)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{Video: media.On})
		nowTone(t, heard, deskHz)
		pictures := func() uint64 { return k.Stats().Video.PacketsSent }
		if pictures() == 0 {
			t.Error("no pictures are sent")
		}
		if err := errors.Join(ann.Devices().DisableAudioInput(), ann.Devices().DisableVideoInput()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowSilence(t, heard)
		before := pictures()
		pass(time.Second)
		if v.InUse(media.DeviceAudioInput, "desk")+v.InUse(media.DeviceVideoInput, "webcam") != 0 || pictures() != before {
			t.Error("what is disabled is captured")
		}
		// a new call sends neither
		other := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{Video: media.On}))
		if d := other.Directions(); d.Audio.Sends() || d.Video.Sends() {
			t.Errorf("a new call has directions %v", d)
		}
		if err := other.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		if err := errors.Join(ann.Devices().EnableAudioInput(), ann.Devices().EnableVideoInput()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		if pictures() == before {
			t.Error("no pictures are sent although the camera is enabled")
		}
		b.over(t, ann, k)
	})
}

// D22: what cannot be opened changes nothing and is told. The latest wish wins.
func TestAFailedSwitchLeavesTheOldDevice(t *testing.T) {
	busy := plugged(t, headset)
	busy.Busy = true
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk)
		plug(t, v, busy)
		p := &counting{DeviceProvider: v}
		ann := b.withDevices(t, p, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		failures := taped(t, k.ObserveErrors())
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		var track *errs.MediaTrackError
		var access *errs.MediaAccessError
		if f := failures.take(); len(f) != 1 || !errors.As(f[0], &track) || track.Kind != "audio" || !errors.As(f[0], &access) {
			t.Errorf("told were %v", f)
		}
		plug(t, v, plugged(t, headset)) // it is free by now
		third := plugged(t, media.Device{ID: "third", Label: "Third", Kind: media.DeviceAudioInput})
		plug(t, v, third)
		p.asked()
		hold := make(chan struct{})
		p.set(func() { p.hold = hold })
		for _, d := range []media.Device{third.Device, desk, headset} {
			if err := ann.Devices().SelectAudioInput(&d); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // it is being opened
		}
		close(hold)
		pass(time.Second)
		nowTone(t, heard, headsetHz)
		if f := failures.take(); len(f) != 0 || v.InUse(media.DeviceAudioInput, "third")+v.InUse(media.DeviceAudioInput, "desk") != 0 {
			t.Errorf("told were %v", f)
		}
		b.over(t, ann, k)
	})
}

// D64: the first automatic choice disturbs nobody, and a call that is dialled at once
// already has it.
func TestADeviceIsOpenedOnceForACallAtTheStart(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		p := &counting{DeviceProvider: virtual(t, desk, headset)}
		ann := b.withDevices(t, p, func(p *session.PreferenceValues) { p.PreferredAudioInput = &headset })
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		pass(5 * time.Second)
		nowTone(t, heard, headsetHz)
		if _, opened := p.asked(); len(opened) != 1 || opened[0].DeviceID != "headset" {
			t.Errorf("opened with %+v", opened)
		}
		b.over(t, ann, k)
	})
}

// D10, and behaviour 4.2: a camera that cannot be had costs nothing but pictures, and
// a call that cannot send receives.
func TestWhatCannotBeCapturedIsNotSent(t *testing.T) {
	denied := plugged(t, webcam)
	denied.Denied = true
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk)
		plug(t, v, denied)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{Video: media.On})
		var failure *errs.CallError
		var access *errs.MediaAccessError
		if err := next(t, k.ObserveErrors()); !errors.As(err, &failure) || failure.Fatal || failure.Kind != errs.CallErrorMedia ||
			!errors.As(err, &access) || access.Media != "video" || !access.Denied {
			t.Errorf("told was %v", err)
		}
		nowTone(t, heard, deskHz)
		if d := k.Directions(); d.Audio != media.SendRecv || d.Video.Sends() {
			t.Errorf("directions %v", d)
		}
		b.over(t, ann, k)

		v.Remove(media.DeviceAudioInput, "desk")
		k = connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{}))
		if err := next(t, k.ObserveErrors()); !errors.As(err, new(*errs.OverconstrainedFallbackError)) || !errors.As(err, &access) {
			t.Errorf("without a microphone: %v", err)
		}
		if d := k.Directions(); d.Audio != media.RecvOnly {
			t.Errorf("directions without a microphone: %v", d)
		}
		// later it is there, and agreed upon
		plug(t, v, plugged(t, desk))
		pass(2 * time.Second)
		if err := selfOf(t, k).AddAudioInputDevice(t.Context(), nil); err != nil || k.Directions().Audio != media.SendRecv {
			t.Errorf("directions %v: %v", k.Directions(), err)
		}
		pass(time.Second)
		if !k.LocalSpeaking() || v.InUse(media.DeviceAudioInput, "desk") != 1 {
			t.Error("the microphone is not captured")
		}
		b.over(t, ann, k)

		for name, o := range map[string]session.MediaOptions{
			"local media is required":   {Video: media.On, RequireLocalMedia: true},
			"there is nothing to do":    {Audio: media.Off, Video: media.On, ReceiveAudio: media.Off, ReceiveVideo: media.Off},
			"the camera is to be exact": {Video: media.On, RequireLocalMedia: true, VideoConstraints: &media.Constraints{DeviceID: "webcam"}},
		} {
			_, err := ann.Dial(t.Context(), "/public/tone", ann.dialing(o))
			var create *errs.CallCreateError
			if !errors.As(err, &create) || create.Reason != errs.CallMediaFailed || !errors.As(err, &access) || !access.Fatal || !access.Denied {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := v.InUse(media.DeviceAudioInput, "desk"); n != 0 {
			t.Errorf("%d left open by calls that never came about", n)
		}
	})
}

// D50: a stale device costs nothing but the wish for it.
func TestCallsUseAnotherDeviceThanOneThatIsNotThere(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset)
		ann := b.withDevices(t, v, asUsual)
		fallbacks := taped(t, ann.Devices().ObserveConstraintFallbacks())
		k, heard := b.echoed(t, ann, session.MediaOptions{AudioConstraints: &media.Constraints{DeviceID: "stale"}})
		nowTone(t, heard, deskHz)
		f := fallbacks.take()
		if len(f) != 1 || f[0].CallID != k.ID() || f[0].Level != media.ConstraintPreferred || idOf(f[0].Requested) != "stale" || idOf(f[0].Actual) != "desk" {
			t.Errorf("told were %+v", f)
		}
		// a call with a device of its own follows nothing
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		b.over(t, ann, k)
	})
}

// A source of the program's is sent instead of a device, whatever is selected.
func TestTheProgramsSourceIsNotReplaced(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		nowTone(t, heard, deskHz)
		if err := selfOf(t, k).AddAudioInputDevice(t.Context(), newTone(t, 580, micLevel)); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if n := v.InUse(media.DeviceAudioInput, "desk"); n != 0 {
			t.Errorf("%d of a device left open", n)
		}
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, 580)
		if err := selfOf(t, k).AddAudioInputDevice(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		nowTone(t, heard, headsetHz)
		exclusive := plugged(t, headset)
		exclusive.Exclusive = true
		plug(t, v, exclusive)
		if err := selfOf(t, k).AddAudioInputDevice(t.Context(), nil); err != nil {
			t.Errorf("once more: %v", err)
		}
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		b.over(t, ann, k)
		wrong := session.MediaOptions{AudioConstraints: &media.Constraints{Width: media.Range{Min: -1}}}
		if _, err := ann.Dial(t.Context(), "/public/echo", ann.dialing(wrong)); !errors.As(err, new(*errs.ConfigError)) {
			t.Errorf("constraints that cannot be: %v", err)
		}
	})
}
