package media

import (
	"fmt"
	"maps"
	"math"

	"github.com/callrx/callrx/errs"
)

// Constraints say how a device is to capture. The zero value leaves everything
// to the device.
type Constraints struct {
	// DeviceID is the device that it has to be; PreferDeviceID the one that it
	// should be. Empty: any.
	DeviceID, PreferDeviceID string
	// EchoCancellation, NoiseSuppression and AutoGainControl are about audio.
	EchoCancellation, NoiseSuppression, AutoGainControl Toggle
	// Width and Height are in pixels, FrameRate in pictures per second,
	// AspectRatio is width by height.
	Width, Height, FrameRate, AspectRatio Range
	// Extra is what else the platform understands, by its own names.
	Extra map[string]any
}

// A Range says which values will do. Zero fields say nothing.
type Range struct {
	Min, Max float64 // bounds
	Ideal    float64 // the closer, the better
	Exact    float64 // nothing else will do
}

// Clone is a copy that shares nothing but the values in Extra. The clone of nil
// is nil.
func (c *Constraints) Clone() *Constraints {
	if c == nil {
		return nil
	}
	clone := *c
	clone.Extra = maps.Clone(c.Extra)
	return &clone
}

// Validate returns an [*errs.ConfigError] for the first field that no device can
// satisfy. Nil is well.
func (c *Constraints) Validate() error {
	if c == nil {
		return nil
	}
	for _, f := range []struct {
		name string
		Range
	}{{"Width", c.Width}, {"Height", c.Height}, {"FrameRate", c.FrameRate}, {"AspectRatio", c.AspectRatio}} {
		if problem := f.problem(); problem != "" {
			return &errs.ConfigError{Field: f.name, Problem: problem}
		}
	}
	for _, f := range []struct {
		name string
		Toggle
	}{{"EchoCancellation", c.EchoCancellation}, {"NoiseSuppression", c.NoiseSuppression}, {"AutoGainControl", c.AutoGainControl}} {
		if !f.Valid() {
			return &errs.ConfigError{Field: f.name, Problem: "is neither Default nor On nor Off"}
		}
	}
	return nil
}

// problem says why nothing can be in the range; empty: something can.
func (r Range) problem() string {
	for _, v := range []float64{r.Min, r.Max, r.Ideal, r.Exact} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprintf("%v is no measure", v)
		}
	}
	if r.Max > 0 && r.Min > r.Max {
		return fmt.Sprintf("its Min %v is more than its Max %v", r.Min, r.Max)
	}
	if r.Exact > 0 && (r.Exact < r.Min || r.Max > 0 && r.Exact > r.Max) {
		return fmt.Sprintf("its Exact %v is outside its bounds", r.Exact)
	}
	return ""
}
