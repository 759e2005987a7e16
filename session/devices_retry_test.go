package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A microphone that another program has for a while is opened when it is free, though
// the list of devices never changes. It is told of once.
func TestADeviceThatIsBusyIsTriedAgain(t *testing.T) {
	busy := plugged(t, desk)
	busy.Busy = true
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		failures := taped(t, k.ObserveErrors())
		nowTone(t, heard, deskHz)
		v.Remove(media.DeviceAudioInput, "desk")
		plug(t, v, busy)
		pass(time.Minute)
		nowSilence(t, heard)
		f := failures.take()
		if len(f) != 2 || !errors.As(f[0], new(*errs.DeviceNotFoundError)) || !errors.As(f[1], new(*errs.MediaAccessError)) {
			t.Errorf("told were %v", f)
		}
		plug(t, v, plugged(t, desk))
		pass(30 * time.Second)
		nowTone(t, heard, deskHz)
		// one that is selected is waited for, until another is
		other := plugged(t, headset)
		other.Busy = true
		plug(t, v, other)
		for _, d := range []*media.Device{&headset, &desk} {
			if err := ann.Devices().SelectAudioInput(d); err != nil {
				t.Fatal(err)
			}
			pass(200 * time.Millisecond)
		}
		plug(t, v, plugged(t, headset))
		pass(30 * time.Second)
		nowTone(t, heard, deskHz)
		if f := failures.take(); len(f) != 1 {
			t.Errorf("told were %v", f)
		}
		b.over(t, ann, k)
	})
}

// What the service does not agree to leaves the device open that the call has.
func TestAnInputThatTheServiceRefusesLeavesTheOldDevice(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		nowTone(t, heard, deskHz)
		quiet, loud := media.Directions{Audio: media.RecvOnly}, media.Directions{Audio: media.SendRecv}
		if err := k.SetDirections(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		refusal := b.srv.Inject(sessiontest.Fault{
			Match: sessiontest.Match{Verto: "verto.modify"}, Times: 2,
			Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32002},
		})
		for _, source := range []media.Source{newTone(t, 580, micLevel), nil} {
			if err := selfOf(t, k).AddAudioInputDevice(t.Context(), source); !errors.As(err, new(*errs.JSONRPCError)) {
				t.Errorf("what the service refuses: %v", err)
			}
			if n := v.InUse(media.DeviceAudioInput, "desk"); n != 1 {
				t.Errorf("%d of the device open", n)
			}
		}
		refusal.Remove()
		pass(10 * time.Second) // the call clears up what the service may think
		if err := k.SetDirections(t.Context(), loud); err != nil {
			t.Fatal(err)
		}
		nowTone(t, heard, deskHz)
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, headsetHz)
		// a device that the call has is sent if it was not
		if err := errors.Join(k.SetDirections(t.Context(), quiet), selfOf(t, k).AddAudioInputDevice(t.Context(), nil)); err != nil || k.Directions() != loud {
			t.Errorf("directions %v: %v", k.Directions(), err)
		}
		b.over(t, ann, k)
		if n := v.InUse(media.DeviceAudioInput, "desk") + v.InUse(media.DeviceAudioInput, "headset"); n != 0 {
			t.Errorf("%d left open", n)
		}
	})
}

// Muted is muted, whichever microphone it is.
func TestMuteOutlivesTheDevice(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, headset, desk)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		nowTone(t, heard, headsetHz)
		self := selfOf(t, k)
		b.srv.Inject(sessiontest.Fault{ // or the service would be silent by itself
			Match: sessiontest.Match{RPC: "call.mute"}, Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32000},
		})
		if err := self.Mute(t.Context()); !errors.As(err, new(*errs.JSONRPCError)) {
			t.Fatalf("a mute that the service refuses: %v", err)
		}
		muted := func(what, device string) {
			t.Helper()
			pass(2 * time.Second)
			nowSilence(t, heard)
			if !self.LocalAudioMuted() || v.InUse(media.DeviceAudioInput, device) != 1 || !k.LocalSpeaking() {
				t.Errorf("%s: muted %v, captured from %s: %d", what, self.LocalAudioMuted(), device, v.InUse(media.DeviceAudioInput, device))
			}
		}
		muted("at first", "headset")
		v.Remove(media.DeviceAudioInput, "headset")
		muted("another has taken its place", "desk")
		plug(t, v, plugged(t, headset))
		muted("it has come back", "headset")
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		muted("another is selected", "desk")
		if err := self.AddAudioInputDevice(t.Context(), newTone(t, 580, micLevel)); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowSilence(t, heard)
		if err := self.Unmute(t.Context()); err != nil {
			t.Fatal(err)
		}
		nowTone(t, heard, 580)
		b.over(t, ann, k)
	})
}
