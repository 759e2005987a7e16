package media

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/callrx/callrx/errs"
)

// A VirtualDevice is a device that is not there.
type VirtualDevice struct {
	Device
	// Source makes what an input captures, for each time that it is opened. Nil:
	// a microphone hears silence, a camera sees the test pattern.
	Source func(Constraints) (Source, error)
	// Sink makes what an output plays to. Nil: everything is dropped.
	Sink func() (Sink, error)
	// Capabilities are what an input can be asked for: a bound outside of them is an
	// [*errs.OverconstrainedError].
	Capabilities DeviceCapabilities
	// Denied devices may not be used, and Busy ones are in use elsewhere: to open
	// one is an [*errs.MediaAccessError]. Exclusive ones are busy while they are open.
	Denied, Busy, Exclusive bool
}

// VirtualDevices is a [DeviceProvider] for programs without hardware and for
// tests: the program says which devices there are, and plugs them in and out. It
// notices changes, opens outputs and tells capabilities as well. All methods may be
// called from any goroutine.
type VirtualDevices struct {
	mu      sync.Mutex // guards the rest
	plugged []*virtualDevice
	changed chan struct{} // closed with the next change
}

// A virtualDevice is plugged in.
type virtualDevice struct {
	VirtualDevice
	use  int
	gone chan struct{} // closed when it is removed
}

// NewVirtualDevices makes a provider of these devices; see [VirtualDevices.Add].
func NewVirtualDevices(devices ...VirtualDevice) (*VirtualDevices, error) {
	v := &VirtualDevices{changed: make(chan struct{})}
	for _, d := range devices {
		if err := v.Add(d); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Add plugs a device in, behind the others: the first one of a kind is its default.
// One that has its kind and ID is replaced where it is, and what is open of it goes
// on. A device without ID or of no known kind is an [*errs.ConfigError].
func (v *VirtualDevices) Add(d VirtualDevice) error {
	kinds := []DeviceKind{DeviceAudioInput, DeviceAudioOutput, DeviceVideoInput}
	switch {
	case d.ID == "":
		return &errs.ConfigError{Field: "ID", Problem: "is empty"}
	case !slices.Contains(kinds, d.Kind):
		return &errs.ConfigError{Field: "Kind", Problem: "is none of " + string(kinds[0]) + ", " + string(kinds[1]) + " and " + string(kinds[2])}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if old := v.findLocked(d.Kind, d.ID); old != nil {
		old.VirtualDevice = d
	} else {
		v.plugged = append(v.plugged, &virtualDevice{VirtualDevice: d, gone: make(chan struct{})})
	}
	v.changedLocked()
	return nil
}

// Remove unplugs a device, of an empty id the default one, and reports whether it
// was there. What is open of it fails with an [*errs.DeviceNotFoundError].
func (v *VirtualDevices) Remove(kind DeviceKind, id string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	d := v.findLocked(kind, id)
	if d == nil {
		return false
	}
	v.plugged = slices.DeleteFunc(v.plugged, func(other *virtualDevice) bool { return other == d })
	close(d.gone)
	v.changedLocked()
	return true
}

// InUse is how many sources or sinks of a device are open.
func (v *VirtualDevices) InUse(kind DeviceKind, id string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	if d := v.findLocked(kind, id); d != nil {
		return d.use
	}
	return 0
}

func (v *VirtualDevices) changedLocked() {
	close(v.changed)
	v.changed = make(chan struct{})
}

func (v *VirtualDevices) findLocked(kind DeviceKind, id string) *virtualDevice {
	for _, d := range v.plugged {
		if d.Kind == kind && (d.ID == id || id == "") {
			return d
		}
	}
	return nil
}

// Devices lists what is plugged in.
func (v *VirtualDevices) Devices(ctx context.Context) ([]Device, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []Device
	for _, d := range v.plugged {
		list = append(list, d.Device)
	}
	return list, nil
}

// WatchDevices calls changed after each change until ctx is done, which is nil.
func (v *VirtualDevices) WatchDevices(ctx context.Context, changed func()) error {
	next := v.next()
	for {
		select {
		case <-next:
			next = v.next() // before it is told: what happens meanwhile is told again
			changed()
		case <-ctx.Done():
			return nil
		}
	}
}

func (v *VirtualDevices) next() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.changed
}

// Inspect is what the device was declared with.
func (v *VirtualDevices) Inspect(_ context.Context, d Device) (DeviceCapabilities, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if found := v.findLocked(d.Kind, d.ID); found != nil && d.ID != "" {
		return found.Capabilities, nil
	}
	return DeviceCapabilities{}, &errs.DeviceNotFoundError{DeviceID: d.ID}
}

// OpenInput opens a microphone or a camera, as [DeviceProvider] says.
func (v *VirtualDevices) OpenInput(ctx context.Context, kind DeviceKind, c Constraints) (Source, error) {
	d, h, err := v.open(ctx, kind, func() (*virtualDevice, error) { return v.inputLocked(kind, c) })
	if err != nil {
		return nil, err
	}
	source, err := d.source(c)
	if err != nil {
		h.close()
		return nil, err
	}
	return &virtualSource{Source: source, held: h, device: d.Device}, nil
}

// OpenOutput opens a loudspeaker, as [OutputOpener] says.
func (v *VirtualDevices) OpenOutput(ctx context.Context, id string) (Sink, error) {
	d, h, err := v.open(ctx, DeviceAudioOutput, func() (*virtualDevice, error) {
		if d := v.findLocked(DeviceAudioOutput, id); d != nil {
			return d, nil
		}
		return nil, &errs.DeviceNotFoundError{DeviceID: id}
	})
	if err != nil {
		return nil, err
	}
	sink := Discard()
	if d.Sink != nil {
		if sink, err = d.Sink(); err != nil {
			h.close()
			return nil, err
		}
	}
	return &virtualSink{sink, h}, nil
}

func (v *VirtualDevices) inputLocked(kind DeviceKind, c Constraints) (*virtualDevice, error) {
	d := v.findLocked(kind, c.DeviceID)
	if c.DeviceID == "" && c.PreferDeviceID != "" {
		if preferred := v.findLocked(kind, c.PreferDeviceID); preferred != nil {
			d = preferred
		}
	}
	if d == nil || kind == DeviceAudioOutput {
		return nil, &errs.DeviceNotFoundError{DeviceID: c.DeviceID}
	}
	return d, d.Capabilities.Satisfies(c)
}

var errInUse = errors.New("the device is in use")

// open takes the device that find finds into use. What it returns is a copy.
func (v *VirtualDevices) open(ctx context.Context, kind DeviceKind, find func() (*virtualDevice, error)) (VirtualDevice, *heldDevice, error) {
	if ctx.Err() != nil {
		return VirtualDevice{}, nil, context.Cause(ctx)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	d, err := find()
	if err != nil {
		return VirtualDevice{}, nil, err
	}
	refused := &errs.MediaAccessError{Operation: "open " + d.ID, Media: mediaOf(kind)}
	switch {
	case d.Denied:
		refused.Denied = true
		return VirtualDevice{}, nil, refused
	case d.Busy, d.Exclusive && d.use > 0:
		refused.OriginalError = errInUse
		return VirtualDevice{}, nil, refused
	}
	d.use++
	return d.VirtualDevice, &heldDevice{v: v, d: d, id: d.ID}, nil
}

// mediaOf names what a kind of device is for, as errors do.
func mediaOf(kind DeviceKind) string {
	if kind == DeviceVideoInput {
		return KindVideo.String()
	}
	return KindAudio.String()
}

func (d VirtualDevice) source(c Constraints) (Source, error) {
	switch {
	case d.Source != nil:
		return d.Source(c)
	case d.Kind == DeviceVideoInput:
		return NewTestPattern(), nil
	}
	return NewSilence(), nil
}
