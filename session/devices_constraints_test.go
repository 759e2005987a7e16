package session_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// tuned is a microphone whose tone tells whether noise is suppressed.
func tuned(device media.Device) media.VirtualDevice {
	return media.VirtualDevice{Device: device, Source: func(c media.Constraints) (media.Source, error) {
		if c.NoiseSuppression == media.Off {
			return media.NewTone(deskHz, micLevel)
		}
		return media.NewTone(headsetHz, micLevel)
	}}
}

// Behaviour 4.6, and D22: what cannot be leaves everything as it was.
func TestConstraintsOfARunningCallChange(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, speaker)
		plug(t, v, tuned(desk))
		plug(t, v, media.VirtualDevice{Device: webcam, Capabilities: media.DeviceCapabilities{Width: media.Range{Min: 160, Max: 640}}})
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{Video: media.On})
		self, ctx, failures := selfOf(t, k), t.Context(), taped(t, k.ObserveErrors())
		nowTone(t, heard, headsetHz)
		exchanges := reinvites(b.srv, k)
		off := media.Constraints{NoiseSuppression: media.Off, DeviceID: "does not count"}
		if err := self.SetAudioInputConstraints(ctx, off); err != nil {
			t.Fatal(err)
		}
		nowTone(t, heard, deskHz)
		var track *errs.MediaTrackError
		var over *errs.OverconstrainedError
		err := self.SetInputConstraints(ctx, &media.Constraints{NoiseSuppression: media.On}, &media.Constraints{Width: media.Range{Min: 641}})
		if !errors.As(err, &track) || track.Kind != "video" || !errors.As(err, &over) || over.Constraint != "Width" {
			t.Errorf("what the camera cannot do: %v", err)
		}
		nowTone(t, heard, headsetHz)
		before := k.Stats().Video.PacketsSent
		pass(time.Second)
		if k.Stats().Video.PacketsSent == before {
			t.Error("no pictures are sent")
		}
		if n := v.InUse(media.DeviceAudioInput, "desk") + v.InUse(media.DeviceVideoInput, "webcam"); n != 2 {
			t.Errorf("%d open", n)
		}
		if err := self.SetVideoInputConstraints(ctx, media.Constraints{Width: media.Range{Max: 320}}); err != nil {
			t.Error(err)
		}
		if err := self.SetAudioInputConstraints(ctx, media.Constraints{NoiseSuppression: 9}); !errors.As(err, new(*errs.ConfigError)) {
			t.Errorf("what cannot be: %v", err)
		}
		// while nothing is captured it is about what will be
		if err := errors.Join(ann.Devices().SelectAudioInput(nil), self.SetAudioInputConstraints(ctx, off)); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		if n := reinvites(b.srv, k); n != exchanges || len(failures.take()) != 0 {
			t.Errorf("%d exchanges of descriptions, %d before", n, exchanges)
		}
		if err := self.AddAudioInputDevice(ctx, newTone(t, 580, micLevel)); err != nil {
			t.Fatal(err)
		}
		if err := self.SetAudioInputConstraints(ctx, off); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
			t.Errorf("of the program's source: %v", err)
		}
		b.over(t, ann, k)
	})
}

// A device that only one can have is let go of first, and taken back as it was if it
// cannot be had otherwise.
func TestConstraintsOfADeviceThatCannotBeOpenTwice(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		var broken atomic.Bool
		once := tuned(desk)
		make := once.Source
		once.Exclusive, once.Source = true, func(c media.Constraints) (media.Source, error) {
			if broken.Load() && c.NoiseSuppression != media.Off {
				return nil, &errs.OverconstrainedError{Constraint: "NoiseSuppression", Problem: "is broken"}
			}
			return make(c)
		}
		v := virtual(t)
		plug(t, v, once)
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		self, failures := selfOf(t, k), taped(t, k.ObserveErrors())
		nowTone(t, heard, headsetHz)
		if err := self.SetAudioInputConstraints(t.Context(), media.Constraints{NoiseSuppression: media.Off}); err != nil {
			t.Fatal(err)
		}
		nowTone(t, heard, deskHz)
		broken.Store(true)
		err := self.SetAudioInputConstraints(t.Context(), media.Constraints{NoiseSuppression: media.On})
		if !errors.As(err, new(*errs.OverconstrainedError)) {
			t.Errorf("what the device cannot do: %v", err)
		}
		nowTone(t, heard, deskHz)
		if n := v.InUse(media.DeviceAudioInput, "desk"); n != 1 || len(failures.take()) != 0 {
			t.Errorf("%d open", n)
		}
		b.over(t, ann, k)
	})
}

// Who selects another device meanwhile has that one, with the new constraints.
func TestConstraintsAndTheSelectionChangeAtOnce(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(headset))
		plug(t, v, tuned(desk))
		p := &counting{DeviceProvider: v}
		ann := b.withDevices(t, p, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		self := selfOf(t, k)
		nowTone(t, heard, headsetHz)
		hold := make(chan struct{})
		p.set(func() { p.hold = hold })
		done := make(chan error, 1)
		go func() {
			done <- self.SetAudioInputConstraints(t.Context(), media.Constraints{NoiseSuppression: media.Off})
		}()
		synctest.Wait() // it is being opened
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		close(hold)
		if err := <-done; err != nil {
			t.Error(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz)
		if v.InUse(media.DeviceAudioInput, "headset") != 0 || v.InUse(media.DeviceAudioInput, "desk") != 1 {
			t.Error("not the selected device alone is open")
		}
		b.over(t, ann, k)
	})
}
