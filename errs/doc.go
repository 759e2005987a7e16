// Package errs holds every error a callrx program can act on.
//
// # Shape
//
// Each failure is a struct named …Error, always handled as a pointer, with the
// facts as exported fields. A struct that has a cause keeps it in a field
// called OriginalError and returns it from Unwrap, so errors.As and errors.Is
// reach every layer: a [TokenRefreshError] gives up the [HTTPError] inside it,
// which says which status the token endpoint answered with.
//
//	var refresh *errs.TokenRefreshError
//	if errors.As(err, &refresh) && refresh.Final {
//		// bring a fresh token before refresh.ExpiresAt
//	}
//
// Facts without detail are sentinels: [ErrClosed], [ErrDisconnected],
// [ErrPermanent], [ErrUnsupported] and [ErrUnimplemented].
//
// # Where errors appear
//
// The same types are returned by methods and delivered as values by the
// ObserveErrors streams. The zero value of each struct is usable and has a
// message, and fields whose fact is unknown keep their zero value.
//
// # Time-outs
//
// [RequestTimeoutError], [RPCTimeoutError] and [WebSocketTimeoutError] match
// context.DeadlineExceeded.
//
// # Trying again
//
// Types that know whether a second attempt makes sense have a method
// Retryable() bool; the function [Retryable] asks the whole chain.
//
// # Secrets
//
// No message and no field ever holds a token, a proof, a key or a password.
// What a server or a provider wrote is redacted before it is stored here.
package errs
