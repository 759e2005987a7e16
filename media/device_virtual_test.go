package media_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/google/go-cmp/cmp"
)

// The far end hears what a virtual microphone captures, until it is unplugged.
func TestVirtualMicrophoneIsHeardUntilItIsUnplugged(t *testing.T) {
	tone := microphone("a")
	tone.Source = func(media.Constraints) (media.Source, error) { return media.NewTone(440, -20) }
	devices, err := media.NewVirtualDevices(tone)
	if err != nil {
		t.Fatal(err)
	}
	source, err := devices.OpenInput(t.Context(), media.DeviceAudioInput, media.Constraints{})
	if err != nil {
		t.Fatal(err)
	}
	failures := make(chan error, 1)
	caller := newLeg(t, media.LegConfig{Directions: audioOnly, AudioSource: source, OnError: func(err error) { failures <- err }})
	got := newPackets()
	callee := newLeg(t, media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
	exchange(t, caller, callee)
	got.await(t, 10)
	if !devices.Remove(media.DeviceAudioInput, "a") || devices.Remove(media.DeviceAudioInput, "a") {
		t.Error("it is removed once")
	}
	var gone *errs.DeviceNotFoundError
	if err := <-failures; !errors.As(err, &gone) || gone.DeviceID != "a" {
		t.Errorf("the source ends with %v", err)
	}
	heard := len(got.snapshot())
	got.await(t, heard+10) // silence follows
	if err := source.Send(t.Context(), nil); !errors.As(err, &gone) {
		t.Errorf("sending again: %v", err)
	}
}

func TestVirtualDevicesAreListedWatchedAndInspected(t *testing.T) {
	speaker := media.VirtualDevice{Device: media.Device{ID: "s", Kind: media.DeviceAudioOutput}}
	devices, err := media.NewVirtualDevices(microphone("a"), speaker)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told, over := make(chan struct{}, 100), make(chan error, 1)
	go func() { over <- devices.WatchDevices(ctx, func() { told <- struct{}{} }) }()
	list := func() (ids []string) {
		all, err := devices.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			ids = append(ids, string(d.Kind)+" "+d.ID)
		}
		return ids
	}
	for added := false; !added; { // it may not be watching yet
		if err := devices.Add(camera("c", 640)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
			added = true
		default:
		}
	}
	if diff := cmp.Diff([]string{"audioinput a", "audiooutput s", "videoinput c"}, list()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	have, err := devices.Inspect(t.Context(), media.Device{ID: "c", Kind: media.DeviceVideoInput})
	if err != nil || have.Width.Max != 640 {
		t.Errorf("capabilities %+v: %v", have, err)
	}
	if _, err := devices.Inspect(t.Context(), media.Device{ID: "c", Kind: media.DeviceAudioInput}); !errors.As(err, new(*errs.DeviceNotFoundError)) {
		t.Errorf("of a device that is not there: %v", err)
	}
	cancel()
	if err := <-over; err != nil {
		t.Errorf("watching ends with %v", err)
	}
	for _, bad := range []media.VirtualDevice{{Device: media.Device{ID: "x"}}, {Device: media.Device{Kind: media.DeviceAudioInput}}} {
		if err := devices.Add(bad); !errors.As(err, new(*errs.ConfigError)) {
			t.Errorf("%+v: %v", bad.Device, err)
		}
	}
	if _, err := devices.Devices(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
}

func TestVirtualDevicesCanBeDeniedAndBusy(t *testing.T) {
	denied, busy, exclusive := microphone("denied"), microphone("busy"), microphone("exclusive")
	denied.Denied, busy.Busy, exclusive.Exclusive = true, true, true
	devices, err := media.NewVirtualDevices(exclusive, denied, busy)
	if err != nil {
		t.Fatal(err)
	}
	var access *errs.MediaAccessError
	open := func(id string) (media.Source, error) {
		return devices.OpenInput(t.Context(), media.DeviceAudioInput, media.Constraints{DeviceID: id})
	}
	if _, err := open("denied"); !errors.As(err, &access) || !access.Denied || access.Media != "audio" {
		t.Errorf("denied: %v", err)
	}
	if _, err := open("busy"); !errors.As(err, &access) || access.Denied {
		t.Errorf("busy: %v", err)
	}
	source, err := open("exclusive")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open("exclusive"); !errors.As(err, &access) {
		t.Errorf("while it is open: %v", err)
	}
	for range 2 { // the second changes nothing
		if err := source.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
	if n := devices.InUse(media.DeviceAudioInput, "exclusive"); n != 0 {
		t.Errorf("%d open after it was closed", n)
	}
	if _, err := open("exclusive"); err != nil {
		t.Errorf("after it was closed: %v", err)
	}
}

func TestVirtualSpeakerFailsWhenItIsUnplugged(t *testing.T) {
	got := newPackets()
	devices, err := media.NewVirtualDevices(media.VirtualDevice{
		Device: media.Device{ID: "s", Kind: media.DeviceAudioOutput},
		Sink:   func() (media.Sink, error) { return got.sink(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := devices.OpenOutput(t.Context(), "other"); !errors.As(err, new(*errs.DeviceNotFoundError)) {
		t.Errorf("another: %v", err)
	}
	sink, err := devices.OpenOutput(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.WritePacket(media.Packet{}); err != nil || len(got.snapshot()) != 1 {
		t.Errorf("%d packets: %v", len(got.snapshot()), err)
	}
	devices.Remove(media.DeviceAudioOutput, "s")
	if err := sink.WritePacket(media.Packet{}); !errors.As(err, new(*errs.DeviceNotFoundError)) {
		t.Errorf("unplugged: %v", err)
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}
