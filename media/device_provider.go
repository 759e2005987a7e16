package media

import "context"

// A DeviceProvider knows the microphones, cameras and loudspeakers of a machine,
// or pretends to. Its methods may be called from several goroutines. What else a
// provider can do it says by being a [DeviceWatcher], an [OutputOpener] or a
// [DeviceInspector] too.
type DeviceProvider interface {
	// Devices lists what is there now, of every kind. The default device of a kind
	// comes first.
	Devices(ctx context.Context) ([]Device, error)

	// OpenInput opens a microphone or a camera: the device that the constraints
	// name, else the default one of the kind. A device that is not there is an
	// [*errs.DeviceNotFoundError]; one that may not be used, or is in use, an
	// [*errs.MediaAccessError]; a constraint that it cannot satisfy an
	// [*errs.OverconstrainedError]. PreferDeviceID and ideals that cannot be had are no
	// error.
	//
	// The source captures from the first Send until it is closed. When the device
	// vanishes, Send returns an [*errs.DeviceNotFoundError]. It is an [io.Closer].
	OpenInput(ctx context.Context, kind DeviceKind, c Constraints) (Source, error)
}

// A DeviceWatcher is a [DeviceProvider] that notices by itself when devices come
// and go. The others are asked now and then.
type DeviceWatcher interface {
	// WatchDevices calls changed, from one goroutine, whenever the list may have
	// changed, until ctx is done.
	WatchDevices(ctx context.Context, changed func()) error
}

// An OutputOpener is a [DeviceProvider] with loudspeakers.
type OutputOpener interface {
	// OpenOutput is a sink that plays on the device, or on the default one when id
	// is empty. A device that is not there is an [*errs.DeviceNotFoundError]. When
	// it vanishes later, WritePacket returns one.
	OpenOutput(ctx context.Context, id string) (Sink, error)
}

// A DeviceInspector is a [DeviceProvider] that can tell what a device is able to
// do without opening it for use.
type DeviceInspector interface {
	// Inspect is an [*errs.DeviceNotFoundError] for a device that is not there.
	Inspect(ctx context.Context, d Device) (DeviceCapabilities, error)
}

// DeviceCapabilities are what an input device can be asked for. A zero field is
// not known, or does not apply to the kind.
type DeviceCapabilities struct {
	Channels                                            int // of audio, at most
	EchoCancellation, NoiseSuppression, AutoGainControl bool
	Width, Height, FrameRate                            Range // Min and Max only
}
