package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

func TestDevicesAreListedSelectedAndFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, desk, speaker, webcam)
		c := idle(t, session.Options{Devices: v})
		defer c.Close()
		d := c.Devices()
		lists, selected, recovered := taped(t, d.ObserveAudioInputs()), taped(t, d.ObserveSelectedAudioInput()), taped(t, d.ObserveRecovered())
		pass(0)
		if err := d.EnableMonitoring(); err != nil {
			t.Fatal(err)
		}
		pass(0)
		if d.SelectedAudioInput() != nil || len(d.AudioInputs()) != 1 {
			t.Errorf("at first %v is selected of %v", d.SelectedAudioInput(), d.AudioInputs())
		}
		pass(1500 * time.Millisecond)
		if got := []string{idOf(d.SelectedAudioInput()), idOf(d.SelectedAudioOutput()), idOf(d.SelectedVideoInput())}; !cmp.Equal(got, []string{"desk", "speaker", "webcam"}) {
			t.Errorf("selected are %v", got)
		}
		plug(t, v, plugged(t, headset))
		plug(t, v, plugged(t, headset)) // which changes nothing
		pass(3 * time.Second)
		if err := d.SelectAudioInput(&media.Device{Label: "Headset", Kind: media.DeviceAudioInput}); err != nil {
			t.Fatal(err)
		}
		v.Remove(media.DeviceAudioInput, "headset")
		pass(time.Second)
		if idOf(d.SelectedAudioInput()) != "headset" {
			t.Error("it is given up at once")
		}
		pass(time.Second)
		plug(t, v, plugged(t, headset))
		pass(2 * time.Second)
		var seen []string
		for _, s := range selected.take() {
			seen = append(seen, idOf(s))
		}
		if diff := cmp.Diff([]string{"", "desk", "headset", "desk", "headset"}, seen); diff != "" {
			t.Errorf("selected (-want +got):\n%s", diff)
		}
		want := []session.DeviceRecovery{
			{Kind: media.DeviceAudioInput, Previous: &headset, New: &desk, Reason: session.DeviceRecoveryDisconnected},
			{Kind: media.DeviceAudioInput, Previous: &desk, New: &headset, Reason: session.DeviceRecoveryReconnected},
		}
		if diff := cmp.Diff(want, recovered.take()); diff != "" {
			t.Errorf("recovered (-want +got):\n%s", diff)
		}
		var all [][]string
		for _, l := range lists.take() {
			all = append(all, deviceIDs(l))
		}
		if diff := cmp.Diff([][]string{nil, {"desk"}, {"desk", "headset"}, {"desk"}, {"desk", "headset"}}, all); diff != "" {
			t.Errorf("lists (-want +got):\n%s", diff)
		}
	})
}

// D41: a driver that starts anew changes nothing.
func TestAnEmptyListChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, desk, headset)
		c := idle(t, session.Options{Devices: v})
		defer c.Close()
		d := c.Devices()
		if err := errors.Join(d.EnableMonitoring(), d.SelectAudioInput(&headset)); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		selected, recovered := taped(t, d.ObserveSelectedAudioInput()), taped(t, d.ObserveRecovered())
		for _, device := range []media.Device{desk, headset} {
			v.Remove(media.DeviceAudioInput, device.ID)
		}
		pass(5 * time.Second)
		if len(d.AudioInputs()) != 0 || idOf(d.SelectedAudioInput()) != "headset" {
			t.Errorf("%v is selected of %v", d.SelectedAudioInput(), d.AudioInputs())
		}
		plug(t, v, plugged(t, desk))
		plug(t, v, plugged(t, headset))
		pass(5 * time.Second)
		if s, r := selected.take(), recovered.take(); len(s) != 1 || len(r) != 0 {
			t.Errorf("selected %v, recovered %v", s, r)
		}
	})
}

func TestInputsAreDisabledAndEnabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := idle(t, session.Options{Devices: virtual(t, desk, headset, webcam)})
		defer c.Close()
		d := c.Devices()
		if err := d.Enumerate(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if err := d.SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := d.DisableAudioInput(); err != nil || d.SelectedAudioInput() != nil || !d.AudioInputDisabled() || d.VideoInputDisabled() {
				t.Errorf("disabled %t, selected %v: %v", d.AudioInputDisabled(), d.SelectedAudioInput(), err)
			}
		}
		if _, on := d.AudioInputConstraints(); on {
			t.Error("there are constraints for what is disabled")
		}
		for range 2 {
			if err := d.EnableAudioInput(); err != nil || idOf(d.SelectedAudioInput()) != "headset" || d.AudioInputDisabled() {
				t.Errorf("disabled %t, selected %v: %v", d.AudioInputDisabled(), d.SelectedAudioInput(), err)
			}
		}
		if err := errors.Join(d.DisableVideoInput(), d.SelectVideoInput(&webcam)); err != nil || d.VideoInputDisabled() || idOf(d.SelectedVideoInput()) != "webcam" {
			t.Errorf("selecting does not enable: %t, %v: %v", d.VideoInputDisabled(), d.SelectedVideoInput(), err)
		}
		// none is a choice, which enabling takes back
		if err := errors.Join(d.SelectAudioInput(nil), d.Enumerate(t.Context())); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if d.SelectedAudioInput() != nil {
			t.Errorf("none was selected, and %v is", d.SelectedAudioInput())
		}
		if err := errors.Join(d.DisableAudioInput(), d.EnableAudioInput()); err != nil || idOf(d.SelectedAudioInput()) != "desk" {
			t.Errorf("then %v is selected: %v", d.SelectedAudioInput(), err)
		}
	})
}

// A device that is not plugged in is selected when it is, and the selection tells what
// is used until then.
func TestSelectingWhatIsNotPluggedInWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, desk)
		c := idle(t, session.Options{Devices: v})
		defer c.Close()
		d := c.Devices()
		recovered := taped(t, d.ObserveRecovered())
		if err := errors.Join(d.EnableMonitoring(), d.SelectAudioInput(&desk)); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if err := d.SelectAudioInput(&headset); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if got := idOf(d.SelectedAudioInput()); got != "desk" {
			t.Errorf("%q is selected, which is not there", got)
		}
		plug(t, v, plugged(t, headset))
		pass(2 * time.Second)
		if got := idOf(d.SelectedAudioInput()); got != "headset" {
			t.Errorf("%q is selected, and the headset is there", got)
		}
		if r := recovered.take(); len(r) != 2 || r[1].Reason != session.DeviceRecoveryReconnected {
			t.Errorf("recovered %+v", r)
		}
	})
}

func TestSelectingWhatCannotBeIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := idle(t, session.Options{Devices: virtual(t, desk)})
		defer c.Close()
		d := c.Devices()
		for name, err := range map[string]error{
			"another kind":     d.SelectAudioInput(&webcam),
			"no name at all":   d.SelectVideoInput(&media.Device{Kind: media.DeviceVideoInput}),
			"an unknown label": d.SelectAudioOutput(&media.Device{Label: "x", Kind: media.DeviceAudioOutput}),
		} {
			if !errors.As(err, new(*errs.InvalidParamsError)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		selected := d.ObserveSelectedAudioInput()
		_ = c.Close()
		for name, err := range map[string]error{
			"SelectAudioInput": d.SelectAudioInput(&desk), "DisableAudioInput": d.DisableAudioInput(),
			"EnableMonitoring": d.EnableMonitoring(), "DisableMonitoring": d.DisableMonitoring(),
			"Enumerate": d.Enumerate(t.Context()), "ClearState": d.ClearState(t.Context()),
		} {
			if !errors.Is(err, errs.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		for range selected.Seq(t.Context()) {
		}
	})
}

// A client without a provider has no devices, and nothing fails.
func TestWithoutAProviderThereAreNoDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := idle(t, session.Options{})
		defer c.Close()
		d := c.Devices()
		err := errors.Join(d.EnableMonitoring(), d.Enumerate(t.Context()), d.DisableAudioInput(), d.EnableAudioInput(), d.ClearState(t.Context()))
		if err != nil || d.SelectedAudioInput() != nil || len(d.AudioInputs()) != 0 {
			t.Errorf("%v of %v: %v", d.SelectedAudioInput(), d.AudioInputs(), err)
		}
		if r, err := d.Probe(t.Context()); r.Audio || r.Video || !errors.As(err, new(*errs.DeviceNotFoundError)) {
			t.Errorf("probe %+v: %v", r, err)
		}
		if _, err := d.OpenSelectedOutput(t.Context()); !errors.Is(err, errs.ErrUnsupported) {
			t.Errorf("output: %v", err)
		}
	})
}

func TestDevicesTellWhatTheyCanDo(t *testing.T) {
	small := plugged(t, webcam)
	small.Capabilities = media.DeviceCapabilities{Width: media.Range{Min: 160, Max: 640}}
	denied := plugged(t, headset)
	denied.Denied = true
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, desk, speaker)
		plug(t, v, small)
		plug(t, v, denied)
		c := idle(t, session.Options{Devices: v})
		defer c.Close()
		d, ctx := c.Devices(), t.Context()
		failures := taped(t, d.ObserveErrors())
		if got, err := d.Capabilities(ctx, webcam); err != nil || got == nil || got.Width.Max != 640 {
			t.Errorf("capabilities %+v: %v", got, err)
		}
		if got, err := d.Capabilities(ctx, speaker); err != nil || got != nil {
			t.Errorf("of an output %+v: %v", got, err)
		}
		gone := media.Device{ID: "gone", Kind: media.DeviceVideoInput}
		var notFound *errs.DeviceNotFoundError
		if _, err := d.Capabilities(ctx, gone); !errors.As(err, &notFound) || notFound.DeviceID != "gone" {
			t.Errorf("of a device that is not there: %v", err)
		}
		if !d.Valid(ctx, &webcam) || d.Valid(ctx, &speaker) || d.Valid(ctx, nil) || d.Valid(ctx, &gone) {
			t.Error("valid is not what is there and captures")
		}
		pass(0)
		if f := failures.take(); len(f) != 2 || !errors.As(f[0], &notFound) {
			t.Errorf("told were %v", f)
		}
		if err := d.Enumerate(ctx); err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			device *media.Device
			want   string
		}{
			{&desk, "desk"}, {&media.Device{ID: "old", Label: "Desk", Kind: media.DeviceAudioInput}, "desk"}, {&speaker, "speaker"},
			{nil, ""}, {&gone, ""}, {&media.Device{ID: "desk"}, ""}, {&media.Device{Kind: media.DeviceAudioInput}, ""},
		} {
			if got := d.ConstraintsFor(row.device); got.DeviceID != row.want {
				t.Errorf("constraints for %+v: %+v", row.device, got)
			}
		}
		// what cannot be inspected is opened
		only := idle(t, session.Options{Devices: &counting{DeviceProvider: v}})
		defer only.Close()
		if !only.Devices().Valid(ctx, &desk) || only.Devices().Valid(ctx, &headset) || only.Devices().Valid(ctx, &gone) {
			t.Error("what is not inspected is valid if it opens")
		}
		if n := v.InUse(media.DeviceAudioInput, "desk"); n != 0 {
			t.Errorf("%d left open", n)
		}
	})
}

func TestProbeOpensEachKindByItself(t *testing.T) {
	denied := plugged(t, webcam)
	denied.Denied = true
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, headset)
		plug(t, v, denied)
		c := idle(t, session.Options{Devices: v})
		defer c.Close()
		r, err := c.Devices().Probe(t.Context())
		var access *errs.MediaAccessError
		if !r.Audio || r.Video || idOf(r.AudioDevice) != "headset" || !errors.As(err, &access) || access.Media != "video" || !access.Denied {
			t.Errorf("probe %+v: %v", r, err)
		}
		if idOf(c.Devices().SelectedAudioInput()) != "headset" || v.InUse(media.DeviceAudioInput, "headset") != 0 {
			t.Errorf("%v is selected, %d open", c.Devices().SelectedAudioInput(), v.InUse(media.DeviceAudioInput, "headset"))
		}
		if r, err := c.Devices().Probe(t.Context(), media.KindAudio, media.Kind(7)); r.Audio || !errors.As(err, new(*errs.InvalidParamsError)) {
			t.Errorf("a kind that there is not: %+v, %v", r, err)
		}
		if r, err := c.Devices().Probe(t.Context(), media.KindAudio); !r.Audio || err != nil {
			t.Errorf("audio only: %+v: %v", r, err)
		}
	})
}

func TestTheSelectedLoudspeakerIsOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := virtual(t, speaker)
		c := idle(t, session.Options{Devices: v})
		defer c.Close()
		sink, err := c.Devices().OpenSelectedOutput(t.Context())
		if err != nil || v.InUse(media.DeviceAudioOutput, "speaker") != 1 {
			t.Fatalf("%d open: %v", v.InUse(media.DeviceAudioOutput, "speaker"), err)
		}
		if err := errors.Join(sink.Close(), c.Devices().SelectAudioOutput(nil)); err != nil {
			t.Error(err)
		}
		if _, err := c.Devices().OpenSelectedOutput(t.Context()); !errors.As(err, new(*errs.DeviceNotFoundError)) {
			t.Errorf("none is selected: %v", err)
		}
	})
}
