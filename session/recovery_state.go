package session

// RecoveryState is what the recovery of a call's media is doing.
type RecoveryState int

const (
	// RecoveryIdle: there is nothing to do.
	RecoveryIdle RecoveryState = iota
	// RecoveryDebouncing: there is trouble, which may pass.
	RecoveryDebouncing
	// RecoveryRecovering: something is being done, or waits for the connection to
	// the service.
	RecoveryRecovering
	// RecoveryCooldown: something was done, and nothing more is for a while.
	RecoveryCooldown
	recoveryStates
)

// String names the state as the Browser SDK does.
func (s RecoveryState) String() string {
	return nameOf(s, "idle", "debouncing", "recovering", "cooldown")
}

// A trouble is what ails a call's media, the worst of it.
type trouble int

const (
	troubleNone    trouble = iota
	troubleQuality         // much is lost or late: a new picture is all that can be asked for
	troubleSilence         // nothing arrives although the path seems to work
	troubleBroken          // there is no path
	troubles
)

func (t trouble) String() string { return [...]string{"none", "quality", "silence", "broken"}[t] }

// A recoveryStep is what is under way.
type recoveryStep int

const (
	stepNone       recoveryStep = iota
	stepRestart                 // new paths for the transports there are
	stepRenewRelay              // new transports, over relays only
	stepRenew                   // new transports
)

func (s recoveryStep) means() RecoveryMeans {
	return [...]RecoveryMeans{"", RecoveryNewPaths, RecoveryRelayedTransports, RecoveryNewTransports}[s]
}

// A recoveryEvent is what moves a recovery.
type recoveryEvent int

const (
	troubleOver recoveryEvent = iota // the order is that of the troubles
	troubleIsQuality
	troubleIsSilence
	troubleIsBroken
	recoveryTimer     // what was armed has passed
	stepSucceeded     // media flows again
	stepFailed        // it does not
	stepHopeless      // the service no longer has the call
	stepVoid          // the connection to the service broke: it does not count
	serviceLost       // that connection
	serviceBack       // it is there again
	recoveryTaken     // somebody else restores the media
	recoveryReturned  // and is done
	mediaLongWell     // for so long that what was before does not count
	pathsDoubted      // the machine has moved, or slept: the paths there were may be gone
	recoveryEventsEnd // how many there are
)

func (e recoveryEvent) String() string {
	return [...]string{"trouble over", "quality", "silence", "path broken", "timer", "step succeeded", "step failed",
		"step hopeless", "step void", "service lost", "service back", "taken", "returned", "long well", "paths doubted"}[e]
}

// A recoveryEffect is what the owner of a recovery is to do.
type recoveryEffect int

const (
	armDebounce recoveryEffect = iota
	armCooldown
	armWait // for the service
	disarm
	askKeyframe
	beginStep // which the recovery holds
	abortStep // it is somebody else's now
	giveUp    // the call ends
	tellExhausted
	tellSignalReconnect
	tellFullReconnect
)

// A recovery is where the recovery of one call stands.
type recovery struct {
	state    RecoveryState
	trouble  trouble
	step     recoveryStep
	attempts int     // since media was well for long
	stale    bool    // the transports are of no use: the service and we disagree about them
	offline  bool    // there is no connection to the service
	taken    bool    // somebody else is at it
	doubted  bool    // new paths are wanted, whatever the trouble
	voided   bool    // the connection broke in mid-step, of which there will be word
	about    trouble // what was done last was, and so is the pause after it
}

// recoveryLimits are the settings that decide.
type recoveryLimits struct {
	attempts int
	relays   bool // there are some, and they may be tried
}
