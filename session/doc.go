// Package session is the callrx client: it signs a subscriber in, keeps the
// session alive and its token fresh, and shows what happens as observables.
package session
