package errs

import "fmt"

// ConfigError says that a configuration cannot be used. Nothing was started.
type ConfigError struct {
	Field         string // as the options struct names it
	Problem       string
	OriginalError error
}

// Error names the field, the problem and the cause.
func (e *ConfigError) Error() string {
	text := withDetail(withDetail("config", " ", e.Field), ": ", e.Problem)
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.OriginalError }

// InvalidParamsError says that an argument cannot be used. Nothing was sent.
type InvalidParamsError struct {
	Param         string
	Reason        string
	OriginalError error // what could not be read or written; mostly nil
}

// Error names the parameter, the reason and the cause.
func (e *InvalidParamsError) Error() string {
	text := withDetail(withDetail("invalid parameter", " ", e.Param), ": ", e.Reason)
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *InvalidParamsError) Unwrap() error { return e.OriginalError }

// DependencyError says that something the operation needs was not provided.
type DependencyError struct {
	Description string // what is missing
}

// Error names what is missing.
func (e *DependencyError) Error() string {
	return withDetail("missing dependency", ": ", e.Description)
}

// InvalidStateTransitionError says that an operation does not fit the present
// state, such as answering a call that has ended.
type InvalidStateTransitionError struct {
	From string
	To   string
}

// Error names both states.
func (e *InvalidStateTransitionError) Error() string {
	return fmt.Sprintf("invalid state transition from %q to %q", e.From, e.To)
}

// UnimplementedError says that the platform does not offer an operation yet. It
// matches [ErrUnimplemented] and the standard errors.ErrUnsupported.
type UnimplementedError struct {
	Operation string
}

// Error names the operation.
func (e *UnimplementedError) Error() string {
	return withDetail("not implemented", ": ", e.Operation)
}

// Unwrap returns [ErrUnimplemented].
func (e *UnimplementedError) Unwrap() error { return ErrUnimplemented }
