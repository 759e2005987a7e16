// Package natsstorage keeps what callrx clients need to resume in a NATS
// JetStream key-value bucket, so that a session and its calls can go on in
// another process or on another machine. It is a module of its own: programs
// that do not import it do not pay for NATS.
//
// Values are secrets, and whoever may read the bucket may read them: limit that
// with the permissions of NATS, or hand the storage to session.NewSealedStorage.
package natsstorage
