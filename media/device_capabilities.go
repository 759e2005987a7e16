package media

import (
	"fmt"

	"github.com/callrx/callrx/errs"
)

// Satisfies returns an [*errs.OverconstrainedError] for the first bound or exact
// value of c that a device of these capabilities cannot keep to. What is not known
// of the device, ideals and the toggles are no reason.
func (d DeviceCapabilities) Satisfies(c Constraints) error {
	for _, f := range []struct {
		name         string
		wanted, here Range
	}{
		{"Width", c.Width, d.Width}, {"Height", c.Height, d.Height},
		{"FrameRate", c.FrameRate, d.FrameRate}, {"AspectRatio", c.AspectRatio, d.aspectRatio()},
	} {
		if !f.here.meets(f.wanted) {
			return &errs.OverconstrainedError{Constraint: f.name, Problem: "the device has " + f.here.bounds()}
		}
	}
	return nil
}

// aspectRatio is what the sizes of the device allow, if both are known.
func (d DeviceCapabilities) aspectRatio() Range {
	if d.Width.Max == 0 || d.Height.Max == 0 || d.Width.Min == 0 || d.Height.Min == 0 {
		return Range{}
	}
	return Range{Min: d.Width.Min / d.Height.Max, Max: d.Width.Max / d.Height.Min}
}

// meets reports whether a device with these bounds has a value that will do.
func (r Range) meets(wanted Range) bool {
	low, high := wanted.Min, wanted.Max
	if wanted.Exact > 0 {
		low, high = wanted.Exact, wanted.Exact
	}
	return (r.Max == 0 || low <= r.Max) && (high == 0 || high >= r.Min)
}

// bounds is the range for people.
func (r Range) bounds() string {
	if r.Min == r.Max {
		return fmt.Sprint(r.Max)
	}
	return fmt.Sprintf("%v to %v", r.Min, r.Max)
}
