package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/media"
)

// askDevices asks the provider, no longer than an answer may take, and not at all
// once the client is closed.
func askDevices[T any](ctx context.Context, d *Devices, ask func(context.Context) (T, error), late func(T)) (T, error) {
	ctx, cancel := joined(ctx, d.c.ctx)
	defer cancel()
	if ctx.Err() != nil {
		var none T
		return none, context.Cause(ctx)
	}
	within, cancel := context.WithTimeout(ctx, deviceTimeout)
	defer cancel()
	return program.Ask(within, theProvider, ask, late)
}

// open opens an input.
func (d *Devices) open(ctx context.Context, r media.InputRequest) (media.Input, error) {
	return askDevices(ctx, d, func(ctx context.Context) (media.Input, error) {
		return media.OpenInput(ctx, d.provider, r)
	}, func(late media.Input) { d.c.shut(late.Source) })
}

// shut closes a source or a sink of the program that can be closed, and waits no
// longer than program.Patience for it.
func (c *Client) shut(v any) {
	if err := program.Close(v); err != nil {
		c.log.Warn("close", "what", program.Name(v), "error", err)
	}
}

// constraints are how calls capture with a kind of input, whose own say so first.
func (c *Client) constraints(kind media.Kind, own *media.Constraints) media.Constraints {
	p := c.preferred()
	say := []*media.Constraints{own, p.AudioConstraints, p.DefaultAudioConstraints}
	if kind == media.KindVideo {
		say = []*media.Constraints{own, p.VideoConstraints, p.DefaultVideoConstraints}
	}
	var all media.Constraints
	for _, s := range say {
		if s != nil {
			all = all.Or(*s)
		}
	}
	return all
}

// AudioInputConstraints are what a call captures audio with that says nothing else:
// the preferences, and the selected device; false: audio input is disabled.
func (d *Devices) AudioInputConstraints() (media.Constraints, bool) {
	return d.inputConstraints(media.KindAudio)
}

// VideoInputConstraints is AudioInputConstraints of video.
func (d *Devices) VideoInputConstraints() (media.Constraints, bool) {
	return d.inputConstraints(media.KindVideo)
}

func (d *Devices) inputConstraints(kind media.Kind) (media.Constraints, bool) {
	if d.slots[inputOf(kind)].disabled.Get() {
		return media.Constraints{}, false
	}
	return d.constraintsOf(kind, nil), true
}

// constraintsOf are those of a call with constraints of its own, which may name a
// device.
func (d *Devices) constraintsOf(kind media.Kind, own *media.Constraints) media.Constraints {
	all := d.c.constraints(kind, own)
	if selected := d.slots[inputOf(kind)].selected.Get(); selected != nil && (own == nil || own.DeviceID == "") {
		all.DeviceID = selected.ID
	}
	return all
}

// wantsNone reports whether the program has selected no device of a kind.
func (d *Devices) wantsNone(kind media.Kind) (none bool) {
	_ = d.ask(func() { none = d.slots[inputOf(kind)].choice.none })
	return none
}

// inputOf is what a kind of media is captured with.
func inputOf(kind media.Kind) media.DeviceKind {
	if kind == media.KindVideo {
		return media.DeviceVideoInput
	}
	return media.DeviceAudioInput
}

// ConstraintsFor are constraints that name a device, which is known by its ID or,
// with another one, by its label. They are empty for nil and for one that is not
// there.
func (d *Devices) ConstraintsFor(device *media.Device) media.Constraints {
	if device == nil || d.slots[device.Kind] == nil {
		return media.Constraints{}
	}
	if here := byIDOrLabel(d.slots[device.Kind].list.Get(), device); here != nil {
		return media.Constraints{DeviceID: here.ID}
	}
	return media.Constraints{}
}

// Capabilities are what an input device can be asked for; nil for outputs. Of a
// provider that is no media.DeviceInspector the device is opened and closed, and
// nothing is known. What it returns is on ObserveErrors too; a device that is not
// there is an *errs.DeviceNotFoundError.
func (d *Devices) Capabilities(ctx context.Context, device media.Device) (*media.DeviceCapabilities, error) {
	if device.Kind == media.DeviceAudioOutput {
		return nil, nil
	}
	found, err := d.inspect(ctx, device)
	if err != nil {
		d.errors.Publish(err)
		return nil, err
	}
	return &found, nil
}

func (d *Devices) inspect(ctx context.Context, device media.Device) (media.DeviceCapabilities, error) {
	if d.provider == nil {
		return media.DeviceCapabilities{}, &errs.DeviceNotFoundError{DeviceID: device.ID}
	}
	if i, ok := d.provider.(media.DeviceInspector); ok {
		return askDevices(ctx, d, func(ctx context.Context) (media.DeviceCapabilities, error) {
			return i.Inspect(ctx, device)
		}, program.Forget[media.DeviceCapabilities])
	}
	open, err := d.open(ctx, media.InputRequest{
		Kind: device.Kind, Constraints: media.Constraints{DeviceID: device.ID}, KeepDevice: true,
	})
	if err == nil {
		d.c.shut(open.Source)
	}
	return media.DeviceCapabilities{}, err
}

// Valid reports whether an input device is there and tells its Capabilities. It is
// false for nil and for outputs.
func (d *Devices) Valid(ctx context.Context, device *media.Device) bool {
	if device == nil || device.ID == "" {
		return false
	}
	found, err := d.Capabilities(ctx, *device)
	return err == nil && found != nil
}

// A ProbeResult says which inputs could be opened.
type ProbeResult struct {
	Audio, Video             bool
	AudioDevice, VideoDevice *media.Device // nil: none, or the provider does not tell
}

// Probe opens the inputs of some kinds, without kinds of both, one after the other,
// closes them and lists the devices anew, which may have names by then. What was
// opened is selected if nothing is. The error holds an *errs.MediaAccessError for
// each input that could not be opened; the result is good all the same. Of a kind that
// there is not it is an *errs.InvalidParamsError, and nothing is opened.
func (d *Devices) Probe(ctx context.Context, kinds ...media.Kind) (ProbeResult, error) {
	var r ProbeResult
	if len(kinds) == 0 {
		kinds = []media.Kind{media.KindAudio, media.KindVideo}
	}
	for _, kind := range kinds {
		if kind != media.KindAudio && kind != media.KindVideo {
			return r, &errs.InvalidParamsError{Param: "kinds", Reason: fmt.Sprintf("contains %v, which is neither audio nor video", kind)}
		}
	}
	var failures []error
	for _, kind := range kinds {
		open, err := d.probe(ctx, kind)
		if err != nil {
			failures = append(failures, accessError("probe", kind, err))
			continue
		}
		d.c.shut(open.Source)
		if kind == media.KindVideo {
			r.Video, r.VideoDevice = true, open.Device
		} else {
			r.Audio, r.AudioDevice = true, open.Device
		}
	}
	if err := d.Enumerate(ctx); err != nil {
		failures = append(failures, err)
	}
	return r, errors.Join(append(failures, d.prefer(r.AudioDevice), d.prefer(r.VideoDevice))...)
}

func (d *Devices) probe(ctx context.Context, kind media.Kind) (media.Input, error) {
	if d.provider == nil {
		return media.Input{}, &errs.DeviceNotFoundError{}
	}
	return d.open(ctx, media.InputRequest{Kind: inputOf(kind), Constraints: d.constraintsOf(kind, nil)})
}

// prefer selects a device, if nothing is, without remembering it.
func (d *Devices) prefer(device *media.Device) error {
	if device == nil || device.ID == "" {
		return nil
	}
	return d.ask(func() {
		s := d.slots[device.Kind]
		if s == nil || s.off || s.choice.none || s.choice.selected != nil {
			return
		}
		s.choice = s.choice.with(copyOf(device), nil)
		if here, _ := matching(s.list.Get(), device); here != nil {
			s.choice.selected = here
		}
		d.show(s, "")
	})
}

// accessError says that an input could not be opened.
func accessError(operation string, kind media.Kind, err error) *errs.MediaAccessError {
	e := &errs.MediaAccessError{Operation: operation, Media: kind.String(), OriginalError: err}
	var refused *errs.MediaAccessError
	if errors.As(err, &refused) {
		e.Denied = refused.Denied
	}
	return e
}
