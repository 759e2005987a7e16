package media_test

import (
	"context"
	"errors"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/google/go-cmp/cmp"
)

// asked is a provider that takes down what it is asked for.
type asked struct {
	media.DeviceProvider
	got []media.Constraints
}

func (a *asked) OpenInput(ctx context.Context, kind media.DeviceKind, c media.Constraints) (media.Source, error) {
	a.got = append(a.got, c)
	return a.DeviceProvider.OpenInput(ctx, kind, c)
}

func microphone(id string) media.VirtualDevice {
	return media.VirtualDevice{Device: media.Device{ID: id, Label: "Mic " + id, Kind: media.DeviceAudioInput}}
}

func camera(id string, width float64) media.VirtualDevice {
	return media.VirtualDevice{
		Device:       media.Device{ID: id, Label: "Cam " + id, Kind: media.DeviceVideoInput},
		Capabilities: media.DeviceCapabilities{Width: media.Range{Min: 160, Max: width}, Height: media.Range{Min: 120, Max: width * 3 / 4}},
	}
}

// D50: the ladder, step by step.
func TestInputsAreOpenedWithAsMuchOfWhatIsAskedAsThereIs(t *testing.T) {
	denied := microphone("denied")
	denied.Denied = true
	for name, row := range map[string]struct {
		devices []media.VirtualDevice
		request media.InputRequest
		opened  string
		level   media.ConstraintLevel
		asked   []media.Constraints
		failure any
	}{
		"what is asked is there": {
			devices: []media.VirtualDevice{microphone("a"), microphone("b")},
			request: media.InputRequest{Constraints: media.Constraints{DeviceID: "b", NoiseSuppression: media.On}},
			opened:  "b", level: media.ConstraintExact,
			asked: []media.Constraints{{DeviceID: "b", NoiseSuppression: media.On}},
		},
		"a device that has gone": {
			devices: []media.VirtualDevice{microphone("a")},
			request: media.InputRequest{Constraints: media.Constraints{DeviceID: "stale", NoiseSuppression: media.On}},
			opened:  "a", level: media.ConstraintPreferred,
			asked: []media.Constraints{
				{DeviceID: "stale", NoiseSuppression: media.On}, {PreferDeviceID: "stale", NoiseSuppression: media.On},
			},
		},
		"more than the device has": {
			devices: []media.VirtualDevice{camera("a", 320), camera("b", 640)},
			request: media.InputRequest{Kind: media.DeviceVideoInput, Constraints: media.Constraints{
				DeviceID: "b", Width: media.Range{Exact: 1280}, Height: media.Range{Min: 100, Max: 300},
			}},
			opened: "b", level: media.ConstraintPreferred,
			asked: []media.Constraints{
				{DeviceID: "b", Width: media.Range{Exact: 1280}, Height: media.Range{Min: 100, Max: 300}},
				{PreferDeviceID: "b", Width: media.Range{Ideal: 1280}, Height: media.Range{Ideal: 100}},
			},
		},
		"there is nothing": {
			request: media.InputRequest{Constraints: media.Constraints{DeviceID: "a"}},
			asked:   []media.Constraints{{DeviceID: "a"}, {PreferDeviceID: "a"}, {}},
			failure: new(*errs.OverconstrainedFallbackError),
		},
		"nothing is asked and there is nothing": {
			request: media.InputRequest{}, asked: []media.Constraints{{}}, failure: new(*errs.OverconstrainedFallbackError),
		},
		"access is denied": {
			devices: []media.VirtualDevice{denied, microphone("b")},
			request: media.InputRequest{Constraints: media.Constraints{DeviceID: "denied"}},
			asked:   []media.Constraints{{DeviceID: "denied"}}, failure: new(*errs.MediaAccessError),
		},
		"the device is to stay, and has gone": {
			devices: []media.VirtualDevice{microphone("a")},
			request: media.InputRequest{KeepDevice: true, Constraints: media.Constraints{DeviceID: "b"}},
			asked:   []media.Constraints{{DeviceID: "b"}}, failure: new(*errs.DeviceNotFoundError),
		},
		"the constraints are to stay, and it has less": {
			devices: []media.VirtualDevice{camera("a", 640)},
			request: media.InputRequest{KeepConstraints: true, Kind: media.DeviceVideoInput, Constraints: media.Constraints{Width: media.Range{Min: 641}}},
			asked:   []media.Constraints{{Width: media.Range{Min: 641}}}, failure: new(*errs.OverconstrainedError),
		},
		"the device is to stay, and has less": {
			devices: []media.VirtualDevice{camera("a", 640), camera("b", 320)},
			request: media.InputRequest{KeepDevice: true, Kind: media.DeviceVideoInput, Constraints: media.Constraints{
				DeviceID: "b", AspectRatio: media.Range{Min: 90},
			}},
			opened: "b", level: media.ConstraintPreferred,
			asked: []media.Constraints{
				{DeviceID: "b", AspectRatio: media.Range{Min: 90}}, {DeviceID: "b", AspectRatio: media.Range{Ideal: 90}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			devices, err := media.NewVirtualDevices(row.devices...)
			if err != nil {
				t.Fatal(err)
			}
			if row.request.Kind == "" {
				row.request.Kind = media.DeviceAudioInput
			}
			p := &asked{DeviceProvider: devices}
			got, err := media.OpenInput(t.Context(), p, row.request)
			if diff := cmp.Diff(row.asked, p.got); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
			if row.failure != nil {
				if !errors.As(err, row.failure) {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Level != row.level || got.Device == nil || got.Device.ID != row.opened || devices.InUse(row.request.Kind, row.opened) != 1 {
				t.Errorf("opened %+v with %s", got.Device, got.Level)
			}
		})
	}
}

// stubborn is a provider whose devices can do nothing that is asked for.
type stubborn struct{ media.DeviceProvider }

func (stubborn) OpenInput(_ context.Context, _ media.DeviceKind, c media.Constraints) (media.Source, error) {
	if c.NoiseSuppression == media.On {
		return nil, &errs.OverconstrainedError{Constraint: "NoiseSuppression", Problem: "there is none"}
	}
	return media.NewSilence(), nil
}

func TestTheLastStepAsksForNothing(t *testing.T) {
	got, err := media.OpenInput(t.Context(), stubborn{}, media.InputRequest{
		Kind: media.DeviceAudioInput, Constraints: media.Constraints{NoiseSuppression: media.On},
	})
	if err != nil || got.Level != media.ConstraintDefault || got.Device != nil {
		t.Errorf("%+v: %v", got, err)
	}
}

func TestConstraintsAreCompletedWhereTheySayNothing(t *testing.T) {
	c := media.Constraints{
		PreferDeviceID: "b", EchoCancellation: media.Off, Width: media.Range{Max: 320}, Extra: map[string]any{"x": 1},
	}
	other := media.Constraints{
		DeviceID: "a", EchoCancellation: media.On, NoiseSuppression: media.On,
		Width: media.Range{Ideal: 1280}, Height: media.Range{Ideal: 720}, Extra: map[string]any{"x": 2, "y": 3},
	}
	want := media.Constraints{
		PreferDeviceID: "b", EchoCancellation: media.Off, NoiseSuppression: media.On,
		Width: media.Range{Max: 320}, Height: media.Range{Ideal: 720}, Extra: map[string]any{"x": 1, "y": 3},
	}
	if diff := cmp.Diff(want, c.Or(other)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(other.Extra) != 2 || other.Extra["x"] != 2 {
		t.Errorf("the other has become %v", other.Extra)
	}
}

func TestCapabilitiesTellWhatCannotBe(t *testing.T) {
	small := media.DeviceCapabilities{Width: media.Range{Min: 160, Max: 640}, Height: media.Range{Min: 120, Max: 480}, FrameRate: media.Range{Max: 30}}
	for _, row := range []struct {
		c    media.Constraints
		name string
	}{
		{media.Constraints{}, ""},
		{media.Constraints{Width: media.Range{Ideal: 1920}}, ""},
		{media.Constraints{Width: media.Range{Min: 640}}, ""},
		{media.Constraints{Width: media.Range{Min: 641}}, "Width"},
		{media.Constraints{Width: media.Range{Max: 159}}, "Width"},
		{media.Constraints{Height: media.Range{Exact: 720}}, "Height"},
		{media.Constraints{FrameRate: media.Range{Min: 60}}, "FrameRate"},
		{media.Constraints{AspectRatio: media.Range{Exact: 16.0 / 9}}, ""},
		{media.Constraints{AspectRatio: media.Range{Min: 6}}, "AspectRatio"},
	} {
		err := small.Satisfies(row.c)
		var over *errs.OverconstrainedError
		if errors.As(err, &over) != (row.name != "") || over != nil && over.Constraint != row.name {
			t.Errorf("%+v: %v", row.c, err)
		}
		if err := (media.DeviceCapabilities{}).Satisfies(row.c); err != nil {
			t.Errorf("%+v of a device of which nothing is known: %v", row.c, err)
		}
	}
}
