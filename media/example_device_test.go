package media_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

func ExampleNewVirtualDevices() {
	devices, err := media.NewVirtualDevices(
		media.VirtualDevice{
			Device: media.Device{ID: "headset", Label: "Headset", Kind: media.DeviceAudioInput},
			Source: func(media.Constraints) (media.Source, error) { return media.NewTone(440, -20) },
		},
		media.VirtualDevice{
			Device:       media.Device{ID: "webcam", Label: "Webcam", Kind: media.DeviceVideoInput},
			Capabilities: media.DeviceCapabilities{Width: media.Range{Min: 160, Max: 640}},
		},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	list, _ := devices.Devices(ctx)
	for _, d := range list {
		fmt.Println(d.Kind, d.Label)
	}
	_, err = devices.OpenInput(ctx, media.DeviceVideoInput, media.Constraints{Width: media.Range{Exact: 1920}})
	fmt.Println(err)
	devices.Remove(media.DeviceAudioInput, "headset")
	_, err = devices.OpenInput(ctx, media.DeviceAudioInput, media.Constraints{DeviceID: "headset"})
	fmt.Println(errors.As(err, new(*errs.DeviceNotFoundError)), err)
	// Output:
	// audioinput Headset
	// videoinput Webcam
	// constraint Width: the device has 160 to 640
	// true device "headset" not found
}

func ExampleOpenInput() {
	devices, err := media.NewVirtualDevices(media.VirtualDevice{
		Device: media.Device{ID: "webcam", Label: "Webcam", Kind: media.DeviceVideoInput},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	input, err := media.OpenInput(context.Background(), devices, media.InputRequest{
		Kind: media.DeviceVideoInput, Constraints: media.Constraints{DeviceID: "the one of last week"},
	})
	fmt.Println(err, input.Level, input.Device.Label)
	// Output: <nil> preferred Webcam
}
