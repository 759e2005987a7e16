package errs

// StorageError says that stored state could not be opened, read, written,
// encoded or decoded. The session goes on without it. A value that is not what
// it should be matches [ErrDamaged], [ErrExposed], [ErrSealed] or [ErrNotSealed].
type StorageError struct {
	Op            string // "open", "read", "write", "delete", "clear", "encode" or "decode"
	Key           string // or prefix; empty when the storage as a whole is concerned
	OriginalError error
}

// Error names the operation, the key and the cause, never the value.
func (e *StorageError) Error() string {
	text := withDetail(withDetail("storage", " ", e.Op), " ", e.Key)
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *StorageError) Unwrap() error { return e.OriginalError }
