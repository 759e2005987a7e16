package session

// A refreshState is where the refresher stands. At most one mechanism is armed
// or at work in any of them.
type refreshState int

const (
	refreshNew        refreshState = iota // no credential yet
	refreshNone                           // nothing can refresh the credential
	refreshArmed                          // waiting until the next refresh is due
	refreshActivating                     // exchanging the SAT for a bound one
	refreshRunning                        // obtaining a new token
	refreshApplying                       // telling the service about it
	refreshBackoff                        // waiting to try again
	refreshExhausted                      // gave up; the token works until it expires
	refreshExpired                        // the token expired, the session is torn down
	refreshSuspended                      // disconnected by the program
	refreshClosed                         // for good
)

func (s refreshState) String() string {
	return [...]string{"new", "none", "armed", "activating", "running", "applying",
		"backoff", "exhausted", "expired", "suspended", "closed"}[s]
}

// live reports whether a credential is in use.
func (s refreshState) live() bool { return s >= refreshNone && s <= refreshExhausted }

// A refreshEvent is what can happen to the refresher.
type refreshEvent int

const (
	credentialAccepted  refreshEvent = iota // from the provider, the storage or the program
	authenticated                           // a connection was authenticated with the token
	connectionLost                          // and is being reopened
	refreshDue                              // the timer
	activationDone                          // a bound token is in use
	activationDeclined                      // the session goes on with the SAT
	tokenObtained                           // a new token arrived and is stored
	tokenApplied                            // the service knows it
	attemptFailed                           // and another may follow
	attemptsOver                            // the last one of this mechanism failed
	tokenHanded                             // the program brought one and presents it itself
	tokenBehind                             // the connection was opened with an older one
	tokenExpired                            // and was not replaced in time
	clientDisconnected                      // by the program
	clientClosed                            // by the program
	refreshEventsNumber                     // how many there are
)

func (e refreshEvent) String() string {
	return [...]string{"credential accepted", "authenticated", "connection lost", "due", "activation done",
		"activation declined", "token obtained", "token applied", "attempt failed", "attempts over",
		"token handed", "token behind", "token expired", "disconnected", "closed"}[e]
}

// refreshFacts is what decides between transitions.
type refreshFacts struct {
	expiryKnown bool // of the token in use
	bound       bool // the token in use is bound to our key
	provider    bool // the credential provider can refresh
	activatable bool // we have a key and the token the scope sat:refresh
	online      bool // a connection is authenticated
	held        bool // the token in use is not yet known to the live connection
	byKey       bool // attempts are by the client-bound mechanism
}

// A refreshEffect is what the driver must do on entering the next state.
type refreshEffect int

const (
	doNothing  refreshEffect = iota
	doIgnore                 // the event means nothing in this state
	doArm                    // set the timer by the token's expiry
	doWarn                   // say that nothing will refresh the credential
	doDecline                // arm or warn, and say why the bound path is not taken
	doActivate               // start the exchange
	doObtain                 // start an attempt
	doHandOver               // start an attempt by the other mechanism
	doApply                  // reauthenticate
	doWait                   // set the timer by the back-off
	doTearDown               // end the session
	doCancel                 // stop timers and work
)

// nextRefresh is the whole state machine: it decides and does nothing.
func nextRefresh(s refreshState, e refreshEvent, f refreshFacts) (refreshState, refreshEffect) {
	switch e {
	case clientClosed:
		return refreshClosed, doCancel
	case clientDisconnected:
		if s != refreshClosed {
			return refreshSuspended, doCancel
		}
	case credentialAccepted:
		if s != refreshClosed {
			return arbitrate(f)
		}
	case tokenExpired:
		if s.live() {
			return refreshExpired, doTearDown
		}
	case tokenHanded:
		if s.live() {
			return refreshApplying, doNothing
		}
	case tokenBehind:
		if f.online && (s == refreshNone || s == refreshArmed || s == refreshExhausted) {
			return refreshApplying, doApply
		}
	case authenticated:
		return onAuthenticated(s, f)
	case connectionLost:
		return onConnectionLost(s, f)
	default:
		return onProgress(s, e, f)
	}
	return s, doIgnore
}

// arbitrate picks the mechanism for the token in use. The bound one wins.
func arbitrate(f refreshFacts) (refreshState, refreshEffect) {
	if f.expiryKnown && (f.bound || f.provider) {
		return refreshArmed, doArm
	}
	return refreshNone, doWarn
}

// onAuthenticated: a fresh connection is the moment to try the bound path.
func onAuthenticated(s refreshState, f refreshFacts) (refreshState, refreshEffect) {
	switch s {
	case refreshNone, refreshArmed, refreshExhausted:
	default:
		return s, doIgnore // an attempt under way goes on
	}
	switch {
	case f.bound:
		return arbitrate(f)
	case f.activatable:
		return refreshActivating, doActivate
	}
	next, _ := arbitrate(f)
	return next, doDecline
}

// onConnectionLost: what needs a connection is put off; the next one is opened
// with the newest token, so nothing is left to apply.
func onConnectionLost(s refreshState, f refreshFacts) (refreshState, refreshEffect) {
	if s == refreshActivating || s == refreshApplying || s == refreshBackoff && f.held {
		return arbitrate(f)
	}
	return s, doIgnore
}

// onProgress: the steps of activation and of an attempt, each from one state.
func onProgress(s refreshState, e refreshEvent, f refreshFacts) (refreshState, refreshEffect) {
	attempting := s == refreshRunning || s == refreshApplying
	switch {
	case e == refreshDue && s == refreshArmed, e == refreshDue && s == refreshBackoff && !f.held:
		return refreshRunning, doObtain
	case e == refreshDue && s == refreshBackoff:
		return refreshApplying, doApply
	case e == refreshDue && s == refreshNone && f.activatable && f.online:
		return refreshActivating, doActivate
	case e == activationDone && s == refreshActivating, e == activationDeclined && s == refreshActivating:
		return arbitrate(f)
	case e == tokenObtained && s == refreshRunning && f.online:
		return refreshApplying, doApply
	case e == tokenObtained && s == refreshRunning, e == tokenApplied && s == refreshApplying:
		return arbitrate(f)
	case e == attemptFailed && attempting:
		return refreshBackoff, doWait
	case e == attemptsOver && attempting && f.byKey && f.provider:
		return refreshRunning, doHandOver
	case e == attemptsOver && attempting:
		return refreshExhausted, doNothing
	}
	return s, doIgnore
}
