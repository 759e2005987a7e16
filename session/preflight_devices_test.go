package session_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// A device that is not there "is not replaced by another": neither in the test call.
func TestPreflightOfAMissingDeviceOpensNoOther(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		opened := 0
		v := virtual(t)
		plug(t, v, media.VirtualDevice{Device: desk, Source: func(media.Constraints) (media.Source, error) {
			opened++
			return media.NewTone(deskHz, micLevel)
		}})
		ann := b.withDevices(t, v, asUsual)
		pass(time.Second)
		gone := media.Device{ID: "gone", Label: "Gone", Kind: media.DeviceAudioInput}
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{AudioSink: newListener(t), ICEServers: []media.ICEServer{}}),
			AudioDevice:  &gone, Duration: time.Second,
		})
		wantPhase(t, res, err, errs.PreflightDevices)
		if opened != 0 {
			t.Errorf("the desk's microphone was opened %d times though %q was asked for; bandwidth %+v", opened, gone.ID, res.Bandwidth)
		}
	})
}

// The same of the camera: with Video on, the test call would send pictures from another.
func TestPreflightOfAMissingCameraOpensNoOther(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		opened := 0
		v := virtual(t, desk)
		plug(t, v, media.VirtualDevice{Device: webcam, Source: func(media.Constraints) (media.Source, error) {
			opened++
			return nil, errors.New("opened")
		}})
		ann := b.withDevices(t, v, asUsual)
		pass(time.Second)
		gone := media.Device{ID: "gone", Label: "Gone", Kind: media.DeviceVideoInput}
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{Video: media.On, ICEServers: []media.ICEServer{}}),
			VideoDevice:  &gone, Duration: time.Second,
		})
		wantPhase(t, res, err, errs.PreflightDevices)
		if opened != 0 {
			t.Errorf("another camera was opened %d times though %q was asked for", opened, gone.ID)
		}
	})
}

// A camera that is not there says nothing of the microphone.
func TestPreflightTriesTheMicrophoneWithoutTheCamera(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.withDevices(t, virtual(t, desk), asUsual)
		gone := media.Device{Label: "Gone", Kind: media.DeviceVideoInput} // of yesterday, without an ID
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{ICEServers: []media.ICEServer{}}), VideoDevice: &gone, SkipMediaTest: true,
		})
		wantPhase(t, res, err, errs.PreflightDevices)
		if !res.Devices.AudioInput.Given || !res.Devices.AudioInput.Working {
			t.Errorf("the microphone: %+v, warnings %q", res.Devices.AudioInput, res.Warnings)
		}
	})
}

// A call that may use relays only and has none cannot be.
func TestPreflightOfRelaysOnlyWithoutARelay(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		o := ann.media(session.MediaOptions{RelayOnly: media.On})
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{MediaOptions: o, SkipMediaTest: true})
		k, dialled := ann.Dial(t.Context(), "/public/echo", session.DialOptions{MediaOptions: o})
		if dialled == nil {
			t.Fatal("it works", k.Hangup(t.Context()))
		}
		if err == nil || res.OK || res.Connectivity.Type != session.ConnectivityFailed {
			t.Errorf("OK %v, type %q, warnings %q, %v; but a call: %v", res.OK, res.Connectivity.Type, res.Warnings, err, dialled)
		}
		if slices.Contains(res.Warnings, "no ICE servers: only host candidates") {
			t.Error("there are no host candidates either")
		}
	})
}

// A sink that does not fit is no fault of the microphone.
func TestPreflightOfASinkDoesNotBlameTheMicrophone(t *testing.T) {
	inCallBubble(t, noOptions, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		res, err := ann.Preflight(t.Context(), "/public/echo", session.PreflightOptions{
			MediaOptions: ann.media(session.MediaOptions{
				Audio: media.Off, AudioSink: media.NewIVFSink(discardPicture{}), ICEServers: []media.ICEServer{},
			}), SkipMediaTest: true,
		})
		if err == nil {
			t.Fatal("the sink fits")
		}
		if slices.Contains(res.Warnings, "audio input device not working") {
			t.Errorf("no microphone was asked for: %q, %v", res.Warnings, err)
		}
	})
}

type discardPicture struct{}

func (discardPicture) Write(p []byte) (int, error) { return len(p), nil }
