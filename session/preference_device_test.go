package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

// An automatic choice replaces the microphone of a call, or lets it be: then what is
// selected stays selected, and the far end hears silence until it is back.
func TestAutomaticChoicesReachCallsIfPreferred(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, headset, desk)
		ann := b.withDevices(t, v, func(p *session.PreferenceValues) { p.SyncDevicesToActiveCalls = false })
		k, heard := b.echoed(t, ann, session.MediaOptions{})
		nowTone(t, heard, headsetHz)
		v.Remove(media.DeviceAudioInput, "headset")
		pass(5 * time.Second)
		nowSilence(t, heard)
		if d := ann.Devices().SelectedAudioInput(); idOf(d) != "headset" || v.InUse(media.DeviceAudioInput, "desk") != 0 {
			t.Errorf("%v is selected", d)
		}
		change(t, ann.Client, func(p *session.PreferenceValues) { p.SyncDevicesToActiveCalls = true })
		plug(t, v, plugged(t, webcam)) // devices are looked at
		pass(2 * time.Second)
		nowTone(t, heard, deskHz)
		b.over(t, ann, k)
	})
}

// What calls capture with is what their options say, then the preferences, then the
// defaults; the selected device wins over them.
func TestCallsCaptureAsPreferred(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		p := &counting{DeviceProvider: virtual(t, desk, webcam)}
		ann := b.withDevices(t, p, func(p *session.PreferenceValues) {
			p.AudioConstraints = &media.Constraints{DeviceID: "another", NoiseSuppression: media.Off, AutoGainControl: media.Off}
			p.DefaultAudioConstraints = &media.Constraints{EchoCancellation: media.Off, NoiseSuppression: media.On}
			p.DefaultVideoConstraints = &media.Constraints{Width: media.Range{Ideal: 320}, FrameRate: media.Range{Ideal: 10}}
			p.VideoConstraints = &media.Constraints{FrameRate: media.Range{Max: 15}}
		})
		o := session.MediaOptions{Video: media.On, AudioConstraints: &media.Constraints{AutoGainControl: media.On}}
		k, _ := b.echoed(t, ann, o)
		_, opened := p.asked()
		want := []media.Constraints{
			{DeviceID: "desk", EchoCancellation: media.Off, NoiseSuppression: media.Off, AutoGainControl: media.On},
			{DeviceID: "webcam", Width: media.Range{Ideal: 320}, FrameRate: media.Range{Max: 15}},
		}
		if diff := cmp.Diff(want, opened); diff != "" {
			t.Errorf("opened with (-want +got):\n%s", diff)
		}
		audio, _ := ann.Devices().AudioInputConstraints()
		video, _ := ann.Devices().VideoInputConstraints()
		want[0].AutoGainControl = media.Off // which the call's options say
		if diff := cmp.Diff(want, []media.Constraints{audio, video}); diff != "" {
			t.Errorf("what calls capture with (-want +got):\n%s", diff)
		}
		b.over(t, ann, k)
	})
}

// What nobody says anything about is left to the defaults.
func TestCallsCaptureWithTheDefaults(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		p := &counting{DeviceProvider: virtual(t, desk, webcam)}
		ann := b.withDevices(t, p, asUsual)
		k := mustDial(t, ann.Client, "/public/echo?channel=video", ann.dialing(session.MediaOptions{}))
		_, opened := p.asked()
		want := []media.Constraints{
			{DeviceID: "desk", EchoCancellation: media.On, NoiseSuppression: media.On, AutoGainControl: media.On},
			{DeviceID: "webcam", Width: media.Range{Ideal: 1280}, Height: media.Range{Ideal: 720}, AspectRatio: media.Range{Ideal: 16.0 / 9}},
		}
		if diff := cmp.Diff(want, opened); diff != "" {
			t.Errorf("opened with (-want +got):\n%s", diff)
		}
		b.over(t, ann, k)
	})
}

// D62: and not when the program does not want changes to be noticed.
func TestDevicesAreListedOnResumeIfPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &counting{DeviceProvider: virtual(t, desk)}
		c := idle(t, session.Options{Devices: p})
		defer c.Close()
		resumed := func(want int) {
			t.Helper()
			pass(0)
			p.asked()
			c.Suspend()
			if err := c.Resume(t.Context()); err != nil {
				t.Error(err)
			}
			pass(time.Minute)
			if n, _ := p.asked(); n != want {
				t.Errorf("listed %d times, want %d", n, want)
			}
		}
		resumed(0) // nobody has asked for anything yet
		if err := c.Devices().EnableMonitoring(); err != nil {
			t.Fatal(err)
		}
		resumed(1)
		change(t, c, func(p *session.PreferenceValues) { p.RefreshDevicesOnResume = false })
		resumed(0)
		change(t, c, func(p *session.PreferenceValues) { p.RefreshDevicesOnResume = true })
		if err := c.Devices().DisableMonitoring(); err != nil {
			t.Fatal(err)
		}
		resumed(0)
	})
}
