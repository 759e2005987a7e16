package session

import (
	"context"
	"time"

	"github.com/callrx/callrx/observable"
)

// A RecoveryAction is something that the recovery of a call's media did, or that
// became of it.
type RecoveryAction string

const (
	RecoveryKeyframeRequested  RecoveryAction = "keyframe_requested"
	RecoveryReinviteStarted    RecoveryAction = "reinvite_started" // see RecoveryEvent.Means
	RecoveryReinviteSucceeded  RecoveryAction = "reinvite_succeeded"
	RecoveryReinviteFailed     RecoveryAction = "reinvite_failed"
	RecoveryReinviteTimeout    RecoveryAction = "reinvite_timeout"
	RecoveryMaxAttemptsReached RecoveryAction = "max_attempts_reached"
	RecoverySignalReconnect    RecoveryAction = "signal_reconnect" // the service is reached again, and media is well
	RecoveryFullReconnect      RecoveryAction = "full_reconnect"   // it is reached again, and media is not
	RecoveryVideoDisabled      RecoveryAction = "video_disabled"   // for want of bandwidth
	RecoveryVideoRestored      RecoveryAction = "video_restored"
	RecoveryCallRecovering     RecoveryAction = "call_recovering" // the state is RecoveryRecovering
	RecoveryCallRecovered      RecoveryAction = "call_recovered"  // and is no more, as media flows
	RecoveryCallRecoveryFailed RecoveryAction = "call_recovery_failed"
)

// A RecoveryMeans is what media is to be restored by.
type RecoveryMeans string

const (
	// RecoveryNewPaths is an ICE restart of the transports there are.
	RecoveryNewPaths RecoveryMeans = "new_paths"
	// RecoveryNewTransports are transports made from scratch.
	RecoveryNewTransports RecoveryMeans = "new_transports"
	// RecoveryRelayedTransports are such transports over TURN servers only.
	RecoveryRelayedTransports RecoveryMeans = "relayed_transports"
)

// A RecoveryEvent tells what the recovery of a call's media did.
type RecoveryEvent struct {
	Action RecoveryAction
	// Reason is the network issue that it is, or was last, about: "no_inbound_audio";
	// or a NetworkChangeType, or "resume" of Client.Resume. Empty if there was none.
	Reason      string
	Means       RecoveryMeans // of the attempt that it is about; empty where there is none
	Attempt     int           // of MaxAttempts; 0 where it is not about one
	MaxAttempts int
	Time        time.Time
}

// details are those of diagnostics.
func (e RecoveryEvent) details() map[string]any {
	details := map[string]any{}
	if e.Reason != "" {
		details["reason"] = e.Reason
	}
	if e.Means != "" {
		details["means"] = string(e.Means)
	}
	if e.Attempt > 0 {
		details["attempt"] = e.Attempt
	}
	return details
}

// A callRecovery restores the media of a call's main leg. It is the one who does;
// only a new session takes the call away from it for a while.
type callRecovery struct {
	state       *observable.State[RecoveryState]
	events      *observable.Events[RecoveryEvent]
	constrained *observable.State[bool]

	// The client's loop owns the rest.
	now       recovery
	pref      *PreferenceValues  // when the call was first connected; nil before
	timer     *time.Timer        // what is armed
	armed     int                // counts what was
	grace     *time.Timer        // of a path that is lost; nil: it is not
	lapse     *time.Timer        // of media that is gone, which does not show yet; nil: none is
	broken    bool               // the path is, for longer than the grace
	steps     int                // counts those begun: what an older one brings is void
	abort     context.CancelFunc // of the step under way
	last      error              // why the last one failed
	reason    string             // the issue that it is about
	well      time.Time          // since when media is; zero: it is not
	keyframes throttle
	video     degradation
}

func newCallRecovery() *callRecovery {
	return &callRecovery{
		state: observable.NewState(RecoveryIdle), events: observable.NewEvents[RecoveryEvent](0),
		constrained: observable.NewState(false), abort: func() {},
	}
}

func (r *callRecovery) complete() {
	r.state.Complete()
	r.events.Complete()
	r.constrained.Complete()
}

// RecoveryState is what the recovery of the call's media is doing.
func (k *Call) RecoveryState() RecoveryState { return k.recovery.state.Get() }

// ObserveRecoveryState is the state stream of RecoveryState.
func (k *Call) ObserveRecoveryState() observable.Of[RecoveryState] {
	return k.recovery.state.Observe()
}

// ObserveRecoveryEvents delivers what the recovery of the call's media does: an
// event stream without replay. A step that fails is a *errs.RecoveryError on
// ObserveErrors besides.
func (k *Call) ObserveRecoveryEvents() observable.Of[RecoveryEvent] {
	return k.recovery.events.Observe()
}

// BandwidthConstrained reports whether video is not sent because too little of it
// would arrive; see the preference EnableAutoDegradation.
func (k *Call) BandwidthConstrained() bool { return k.recovery.constrained.Get() }

// ObserveBandwidthConstrained is the state stream of BandwidthConstrained.
func (k *Call) ObserveBandwidthConstrained() observable.Of[bool] {
	return k.recovery.constrained.Observe()
}
