package session_test

import (
	"context"
	"fmt"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// exampleCapture is a call from a machine with two microphones and no camera.
func exampleCapture(ctx context.Context) (*media.VirtualDevices, *session.Call, *session.SelfParticipant, func()) {
	machine, client, end := exampleMachine(ctx, media.DeviceAudioInput)
	call, self := exampleSelf(ctx, client, onLoopbackOnly())
	return machine, call, self, end
}

// exampleMachine is a client and its machine, which has two devices of a kind.
func exampleMachine(ctx context.Context, kind media.DeviceKind) (*media.VirtualDevices, *session.Client, func()) {
	_, gw, end := exampleCallers(ctx)
	machine, err := media.NewVirtualDevices(
		media.VirtualDevice{Device: media.Device{ID: "desk", Label: "Desk", Kind: kind}},
		media.VirtualDevice{Device: media.Device{ID: "headset", Label: "Headset", Kind: kind}})
	if err != nil {
		panic(err)
	}
	client := exampleClient(ctx, gw, session.Options{Devices: machine})
	return machine, client, func() {
		_ = client.Close()
		end()
	}
}

// exampleSelf is a call, and who made it.
func exampleSelf(ctx context.Context, client *session.Client, o session.MediaOptions) (*session.Call, *session.SelfParticipant) {
	call, err := client.Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: o})
	if err != nil {
		panic(err)
	}
	self, err := call.ObserveSelf().Wait(ctx, func(s *session.SelfParticipant) bool { return s != nil })
	if err != nil {
		panic(err)
	}
	return call, self
}

// One call has a microphone of its own; the others have what the client selects.
func ExampleSelfParticipant_SelectAudioInput() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	machine, _, self, end := exampleCapture(ctx)
	defer end()
	inUse := func() {
		fmt.Println("desk", machine.InUse(media.DeviceAudioInput, "desk"), "headset", machine.InUse(media.DeviceAudioInput, "headset"))
	}

	headset := media.Device{ID: "headset", Kind: media.DeviceAudioInput}
	fmt.Println(self.SelectAudioInput(ctx, &headset, session.SelectDeviceOptions{}))
	inUse()
	fmt.Println(self.AddAudioInputDevice(ctx, nil)) // with the client again
	inUse()
	// Output:
	// <nil>
	// desk 0 headset 1
	// <nil>
	// desk 1 headset 0
}

// One call is heard elsewhere than the others.
func ExampleSelfParticipant_SelectAudioOutput() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	machine, client, end := exampleMachine(ctx, media.DeviceAudioOutput)
	defer end()
	o := onLoopbackOnly()
	sink, err := client.Devices().OpenSelectedOutput(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	o.AudioSink = sink
	_, self := exampleSelf(ctx, client, o)
	inUse := func() {
		fmt.Println("desk", machine.InUse(media.DeviceAudioOutput, "desk"), "headset", machine.InUse(media.DeviceAudioOutput, "headset"))
	}
	inUse()
	headset := media.Device{ID: "headset", Kind: media.DeviceAudioOutput}
	fmt.Println(self.SelectAudioOutput(ctx, &headset, session.SelectDeviceOptions{}))
	inUse()
	// Output:
	// desk 1 headset 0
	// <nil>
	// desk 0 headset 1
}

// A running call captures otherwise, or goes on as before.
func ExampleSelfParticipant_SetInputConstraints() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, call, self, end := exampleCapture(ctx)
	defer end()

	changes := call.ObserveAudioConstraintsChanges()
	fmt.Println(self.SetInputConstraints(ctx, &media.Constraints{EchoCancellation: media.Off}, nil))
	if c, err := changes.Wait(ctx, nil); err == nil {
		fmt.Println("echo is cancelled:", c.Constraints.EchoCancellation == media.On)
	}
	fmt.Println(self.SetAudioInputConstraints(ctx, media.Constraints{Extra: map[string]any{"channelCount": 2}}))
	err := self.SetVideoInputConstraints(ctx, media.Constraints{Width: media.Range{Exact: 640}})
	fmt.Printf("%T\n", err) // there is no camera
	// Output:
	// <nil>
	// echo is cancelled: false
	// <nil>
	// *errs.InvalidStateTransitionError
}
