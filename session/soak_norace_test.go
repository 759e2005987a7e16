//go:build !race

package session_test

// soakCalls are the calls of each client.
const soakCalls = 5
