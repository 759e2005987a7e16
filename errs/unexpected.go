package errs

import (
	"fmt"
	"unicode/utf8"
)

// UnexpectedError says that something failed that normally does not, such as
// fetching the subscriber's profile. At names the place.
type UnexpectedError struct {
	At            string
	OriginalError error
}

// Error names the place and the cause.
func (e *UnexpectedError) Error() string {
	return withCause(withDetail("unexpected error", " at ", e.At), e.OriginalError)
}

// Unwrap returns the cause.
func (e *UnexpectedError) Unwrap() error { return e.OriginalError }

// maxPanicText bounds how much of a panic value Error prints, in bytes.
const maxPanicText = 256

// PanicError says that code of the program, such as a credential provider or an
// observer, panicked while the SDK was calling it.
type PanicError struct {
	Where string // what was being called
	Value any    // what was passed to panic
	Stack []byte // as runtime/debug.Stack gives it, not part of the message
}

// Error names the place and the panic value, shortened and without the stack.
func (e *PanicError) Error() string {
	text := withDetail("panic", " in ", e.Where)
	if e.Value == nil {
		return text
	}
	value := fmt.Sprint(e.Value)
	if len(value) > maxPanicText {
		cut := maxPanicText
		for cut > 0 && !utf8.RuneStart(value[cut]) {
			cut--
		}
		value = value[:cut] + "…"
	}
	return withDetail(text, ": ", value)
}

// Unwrap returns the panic value when it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Retryable reports false: the same call would meet the same defect.
func (e *PanicError) Retryable() bool { return false }
