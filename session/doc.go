// Package session is the callrx client. It signs in as a SignalWire subscriber,
// keeps the session alive and its token fresh, and shows everything that
// happens as observables.
//
// # A session
//
// A session is the authenticated relationship with the service. It outlives
// connections: when a socket is lost the client opens another one and resumes,
// while requests wait their turn. It ends when the program closes it, when the
// service refuses the credential, or when the token expires and nobody brings
// another. [Client.Done] is closed then, and [Client.Err] says who and why.
//
//	client, err := session.Open(ctx, provider, session.Options{})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//
// # Tokens
//
// A client signs in with a short-lived SAT (Subscriber Access Token) from a
// [CredentialProvider], and replaces it on the live session before it expires:
//
//   - by itself, when the token has the scope sat:refresh: the SAT is exchanged
//     for one that is bound to the client's key, [DPoPKey], and refreshed with
//     proofs of that key (RFC 9449);
//   - otherwise by asking the provider, if it is a [Refresher];
//   - at any moment by the program, with [Client.UpdateCredential].
//
// Every failed attempt is one *errs.TokenRefreshError on [Client.ObserveErrors].
// The session goes on with the token it has, until that expires, and only then
// is it torn down.
//
// # Observing
//
// A fact such as Ready has a snapshot, [Client.Ready], and a state stream,
// [Client.ObserveReady], which begins with the current value. An event stream
// such as [Client.ObserveErrors] delivers what happens from the call on. Both
// are rxgo observables with typed verbs; package observable states what they
// guarantee. A slow observer delays nobody, and every method may be called from
// an observer.
//
// # Order
//
// Events of the service are applied one after the other. What an observer may
// rely on; SessionOrder (rule 1), CallOrder (2, 3 and 5), StateOrder (4) and ListOrder
// (6) of package sessiontest check it:
//
//  1. Numbers. The events of a client are numbered from 1, without gaps, in the
//     order of arrival, and [Client.ObserveSignalingEvents] delivers them so.
//  2. Calls. The streams of a call deliver its events in the order in which they
//     took effect: their numbers rise. The one exception are events of a room
//     that came before the call had joined it: they follow the call.joined at
//     once, and rise among themselves.
//  3. Once. No stream delivers an event twice.
//  4. State first. When an observer gets an event, every getter tells its effect
//     or that of a later one, and states have told it.
//  5. Rooms. A call delivers the events of a room after the call.joined that
//     makes it a member, and none after its call.left.
//  6. Lists first. Whoever is told of by [Call.ObserveParticipants] is known with
//     all that came with it, and a participant ends after the list without it, or
//     with the call.
//
// # Storage
//
// With Options.Storage and PersistSession a client leaves what the next one needs
// to go on: the credential, the key it is bound to, and the state of the session.
// [NewMemoryStorage], [NewFileStorage], [NewSealedStorage] around any of them, and
// package natsstorage, a module of its own, for several machines. What cannot be
// read or written is an *errs.StorageError on [Client.ObserveErrors], once for each
// key, and the client goes on in memory.
//
// # Who runs what
//
// A connected client has five goroutines: the owner of its state, the owner of
// its connection, the connection's reader and writer, and one inside the
// WebSocket. Work that takes time, such as a refresh, gets one for as long as
// it lasts. Observers run on goroutines of their own. Close ends all of them.
//
// # Logs
//
// Options.Logger gets the client's log, without secrets. Debug tells state
// changes, Warn what is degraded, [LevelTrace] every frame. The keys, in groups:
//
//   - whose line it is: client (which one of the process), session (a fingerprint
//     of the session's name, once there is one), call_id, leg_id (that of the call
//     or of a leg beside it), section (audio or video)
//   - component (rest, or a part of pion), kind
//   - state changes: event, from, to, state, trouble, attempts, hung_up
//   - failures: error, code, warning, fatal, why
//   - the token: mechanism, expires_at, offset, api
//   - frames: connection, outgoing, text, event_type
//   - HTTP: method, host, path, attempt, elapsed, status
//
// The client and the session are those of [Client.ExportDiagnostics], and a
// [Tracer] is told the client.
//
// # What happened
//
// [Client.ExportDiagnostics] tells what became of the client so far, for a ticket;
// [Client.Preflight] tries whether calls would go well; Options.Tracer is told of
// every operation, for spans and metrics (session/otelsession is one for
// OpenTelemetry); [Client.Stats] and [Call.Stats] count.
package session
