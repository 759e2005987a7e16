package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// Who answers speaks into the selected microphone. D08: no camera is opened for it.
func TestAnsweringOpensTheMicrophoneAndNoCamera(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v, heard := virtual(t, desk, webcam), newListener(t)
		bob := b.open(t, "bob", session.Options{Devices: v})
		ann := b.client(t, "ann")
		incoming := bob.ObserveIncoming()
		out := mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{AudioSink: heard, VideoSource: media.NewTestPattern()}))
		if err := next(t, incoming).Answer(t.Context(), bob.media(session.MediaOptions{})); err != nil {
			t.Fatal(err)
		}
		awaitStatus(t, out, session.CallStatusConnected)
		nowTone(t, heard, deskHz)
		if v.InUse(media.DeviceAudioInput, "desk") != 1 || v.InUse(media.DeviceVideoInput, "webcam") != 0 {
			t.Error("not the microphone alone is open")
		}
		b.over(t, ann, out)
	})
}

// A call that the next process takes up captures what that has selected.
func TestACallThatIsTakenUpCapturesFromADevice(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		heard, bob := newListener(t), b.client(t, "bob")
		first := b.start(t, "ann", sharedMemory(), session.Options{Devices: virtual(t, desk, headset)})
		k, _ := b.pair(t, first.lineOf, bob, "ann", session.MediaOptions{}, session.MediaOptions{AudioSink: heard})
		nowTone(t, heard, deskHz)
		if err := first.Devices().SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		nowTone(t, heard, headsetHz)
		o := takingUp(session.MediaOptions{})
		v := virtual(t, desk, headset)
		o.Devices = v
		second, k2 := b.survive(t, first, "ann", o)
		if k2.ID() != k.ID() {
			t.Errorf("the call is %s, and was %s", k2.ID(), k.ID())
		}
		pass(time.Second)
		nowTone(t, heard, headsetHz)
		b.over(t, second.lineOf, k2)
		if n := v.InUse(media.DeviceAudioInput, "headset"); n != 0 {
			t.Errorf("%d left open", n)
		}
	})
}

// One that had selected for itself captures from that device, whatever the next
// process has selected, and is silent if it wanted none.
func TestACallThatIsTakenUpKeepsItsOwnDevice(t *testing.T) {
	for name, own := range map[string]*media.Device{"a device": &headset, "none": nil} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
				heard, bob := newListener(t), b.client(t, "bob")
				first := b.start(t, "ann", sharedMemory(), session.Options{Devices: virtual(t, desk, headset)})
				k, _ := b.pair(t, first.lineOf, bob, "ann", session.MediaOptions{}, session.MediaOptions{AudioSink: heard})
				if err := selfOf(t, k).SelectAudioInput(t.Context(), own, session.SelectDeviceOptions{}); err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				o, v := takingUp(session.MediaOptions{}), virtual(t, desk, headset)
				o.Devices = v
				second, k2 := b.survive(t, first, "ann", o)
				pass(time.Second)
				if own == nil {
					nowSilence(t, heard)
				} else {
					nowTone(t, heard, headsetHz)
				}
				if idOf(second.Devices().SelectedAudioInput()) != "desk" || v.InUse(media.DeviceAudioInput, "desk") != 0 {
					t.Error("it is not this call alone")
				}
				b.over(t, second.lineOf, k2)
			})
		})
	}
}

func TestPreflightTriesTheDevicesThatCallsWouldUse(t *testing.T) {
	denied := plugged(t, webcam)
	denied.Denied = true
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, headset, speaker)
		plug(t, v, denied)
		ann := b.withDevices(t, v, asUsual)
		o := session.PreflightOptions{MediaOptions: ann.media(session.MediaOptions{ICEServers: []media.ICEServer{}}), SkipMediaTest: true}
		res, err := ann.Preflight(t.Context(), "/public/echo", o)
		d := res.Devices
		if err != nil || !d.AudioInput.Given || !d.AudioInput.Working || idOf(d.AudioInput.Device) != "headset" || d.AudioInput.Level < micLevel-1 || d.VideoInput.Given {
			t.Errorf("audio only: %+v: %v", d, err)
		}
		if !d.AudioOutput.Available || idOf(d.AudioOutput.Device) != "speaker" {
			t.Errorf("output %+v", d.AudioOutput)
		}
		o.Video = media.On
		res, err = ann.Preflight(t.Context(), "/public/echo", o)
		var access *errs.MediaAccessError
		if cause := wantPhase(t, res, err, errs.PreflightDevices); !errors.As(cause, &access) || access.Media != "video" || !access.Denied {
			t.Errorf("with a camera that is denied: %v", cause)
		}
		if d := res.Devices; !d.AudioInput.Working || !d.VideoInput.Given || d.VideoInput.Working || !strings.Contains(strings.Join(res.Warnings, "\n"), "video input device not working") {
			t.Errorf("devices %+v, warnings %q", d, res.Warnings)
		}
		if n := v.InUse(media.DeviceAudioInput, "headset") + v.InUse(media.DeviceAudioOutput, "speaker"); n != 0 {
			t.Errorf("%d left open", n)
		}
		if err := ann.Devices().DisableAudioInput(); err != nil {
			t.Fatal(err)
		}
		o.Video = media.Default
		res, err = ann.Preflight(t.Context(), "/public/echo", o)
		if cause := wantPhase(t, res, err, errs.PreflightDevices); res.Devices.AudioInput.Given || !strings.Contains(cause.Error(), "disabled") ||
			!slices.Contains(res.Warnings, "audio input device not working") {
			t.Errorf("disabled: %+v, warnings %q: %v", res.Devices.AudioInput, res.Warnings, err)
		}
		o.Audio = media.Off // who only listens needs none
		if res, err = ann.Preflight(t.Context(), "/public/echo", o); err != nil || !res.OK {
			t.Errorf("without audio: %+v: %v", res.Devices.AudioInput, err)
		}
	})
}

// TestPreflightOfAProviderThatOpensNothing: no error, and no source.
func TestPreflightOfAProviderThatOpensNothing(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.withDevices(t, emptyHanded{virtual(t, desk)}, asUsual)
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{ICEServers: []media.ICEServer{}}), SkipMediaTest: true,
		})
		if wantPhase(t, res, err, errs.PreflightDevices); res.OK || !res.Devices.AudioInput.Given || res.Devices.AudioInput.Working {
			t.Errorf("%+v: %v", res.Devices.AudioInput, err)
		}
	})
}

func TestPreflightTriesTheDevicesThatItIsGiven(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset, webcam)
		ann := b.withDevices(t, v, asUsual)
		gone := headset
		gone.ID, gone.Label, gone.GroupID = "gone", "Gone", ""
		try := func(audio, video *media.Device) (*session.PreflightResult, error) {
			return ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
				MediaOptions: ann.media(session.MediaOptions{ICEServers: []media.ICEServer{}}), SkipMediaTest: true,
				AudioDevice: audio, VideoDevice: video,
			})
		}
		if err := ann.Devices().DisableVideoInput(); err != nil {
			t.Fatal(err)
		}
		res, err := try(&media.Device{Label: "Headset", Kind: media.DeviceAudioInput}, &webcam)
		d := res.Devices
		if err != nil || !d.AudioInput.Working || idOf(d.AudioInput.Device) != "headset" || !d.VideoInput.Working || idOf(d.VideoInput.Device) != "webcam" {
			t.Errorf("devices %+v: %v", d, err)
		}
		for name, row := range map[string]struct {
			device *media.Device
			want   any
		}{
			"gone":          {&gone, new(*errs.DeviceNotFoundError)},
			"a camera":      {&webcam, new(*errs.InvalidParamsError)},
			"nothing known": {&media.Device{Kind: media.DeviceAudioInput}, new(*errs.InvalidParamsError)},
		} {
			res, err := try(row.device, nil)
			if cause := wantPhase(t, res, err, errs.PreflightDevices); !errors.As(cause, row.want) || res.Devices.AudioInput.Working {
				t.Errorf("%s: %v", name, cause)
			}
			if len(res.Warnings) != 1 || res.Warnings[0] != "audio input device not working" {
				t.Errorf("%s: warnings %q", name, res.Warnings)
			}
		}
		if idOf(ann.Devices().SelectedAudioInput()) != "desk" || v.InUse(media.DeviceAudioInput, "headset")+v.InUse(media.DeviceVideoInput, "webcam") != 0 {
			t.Error("the test leaves something behind")
		}
	})
}

func TestDiagnosticsListTheDevices(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		v := virtual(t, desk, headset, speaker)
		ann := b.withDevices(t, v, asUsual)
		pass(2 * time.Second)
		v.Remove(media.DeviceAudioInput, "desk")
		pass(2 * time.Second)
		d := ann.ExportDiagnostics()
		text, err := json.Marshal(d.Devices)
		const want = `{"audioInput":[{"deviceId":"headset","label":"Headset"}],"audioOutput":[{"deviceId":"speaker","label":"Speaker"}],"videoInput":[]}`
		if string(text) != want || err != nil {
			t.Errorf("devices %s: %v", text, err)
		}
		last := d.DeviceChanges[len(d.DeviceChanges)-1]
		if last.Change != "recovered" || last.Kind != "audioinput" || last.Device != "Headset" || last.Reason != "fallback_to_default" || last.CallID != "" {
			t.Errorf("the last change is %+v", last)
		}
	})
}

// An emptyHanded provider lists devices and opens none.
type emptyHanded struct{ *media.VirtualDevices }

func (emptyHanded) OpenInput(context.Context, media.DeviceKind, media.Constraints) (media.Source, error) {
	return nil, nil
}
