//go:build race

package session_test

// soakCalls are the calls of each client. With the race detector fifty would be
// all that two cores can do.
const soakCalls = 2
