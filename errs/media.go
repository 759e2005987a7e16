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

// OverconstrainedError says that a device is there and cannot do what was asked of
// it.
type OverconstrainedError struct {
	Constraint string // the name of the field of media.Constraints
	Problem    string // what the device offers instead
}

// Error names the constraint and what the device offers.
func (e *OverconstrainedError) Error() string {
	return withDetail(withDetail("constraint", " ", e.Constraint), ": ", e.Problem)
}

// OverconstrainedFallbackError says that no device satisfies the wishes, neither
// exactly nor, where they may be let go of, as preferences or with the default device.
type OverconstrainedFallbackError struct {
	DeviceKind    string
	OriginalError error
}

// Error names the kind of device and the cause.
func (e *OverconstrainedFallbackError) Error() string {
	text := withDetail("choose device", " of kind ", e.DeviceKind)
	return withCause(text+": none is as asked", e.OriginalError)
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

// ICEServerStage is a step of the test of a STUN or TURN server.
type ICEServerStage string

const (
	// ICEServerURL reads its address.
	ICEServerURL ICEServerStage = "url"
	// ICEServerResolve looks up its name.
	ICEServerResolve ICEServerStage = "resolve"
	// ICEServerConnect opens a connection to it.
	ICEServerConnect ICEServerStage = "connect"
	// ICEServerTLS secures that, with TLS or DTLS.
	ICEServerTLS ICEServerStage = "tls"
	// ICEServerBinding asks for this side's address, RFC 8489.
	ICEServerBinding ICEServerStage = "binding"
	// ICEServerAllocate asks for a relay, RFC 8656.
	ICEServerAllocate ICEServerStage = "allocate"
)

// ICEServerError says that a STUN or TURN server is of no use from here.
type ICEServerError struct {
	URL           string // without credentials
	Stage         ICEServerStage
	Code          int // with which the server refused: 401 is a wrong password; 0: it did not
	OriginalError error
}

// Error names the server, the stage and the cause.
func (e *ICEServerError) Error() string {
	return withCause(withDetail(withDetail("ice server", " ", e.URL), ": ", string(e.Stage)), e.OriginalError)
}

// Unwrap returns the cause.
func (e *ICEServerError) Unwrap() error { return e.OriginalError }

// PreflightPhase is a step of a preflight test.
type PreflightPhase string

const (
	// PreflightSignaling measures a request over the connection.
	PreflightSignaling PreflightPhase = "signaling"
	// PreflightDevices tries the sources, or opens the devices that calls would use.
	PreflightDevices PreflightPhase = "devices"
	// PreflightICE asks each STUN and TURN server for what it is for.
	PreflightICE PreflightPhase = "ice"
	// PreflightMedia makes a test call.
	PreflightMedia PreflightPhase = "media"
)

// PreflightError is a phase of a preflight test that failed; the next one follows.
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
