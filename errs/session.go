package errs

// EndedBy says which side ended a session.
type EndedBy string

const (
	// EndedByLocal is the program itself.
	EndedByLocal EndedBy = "local"
	// EndedByRemote is the server.
	EndedByRemote EndedBy = "remote"
	// EndedByNetwork is a connection that could not be restored.
	EndedByNetwork EndedBy = "network"
	// EndedByExpiry is a token that ran out.
	EndedByExpiry EndedBy = "expiry"
)

// EndCause says why a session ended.
type EndCause string

const (
	// EndClosed: the program called Close.
	EndClosed EndCause = "closed"
	// EndDisconnected: the program called Disconnect.
	EndDisconnected EndCause = "disconnected"
	// EndConnectFailed: the session did not come up.
	EndConnectFailed EndCause = "connect-failed"
	// EndTokenExpired: the token ran out and no fresh one arrived.
	EndTokenExpired EndCause = "token-expired"
	// EndCredentialsRejected: the server no longer accepts the credential.
	EndCredentialsRejected EndCause = "credentials-rejected"
	// EndReconnectBudgetSpent: the allowed reconnect attempts are used up.
	EndReconnectBudgetSpent EndCause = "reconnect-budget-spent"
	// EndServerDisconnected: the server told the client to go.
	EndServerDisconnected EndCause = "server-disconnected"
)

// SessionEndedError says who ended a session and why. It is the last error of a
// session and what its Err method returns. When the program ended it, errors.Is
// finds [ErrClosed] or [ErrDisconnected] in it.
type SessionEndedError struct {
	By            EndedBy
	Cause         EndCause
	Retryable     bool // connecting again may work, with a fresh token where that was missing
	OriginalError error
}

// Error names the cause, the side that ended the session and the error behind it.
func (e *SessionEndedError) Error() string {
	text := withDetail("session ended", " by ", string(e.By))
	return withCause(withDetail(text, ": ", string(e.Cause)), e.OriginalError)
}

// Unwrap returns the cause.
func (e *SessionEndedError) Unwrap() error { return e.OriginalError }

// SessionOwnedError says that another process that shares the storage goes on with
// the session that this one had: it is the one to resume it. This process has
// opened another session, and keeps its calls.
type SessionOwnedError struct{}

// Error says so.
func (e *SessionOwnedError) Error() string { return "the stored session is owned by another process" }

// Retryable reports false.
func (e *SessionOwnedError) Retryable() bool { return false }
