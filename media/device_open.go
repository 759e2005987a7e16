package media

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
)

// A ConstraintLevel says how much of what was asked of a device it was opened
// with.
type ConstraintLevel string

const (
	// ConstraintExact: all of it.
	ConstraintExact ConstraintLevel = "exact"
	// ConstraintPreferred: the same, as wishes; it may be another device.
	ConstraintPreferred ConstraintLevel = "preferred"
	// ConstraintDefault: nothing; it is the default device.
	ConstraintDefault ConstraintLevel = "default"
)

// A DeviceSource is a [Source] that knows which device it captures from. Those of
// a [DeviceProvider] should be.
type DeviceSource interface {
	Source
	Device() Device
}

// InputRequest says what to open.
type InputRequest struct {
	Kind        DeviceKind
	Constraints Constraints
	// KeepDevice lets go of constraints, and never of Constraints.DeviceID.
	KeepDevice bool
	// KeepConstraints lets go of no constraint: it is opened so, or not at all.
	KeepConstraints bool
}

// An Input is an open device.
type Input struct {
	Source Source
	Level  ConstraintLevel
	Device *Device // nil: the provider does not tell
}

// OpenInput opens a device with what is asked of it or, if no device is like that,
// with the same as wishes, or with nothing asked at all, which is the default
// device. Only an [*errs.DeviceNotFoundError] and an [*errs.OverconstrainedError]
// lead on; any other error, such as a refusal, is returned at once. When nothing
// will do it is an [*errs.OverconstrainedFallbackError] that holds all that was
// tried.
func OpenInput(ctx context.Context, p DeviceProvider, r InputRequest) (Input, error) {
	var tried []error
	for _, step := range r.ladder() {
		source, err := p.OpenInput(ctx, r.Kind, step.constraints)
		if err == nil {
			return Input{source, step.level, deviceOf(source, r.Kind, step.constraints)}, nil
		}
		missing := errors.As(err, new(*errs.DeviceNotFoundError))
		if missing && r.KeepDevice || !missing && !errors.As(err, new(*errs.OverconstrainedError)) {
			return Input{}, err
		}
		tried = append(tried, err)
	}
	return Input{}, &errs.OverconstrainedFallbackError{DeviceKind: string(r.Kind), OriginalError: errors.Join(tried...)}
}

// deviceOf is what a source captures from, as far as is known.
func deviceOf(source Source, kind DeviceKind, c Constraints) *Device {
	if s, ok := source.(DeviceSource); ok {
		d := s.Device()
		return &d
	}
	if c.DeviceID != "" {
		return &Device{ID: c.DeviceID, Kind: kind}
	}
	return nil
}

// A ladderStep is one way to open a device.
type ladderStep struct {
	level       ConstraintLevel
	constraints Constraints
}

// ladder is how to open a device, best first. Steps that ask the same as the one
// before are left out.
func (r InputRequest) ladder() []ladderStep {
	steps := []ladderStep{{ConstraintExact, r.Constraints}}
	if r.KeepConstraints {
		return steps
	}
	if soft := r.Constraints.softened(r.KeepDevice); soft.demands() != r.Constraints.demands() {
		steps = append(steps, ladderStep{ConstraintPreferred, soft})
	}
	last := Constraints{}
	if r.KeepDevice {
		last.DeviceID = r.Constraints.DeviceID
	}
	if before := steps[len(steps)-1].constraints; before.demands() != last.demands() || len(before.Extra) > 0 {
		steps = append(steps, ladderStep{ConstraintDefault, last})
	}
	return steps
}

// softened is c as wishes.
func (c Constraints) softened(keepDevice bool) Constraints {
	if c.DeviceID != "" && !keepDevice {
		c.PreferDeviceID, c.DeviceID = c.DeviceID, ""
	}
	for _, r := range []*Range{&c.Width, &c.Height, &c.FrameRate, &c.AspectRatio} {
		*r = Range{Ideal: firstOf(r.Exact, r.Ideal, r.Min, r.Max)}
	}
	return c
}

func firstOf(values ...float64) float64 {
	for _, v := range values {
		if v > 0 {
			return v
		}
	}
	return 0
}

// demands is the part of constraints that can be compared.
func (c Constraints) demands() [4]any {
	return [4]any{
		[2]string{c.DeviceID, c.PreferDeviceID},
		[3]Toggle{c.EchoCancellation, c.NoiseSuppression, c.AutoGainControl},
		[2]Range{c.Width, c.Height}, [2]Range{c.FrameRate, c.AspectRatio},
	}
}

// Or is c where it says something, and other where it does not: field by field,
// and Extra name by name.
func (c Constraints) Or(other Constraints) Constraints {
	if c.DeviceID == "" && c.PreferDeviceID == "" {
		c.DeviceID, c.PreferDeviceID = other.DeviceID, other.PreferDeviceID
	}
	for _, t := range []struct{ of, or *Toggle }{
		{&c.EchoCancellation, &other.EchoCancellation}, {&c.NoiseSuppression, &other.NoiseSuppression},
		{&c.AutoGainControl, &other.AutoGainControl},
	} {
		if *t.of == Default {
			*t.of = *t.or
		}
	}
	for _, r := range []struct{ of, or *Range }{
		{&c.Width, &other.Width}, {&c.Height, &other.Height},
		{&c.FrameRate, &other.FrameRate}, {&c.AspectRatio, &other.AspectRatio},
	} {
		if *r.of == (Range{}) {
			*r.of = *r.or
		}
	}
	extra := other.Clone().Extra
	for name, v := range c.Extra {
		if extra == nil {
			extra = map[string]any{}
		}
		extra[name] = v
	}
	c.Extra = extra
	return c
}
