package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// exampleDevices is a machine with two microphones, a loudspeaker and a camera, none of
// which are there, and a client that has not been connected.
func exampleDevices() (*media.VirtualDevices, *session.Client) {
	machine, err := media.NewVirtualDevices(
		media.VirtualDevice{Device: media.Device{ID: "desk", Label: "Desk", Kind: media.DeviceAudioInput}},
		media.VirtualDevice{Device: media.Device{ID: "headset", Label: "Headset", Kind: media.DeviceAudioInput}},
		media.VirtualDevice{Device: media.Device{ID: "speaker", Label: "Speaker", Kind: media.DeviceAudioOutput}},
		media.VirtualDevice{
			Device:       media.Device{ID: "webcam", Label: "Webcam", Kind: media.DeviceVideoInput},
			Capabilities: media.DeviceCapabilities{Width: media.Range{Min: 160, Max: 1280}},
		})
	if err != nil {
		panic(err)
	}
	preferences := session.DefaultPreferences()
	preferences.DeviceDebounce = 0 // devices are chosen at once
	client, err := session.New(nil, session.Options{Devices: machine, Preferences: &preferences})
	if err != nil {
		panic(err)
	}
	return machine, client
}

// exampleClient signs ann in with options of her own.
func exampleClient(ctx context.Context, gw *sessiontest.Server, o session.Options) *session.Client {
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	o.APIURL, o.RelayURL, o.HTTPClient, o.DPoPKey = gw.APIURL(), gw.RelayURL(), gw.Client(), sharedKey()
	c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}), o)
	if err != nil {
		panic(err)
	}
	return c
}

// A headset is selected, unplugged and plugged in again.
func ExampleClient_Devices() {
	ctx := context.Background()
	machine, client := exampleDevices()
	defer client.Close()
	devices := client.Devices()
	if err := devices.EnableMonitoring(); err != nil { // as Connect does
		fmt.Println(err)
	}
	if _, err := devices.ObserveSelectedAudioInput().Wait(ctx, func(d *media.Device) bool { return d != nil }); err != nil {
		fmt.Println(err)
	}
	for _, d := range devices.AudioInputs() {
		fmt.Println("there is", d.Label)
	}
	fmt.Println(len(devices.AudioOutputs()), "loudspeaker,", len(devices.VideoInputs()), "camera")
	fmt.Println("selected by itself:", devices.SelectedAudioInput().Label)

	recovered := devices.ObserveRecovered()
	headset := devices.AudioInputs()[1]
	if err := devices.SelectAudioInput(&headset); err != nil {
		fmt.Println(err)
	}
	machine.Remove(headset.Kind, headset.ID)
	count := 0
	for r := range recovered.Seq(ctx) {
		fmt.Println(r.Reason+":", r.Previous.Label, "→", r.New.Label)
		if count++; count == 2 {
			break
		}
		if err := machine.Add(media.VirtualDevice{Device: headset}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// there is Desk
	// there is Headset
	// 1 loudspeaker, 1 camera
	// selected by itself: Desk
	// device_disconnected: Headset → Desk
	// device_reconnected: Desk → Headset
}

// A call captures from the selected microphone, and follows the selection.
func ExampleDevices_SelectAudioInput() {
	ctx := context.Background()
	_, gw, end := exampleCallers(ctx)
	defer end()
	tone := func(hz float64) func(media.Constraints) (media.Source, error) {
		return func(media.Constraints) (media.Source, error) { return media.NewTone(hz, -12) }
	}
	desk := media.Device{ID: "desk", Label: "Desk", Kind: media.DeviceAudioInput}
	headset := media.Device{ID: "headset", Label: "Headset", Kind: media.DeviceAudioInput}
	machine, err := media.NewVirtualDevices(
		media.VirtualDevice{Device: desk, Source: tone(440)}, media.VirtualDevice{Device: headset, Source: tone(520)})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := exampleClient(ctx, gw, session.Options{Devices: machine})
	defer client.Close()
	devices := client.Devices()

	call, err := client.Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		fmt.Println(err)
		return
	}
	speaking := func(s bool) bool { return s }
	if _, err := call.ObserveLocalSpeaking().Wait(ctx, speaking); err != nil {
		fmt.Println(err)
	}
	fmt.Println("heard by", devices.SelectedAudioInput().Label, "in use:", machine.InUse(desk.Kind, "desk"))
	if err := devices.SelectAudioInput(&headset); err != nil {
		fmt.Println(err)
	}
	for range time.Tick(10 * time.Millisecond) {
		if machine.InUse(desk.Kind, "desk") == 0 { // the call has let go of it
			break
		}
	}
	fmt.Println("heard by", devices.SelectedAudioInput().Label, "in use:", machine.InUse(headset.Kind, "headset"))
	if err := call.Hangup(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// heard by Desk in use: 1
	// heard by Headset in use: 1
}

// Everything is tried before the first call.
func ExampleDevices_Probe() {
	ctx := context.Background()
	_, client := exampleDevices()
	defer client.Close()
	devices := client.Devices()
	found, err := devices.Probe(ctx, media.KindAudio, media.KindVideo)
	fmt.Println("microphone:", found.Audio, found.AudioDevice.Label, "camera:", found.Video, found.VideoDevice.Label, err)

	webcam := devices.VideoInputs()[0]
	can, err := devices.Capabilities(ctx, webcam)
	fmt.Println("up to", can.Width.Max, "pixels wide", err)
	fmt.Println("valid:", devices.Valid(ctx, &webcam), devices.Valid(ctx, &media.Device{ID: "gone", Kind: media.DeviceVideoInput}))
	fmt.Println("constraints for it:", devices.ConstraintsFor(&webcam).DeviceID)

	audio, _ := devices.AudioInputConstraints()
	video, _ := devices.VideoInputConstraints()
	fmt.Println("calls capture from", audio.DeviceID, "and", video.DeviceID, "at", video.Width.Ideal)
	// Output:
	// microphone: true Desk camera: true Webcam <nil>
	// up to 1280 pixels wide <nil>
	// valid: true false
	// constraints for it: webcam
	// calls capture from desk and webcam at 1280
}

// The microphone is switched off for all calls, and on again.
func ExampleDevices_DisableAudioInput() {
	ctx := context.Background()
	_, client := exampleDevices()
	defer client.Close()
	devices := client.Devices()
	if err := devices.DisableMonitoring(); err != nil { // changes are looked for by hand
		fmt.Println(err)
	}
	if err := devices.Enumerate(ctx); err != nil {
		fmt.Println(err)
	}
	if _, err := devices.ObserveSelectedVideoInput().Wait(ctx, func(d *media.Device) bool { return d != nil }); err != nil {
		fmt.Println(err)
	}
	err := errors.Join(devices.DisableAudioInput(), devices.DisableVideoInput())
	fmt.Println("disabled:", devices.AudioInputDisabled(), devices.VideoInputDisabled(), devices.SelectedAudioInput(), err)
	err = errors.Join(devices.EnableAudioInput(), devices.EnableVideoInput())
	fmt.Println("disabled:", devices.AudioInputDisabled(), devices.VideoInputDisabled(), devices.SelectedAudioInput().Label, err)

	err = devices.SelectVideoInput(nil) // no camera
	fmt.Println("camera:", devices.SelectedVideoInput(), err)
	if err := devices.ClearState(ctx); err != nil {
		fmt.Println(err)
	}
	camera, err := devices.ObserveSelectedVideoInput().Wait(ctx, func(d *media.Device) bool { return d != nil })
	fmt.Println("camera:", camera.Label, err)
	// Output:
	// disabled: true true <nil> <nil>
	// disabled: false false Desk <nil>
	// camera: <nil> <nil>
	// camera: Webcam <nil>
}

// What a call receives is played on the selected loudspeaker, if its sink is that.
func ExampleDevices_OpenSelectedOutput() {
	ctx := context.Background()
	machine, client := exampleDevices()
	defer client.Close()
	devices := client.Devices()
	sink, err := devices.OpenSelectedOutput(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(devices.SelectedAudioOutput().Label, "in use:", machine.InUse(media.DeviceAudioOutput, "speaker"))
	_ = session.MediaOptions{AudioSink: sink} // of a call, which closes it
	_ = sink.Close()

	if err := devices.SelectAudioOutput(nil); err != nil {
		fmt.Println(err)
	}
	_, err = devices.OpenSelectedOutput(ctx)
	fmt.Println("none selected:", errors.As(err, new(*errs.DeviceNotFoundError)))
	// Output:
	// Speaker in use: 1
	// none selected: true
}

// Whoever wants to know is told when a call has to do with another device.
func ExampleDevices_ObserveConstraintFallbacks() {
	ctx := context.Background()
	_, gw, end := exampleCallers(ctx)
	defer end()
	machine, offline := exampleDevices()
	defer offline.Close()
	client := exampleClient(ctx, gw, session.Options{Devices: machine})
	defer client.Close()
	fallbacks := client.Devices().ObserveConstraintFallbacks()
	o := onLoopbackOnly()
	o.AudioConstraints = &media.Constraints{DeviceID: "the one of last week"}
	call, err := client.Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: o})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := fallbacks.Wait(ctx, nil)
	fmt.Println(f.Kind, f.Requested.ID, "→", f.Actual.Label, "with its constraints as", f.Level, err)
	if err := call.Hangup(ctx); err != nil {
		fmt.Println(err)
	}
	// Output: audioinput the one of last week → Desk with its constraints as preferred <nil>
}

// Would a call with the headset go well, whatever is selected?
func ExamplePreflightOptions() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, gw, end := exampleCallers(ctx)
	defer end()
	headset := media.Device{ID: "headset", Label: "Headset", Kind: media.DeviceAudioInput}
	machine, err := media.NewVirtualDevices(
		media.VirtualDevice{Device: media.Device{ID: "desk", Label: "Desk", Kind: media.DeviceAudioInput}}, media.VirtualDevice{Device: headset})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := exampleClient(ctx, gw, session.Options{Devices: machine})
	defer client.Close()

	o := session.PreflightOptions{MediaOptions: onLoopbackOnly(), AudioDevice: &headset, SkipMediaTest: true}
	result, err := client.Preflight(ctx, "/public/echo", o)
	input := result.Devices.AudioInput
	fmt.Println(input.Device.Label, "works:", input.Working, err)
	machine.Remove(headset.Kind, headset.ID)
	result, err = client.Preflight(ctx, "/public/echo", o)
	var gone *errs.DeviceNotFoundError
	fmt.Println("works:", result.Devices.AudioInput.Working, errors.As(err, &gone), gone.DeviceID)
	// Output:
	// Headset works: true <nil>
	// works: false true headset
}

// What is selected is kept apart from everything else.
func ExampleDevices_SetStorage() {
	ctx := context.Background()
	mine := session.NewMemoryStorage()
	for range 2 { // one process after the other
		_, client := exampleDevices()
		devices := client.Devices()
		if err := errors.Join(devices.SetStorage(mine), devices.EnableMonitoring()); err != nil {
			fmt.Println(err)
		}
		selected, err := devices.ObserveSelectedAudioInput().Wait(ctx, func(d *media.Device) bool { return d != nil })
		fmt.Println(selected.Label, err)
		headset := devices.AudioInputs()[1]
		if err := errors.Join(devices.SelectAudioInput(&headset), client.Close()); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// Desk <nil>
	// Headset <nil>
}
