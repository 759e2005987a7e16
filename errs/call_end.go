package errs

import "fmt"

// Cause codes that a call may end with: those of ITU-T Q.850, and above 127
// those of the media service.
const (
	CauseUnallocatedNumber  = 1
	CauseNormalClearing     = 16
	CauseUserBusy           = 17
	CauseNoResponse         = 18
	CauseNoAnswer           = 19
	CauseAbsent             = 20 // the subscriber is not registered
	CauseCallRejected       = 21
	CauseOutOfOrder         = 27 // the destination
	CauseNoCircuit          = 34
	CauseNetworkOutOfOrder  = 38
	CauseTemporaryFailure   = 41
	CauseCongestion         = 42
	CauseIncompatible       = 88
	CauseTimerExpired       = 102
	CauseOriginatorCancel   = 487 // the caller gave up
	CauseAnsweredElsewhere  = 502 // LOSE_RACE: another device of the subscriber took the call
	CauseMediaTimeout       = 804
	CauseRejectedEverywhere = 825 // REJECT_ALL: rejected for all devices
)

// CallEndedError says who ended a call and why: the same value is what the
// call's Err returns, what its error stream ends with when the end was a
// failure, and what the error of a failed Dial holds.
type CallEndedError struct {
	By        EndedBy
	Cause     string // such as NORMAL_CLEARING or USER_BUSY; the service's words where it gave any
	Code      int    // of the cause (ITU-T Q.850 and above), 0 when none was given
	Retryable bool   // calling again may work
	// OriginalError is the failure behind the end; nil when nothing failed.
	OriginalError error
}

// Error names the side, the cause and the failure.
func (e *CallEndedError) Error() string {
	text := withDetail("call ended", " by ", string(e.By))
	text = withDetail(text, ": ", e.Cause)
	if e.Code != 0 {
		text += fmt.Sprintf(" (%d)", e.Code)
	}
	return withCause(text, e.OriginalError)
}

// Unwrap returns the failure behind the end.
func (e *CallEndedError) Unwrap() error { return e.OriginalError }
