package media

// A DeviceKind says what a device does.
type DeviceKind string

const (
	// DeviceAudioInput is a microphone.
	DeviceAudioInput DeviceKind = "audioinput"
	// DeviceAudioOutput is a loudspeaker or headphones.
	DeviceAudioOutput DeviceKind = "audiooutput"
	// DeviceVideoInput is a camera.
	DeviceVideoInput DeviceKind = "videoinput"
)

// A Device is a microphone, loudspeaker or camera.
type Device struct {
	ID      string // as the platform knows it
	Label   string // for people; may be empty
	GroupID string // the same for the parts of one piece of equipment; may be empty
	Kind    DeviceKind
}
