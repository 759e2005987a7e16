package audio

import "fmt"

// A FormatError says that audio has a form that this package does not handle. It
// is final: the same audio fails again.
type FormatError struct {
	Op            string // what was tried, such as "read WAV"
	Reason        string // what is unusual about the audio
	OriginalError error  // the cause, or nil
}

// Error returns the operation and the reason.
func (e *FormatError) Error() string {
	text := e.Op + ": " + e.Reason
	if e.OriginalError != nil {
		text += ": " + e.OriginalError.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.OriginalError }

func formatErrorf(op, format string, args ...any) *FormatError {
	return &FormatError{Op: op, Reason: fmt.Sprintf(format, args...)}
}
