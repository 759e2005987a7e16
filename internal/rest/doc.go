// Package rest talks to the platform's HTTP API: it sends a request, tries again
// where that is safe, and turns whatever comes back into a value or a typed
// error. It knows nothing of sessions.
//
// # Errors
//
// Every method returns one of
//
//   - *errs.HTTPError: an answer other than 2xx;
//   - *errs.ResponseError: a 2xx answer that cannot be used; the decoder's error,
//     such as *json.SyntaxError, is its cause;
//   - *errs.RequestTimeoutError: no complete answer in time, also when the time
//     was the caller's;
//   - *errs.RequestError: the network failed or the caller gave up; the cause is
//     the network's error or context.Canceled;
//   - *errs.ConfigError or *errs.DependencyError: nothing was sent.
//
// # Retries
//
// There is one layer of retries per request. Reads are tried three times,
// exchanging an embed token twice, and the token endpoints once, because whoever
// refreshes a token counts attempts and needs a new proof for each.
//
// # Secrets
//
// No token, proof or password reaches an error or a log record, even when the
// server sends it back.
package rest
