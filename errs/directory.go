package errs

// CollectionFetchError says that a page of a list, or one entry of it, could not
// be fetched. What was loaded before stays, and the fetch can be repeated.
type CollectionFetchError struct {
	Operation     string // such as "load addresses" or "look up lobby"
	OriginalError error
}

// Error names the operation and the cause.
func (e *CollectionFetchError) Error() string {
	return withCause(withDetail("fetch collection", ": ", e.Operation), e.OriginalError)
}

// Unwrap returns the cause.
func (e *CollectionFetchError) Unwrap() error { return e.OriginalError }

// ConversationError says that a conversation could not be joined or a message
// could not be sent. Status is the HTTP status, 0 when no answer arrived.
type ConversationError struct {
	With          string // name of the address
	Operation     string // "join" or "send"
	Status        int
	OriginalError error
}

// Error names the address, the operation, the status and the cause.
func (e *ConversationError) Error() string {
	text := withDetail(withDetail("conversation", " with ", e.With), ": ", e.Operation)
	if e.OriginalError == nil && e.Status != 0 {
		return text + ": " + statusText(e.Status)
	}
	return withCause(text, e.OriginalError)
}

// Unwrap returns the cause.
func (e *ConversationError) Unwrap() error { return e.OriginalError }

// AddressNotFoundError says that the directory has no such address, or none that
// this subscriber may see.
type AddressNotFoundError struct {
	Address string // the URI or id that was looked up
	// OriginalError is the service's refusal; nil when it answered with nothing.
	OriginalError error
}

// Error names what was looked up.
func (e *AddressNotFoundError) Error() string {
	return withCause(withDetail("no such address", ": ", e.Address), e.OriginalError)
}

// Unwrap returns the service's refusal.
func (e *AddressNotFoundError) Unwrap() error { return e.OriginalError }
