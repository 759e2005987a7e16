package soundcard_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/soundcard"
	"github.com/gen2brain/malgo"
)

func TestDefaultDeviceComesFirst(t *testing.T) {
	plugIn(t, "car")
	p := open(t)
	for _, name := range []string{"desk", "car", "desk"} {
		pactl(t, "set-default-sink", name)
		pactl(t, "set-default-source", name+".monitor")
		devices, err := p.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		other := map[string]string{"desk": "car", "car": "desk"}[name]
		want := []media.Device{
			{ID: name + ".monitor", Label: "Monitor of The_" + name, Kind: media.DeviceAudioInput},
			{ID: other + ".monitor", Label: "Monitor of The_" + other, Kind: media.DeviceAudioInput},
			{ID: name, Label: "The_" + name, Kind: media.DeviceAudioOutput},
			{ID: other, Label: "The_" + other, Kind: media.DeviceAudioOutput},
		}
		if !slices.Equal(devices, want) {
			t.Errorf("%+v\nwant %+v", devices, want)
		}
		if got := output(t, p, "").Device(); got != want[2] {
			t.Errorf("the default is %+v", got)
		}
	}
}

func TestMicrophoneIsTheOneThatIsAskedFor(t *testing.T) {
	plugIn(t, "car")
	p := open(t)
	pactl(t, "set-default-source", "desk.monitor")
	for _, c := range []struct {
		constraints media.Constraints
		want        string
	}{
		{media.Constraints{}, "desk.monitor"},
		{media.Constraints{DeviceID: "car.monitor"}, "car.monitor"},
		{media.Constraints{PreferDeviceID: "car.monitor"}, "car.monitor"},
		{media.Constraints{PreferDeviceID: "gone"}, "desk.monitor"},
		{media.Constraints{DeviceID: "desk.monitor", PreferDeviceID: "car.monitor"}, "desk.monitor"},
		{media.Constraints{EchoCancellation: media.Off, Width: media.Range{Ideal: 640}}, "desk.monitor"},
	} {
		if got := input(t, p, c.constraints).Device().ID; got != c.want {
			t.Errorf("%+v: %q, want %q", c.constraints, got, c.want)
		}
	}
}

func TestWhatCannotBeHadIsRefused(t *testing.T) {
	p := open(t)
	in := func(kind media.DeviceKind, c media.Constraints) error {
		source, err := p.OpenInput(t.Context(), kind, c)
		if source != nil {
			t.Errorf("%s, %+v: there is a source", kind, c)
		}
		return err
	}
	notFound(t, in(media.DeviceAudioInput, media.Constraints{DeviceID: "desk"}), "desk") // which is no input
	notFound(t, in(media.DeviceVideoInput, media.Constraints{DeviceID: "desk"}), "desk")
	_, err := p.OpenOutput(t.Context(), "desk.monitor")
	notFound(t, err, "desk.monitor")
	_, err = p.Inspect(t.Context(), media.Device{ID: "gone", Kind: media.DeviceAudioInput})
	notFound(t, err, "gone")
	var access *errs.MediaAccessError
	if err := in(media.DeviceVideoInput, media.Constraints{}); !errors.As(err, &access) || access.Media != "video" {
		t.Errorf("a camera: %v", err)
	}
	for name, c := range map[string]media.Constraints{
		"EchoCancellation": {EchoCancellation: media.On},
		"NoiseSuppression": {NoiseSuppression: media.On},
		"AutoGainControl":  {AutoGainControl: media.On},
	} {
		var over *errs.OverconstrainedError
		if err := in(media.DeviceAudioInput, c); !errors.As(err, &over) || over.Constraint != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"kind":  in(media.DeviceAudioOutput, media.Constraints{}),
		"Width": in(media.DeviceAudioInput, media.Constraints{Width: media.Range{Exact: -1}}),
	} {
		var config *errs.ConfigError
		if !errors.As(err, &config) || config.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeviceSaysHowManyChannelsItHas(t *testing.T) {
	module := pactl(t, "load-module", "module-null-sink", "sink_name=horn", "channels=1")
	t.Cleanup(func() { pactl(t, "unload-module", module) })
	p := open(t)
	for id, want := range map[string]int{"desk.monitor": 2, "horn.monitor": 1} {
		got, err := p.Inspect(t.Context(), media.Device{ID: id, Kind: media.DeviceAudioInput})
		if err != nil || got != (media.DeviceCapabilities{Channels: want}) {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	c := media.Constraints{DeviceID: "horn.monitor", Extra: map[string]any{"channelCount": 2}} // an ideal
	err := input(t, p, c).Capture(t.Context(), func(pcm []int16) error {
		if len(pcm) != 960 {
			t.Errorf("%d samples in 20 ms of mono", len(pcm))
		}
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		t.Error(err)
	}
}

func TestDeviceInUseByTooManyIsAnAccessError(t *testing.T) {
	p := open(t)
	for range 100 { // more than the 64 clients that the server takes
		_, err := p.OpenInput(t.Context(), media.DeviceAudioInput, media.Constraints{DeviceID: "desk.monitor"})
		var access *errs.MediaAccessError
		if errors.As(err, &access) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("nobody was refused")
}

func TestAccessDeniedIsSaid(t *testing.T) {
	for err, denied := range map[error]bool{malgo.ErrAccessDenied: true, malgo.ErrBusy: false} {
		var access *errs.MediaAccessError
		if got := soundcard.Failure(err); !errors.As(got, &access) || access.Denied != denied || !errors.Is(got, err) {
			t.Errorf("%v", got)
		}
	}
}

func TestIDsArePrintable(t *testing.T) {
	for raw, want := range map[string]string{
		"alsa_input.pci-0000_00_1f.3":     "alsa_input.pci-0000_00_1f.3",
		"{\x000\x00.\x000\x00.\x001\x00}": "{0.0.1}",
		"":                                "default",
		"\x01\x02\x03\x04":                "01020304",
		"Mikrofon Küche":                  "Mikrofon Küche",
	} {
		if got := soundcard.Text(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
