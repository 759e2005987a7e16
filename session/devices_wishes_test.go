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

// Behaviour 4.6.4: what the service wishes of a device is done, in turn, and told
// then; a device that is off is not opened for it.
func TestWishesOfTheServiceAreGranted(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(desk))
		plug(t, v, media.VirtualDevice{Device: webcam, Capabilities: media.DeviceCapabilities{Width: media.Range{Min: 160, Max: 640}}})
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		told, failures := taped(t, k.ObserveMediaParams()), taped(t, k.ObserveErrors())
		changes := taped(t, k.ObserveAudioConstraintsChanges())
		wish := func(params map[string]any) {
			b.srv.SendVerto(k.ID(), "verto.mediaParams", map[string]any{"callID": k.ID(), "mediaParams": params})
		}
		nowTone(t, heard, headsetHz)
		exchanges := reinvites(b.srv, k)

		wish(map[string]any{"audio": map[string]any{"noiseSuppression": true}})
		wish(map[string]any{
			"audio": map[string]any{"noiseSuppression": map[string]any{"exact": false}, "deviceId": "another"},
			"video": map[string]any{"width": 320.0}, // of a camera that is off
		})
		pass(time.Second)
		nowTone(t, heard, deskHz)
		if got := told.take(); len(got) != 2 || got[0].Audio["noiseSuppression"] != true || got[1].Video["width"] != 320.0 {
			t.Errorf("told %+v", got)
		}
		if got := changes.take(); len(got) != 1 || got[0].Constraints.NoiseSuppression != media.Off || got[0].Constraints.DeviceID != "" { // it was on
			t.Errorf("changes %+v", got)
		}
		if a, c := v.InUse(media.DeviceAudioInput, desk.ID), v.InUse(media.DeviceVideoInput, webcam.ID); a != 1 || c != 0 {
			t.Errorf("open: %d microphones, %d cameras", a, c)
		}
		if n := reinvites(b.srv, k); n != exchanges || len(failures.take()) != 0 {
			t.Errorf("%d exchanges of descriptions, %d before", n, exchanges)
		}
		b.over(t, ann, k)
	})
}

// TestWishThatCannotBeGrantedIsAnError, and nothing else: the camera goes on.
func TestWishThatCannotBeGrantedIsAnError(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk)
		plug(t, v, media.VirtualDevice{Device: webcam, Capabilities: media.DeviceCapabilities{Width: media.Range{Min: 160, Max: 640}}})
		ann := b.withDevices(t, v, asUsual)
		k, _ := b.echoed(t, ann, session.MediaOptions{Video: media.On})
		told, failures := taped(t, k.ObserveMediaParams()), taped(t, k.ObserveErrors())
		pass(time.Second)
		b.srv.SendVerto(k.ID(), "verto.mediaParams", map[string]any{"callID": k.ID(), "mediaParams": map[string]any{
			"video": map[string]any{"width": map[string]any{"min": 641.0}},
		}})
		pass(time.Second)
		synctest.Wait()
		var track *errs.MediaTrackError
		if f := failures.take(); len(f) != 1 || !errors.As(f[0], &track) || track.Kind != "video" || !errors.As(f[0], new(*errs.OverconstrainedError)) {
			t.Errorf("failures %v", f)
		}
		before := k.Stats().Video.PacketsSent
		pass(time.Second)
		if len(told.take()) != 0 || k.Stats().Video.PacketsSent == before {
			t.Error("told as done, or no pictures are sent")
		}
		b.over(t, ann, k)
	})
}

// ObserveAudioConstraintsChanges tells each change, also one that is done with a
// device that is selected afterwards.
func TestConstraintsOfWhatIsNotYetCapturedAreTold(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(desk))
		ann := b.withDevices(t, v, asUsual)
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		changes := taped(t, k.ObserveAudioConstraintsChanges())
		nowTone(t, heard, headsetHz)
		if err := errors.Join(ann.Devices().SelectAudioInput(nil),
			selfOf(t, k).SetAudioInputConstraints(t.Context(), media.Constraints{NoiseSuppression: media.Off})); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if err := ann.Devices().SelectAudioInput(&desk); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, deskHz) // it is captured otherwise
		if got := changes.take(); len(got) != 1 {
			t.Errorf("told of %d changes, want 1: it is captured without noise suppression now", len(got))
		}
		b.over(t, ann, k)
	})
}

// A wish that comes while another device is being opened is told before it is done.
func TestWishWhileADeviceIsBeingOpenedIsToldWhenDone(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(desk))
		plug(t, v, tuned(headset))
		p := &counting{DeviceProvider: v}
		ann := b.withDevices(t, p, asUsual)
		k, _ := b.echoed(t, ann, session.MediaOptions{})
		pass(time.Second)
		told, changes := taped(t, k.ObserveMediaParams()), taped(t, k.ObserveAudioConstraintsChanges())
		hold := make(chan struct{})
		p.set(func() { p.hold = hold })
		if err := ann.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		b.srv.SendVerto(k.ID(), "verto.mediaParams", map[string]any{"callID": k.ID(), "mediaParams": map[string]any{
			"audio": map[string]any{"noiseSuppression": false},
		}})
		pass(100 * time.Millisecond)
		if n := len(told.take()); n != 0 {
			t.Errorf("told %d as done, while the device is still being opened", n)
		}
		p.set(func() { p.hold = nil })
		close(hold)
		pass(time.Second)
		if n := len(changes.take()); n != 1 {
			t.Errorf("ObserveAudioConstraintsChanges told %d, want 1", n)
		}
		b.over(t, ann, k)
	})
}

// Wishes that came meanwhile need not be granted one by one: each opens the device.
func TestManyWishesOpenTheDeviceOnce(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t)
		plug(t, v, tuned(desk))
		p := &counting{DeviceProvider: v}
		ann := b.withDevices(t, p, asUsual)
		k, _ := b.echoed(t, ann, session.MediaOptions{})
		pass(time.Second)
		p.asked()
		hold := make(chan struct{})
		p.set(func() { p.hold = hold })
		const many = 500
		for n := range many {
			b.srv.SendVerto(k.ID(), "verto.mediaParams", map[string]any{"callID": k.ID(), "mediaParams": map[string]any{
				"audio": map[string]any{"noiseSuppression": n%2 == 0},
			}})
		}
		pass(time.Second)
		p.set(func() { p.hold = nil })
		close(hold)
		pass(5 * time.Second)
		if _, opened := p.asked(); len(opened) > 10 {
			t.Errorf("%d wishes were kept, and opened the device %d times", many, len(opened))
		}
		b.over(t, ann, k)
	})
}
