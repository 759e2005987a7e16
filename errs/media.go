package errs

import "fmt"

// MediaTrackError says that a media track could not be added, removed, replaced
// or changed. The call goes on.
type MediaTrackError struct {
	Operation     string // such as "add local track"
	Kind          string // "audio", "video", "both" or "unknown"
	OriginalError error
}

// Error names the operation, the kind and the cause.
func (e *MediaTrackError) Error() string {
	text := withDetail(withDetail("media track", ": ", e.Operation), " for ", e.Kind)
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *MediaTrackError) Unwrap() error { return e.OriginalError }

// MediaAccessError says that a microphone, camera or screen could not be opened.
type MediaAccessError struct {
	Operation     string // such as "acquire local media"
	Media         string // "audio", "video", "audiovideo" or "screen"
	Fatal         bool   // the call cannot go on without it
	Denied        bool   // access was refused, as opposed to having failed
	OriginalError error
}

// Error names the operation, the medium and the cause.
func (e *MediaAccessError) Error() string {
	text := "media access failed"
	if e.Denied {
		text = "media access denied"
	}
	text = withDetail(withDetail(text, ": ", e.Operation), " of ", e.Media)
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *MediaAccessError) Unwrap() error { return e.OriginalError }

// OverconstrainedFallbackError says that no device satisfies the wishes, neither
// exactly, nor as preferences, nor with the default device.
type OverconstrainedFallbackError struct {
	DeviceKind    string
	OriginalError error
}

// Error names the kind of device and the cause.
func (e *OverconstrainedFallbackError) Error() string {
	text := withDetail("choose device", " of kind ", e.DeviceKind)
	return withCause(text+": every fallback failed", e.OriginalError)
}

// Unwrap returns the cause.
func (e *OverconstrainedFallbackError) Unwrap() error { return e.OriginalError }

// DeviceNotFoundError says that no device has the identifier given.
type DeviceNotFoundError struct {
	DeviceID string
}

// Error names the device.
func (e *DeviceNotFoundError) Error() string {
	return fmt.Sprintf("device %q not found", e.DeviceID)
}

// PreflightPhase is a step of a preflight test.
type PreflightPhase string

const (
	// PreflightSignaling measures a request over the connection.
	PreflightSignaling PreflightPhase = "signaling"
	// PreflightDevices opens the microphone and the camera.
	PreflightDevices PreflightPhase = "devices"
	// PreflightICE gathers and checks candidates, RFC 8445.
	PreflightICE PreflightPhase = "ice"
	// PreflightMedia makes a test call.
	PreflightMedia PreflightPhase = "media"
)

// PreflightError says in which phase a preflight test broke off.
type PreflightError struct {
	Phase         PreflightPhase
	OriginalError error
}

// Error names the phase and the cause.
func (e *PreflightError) Error() string {
	return withCause(withDetail("preflight", " ", string(e.Phase)), e.OriginalError)
}

// Unwrap returns the cause.
func (e *PreflightError) Unwrap() error { return e.OriginalError }
