package session

import (
	"slices"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// What a call's recovery hears of, and what it does about it. On the loop, like
// everything in this file.

// wellFor is how long media must have been well for attempts not to count.
const wellFor = 30 * time.Second

// recover takes the recovery a step.
func (k *Call) recover(e recoveryEvent) {
	r := k.recovery
	if r.pref == nil || k.state.status.ended() {
		return
	}
	if e == recoveryTaken {
		r.last = nil // another one answers for it
	}
	before := r.now
	next, effects := before.next(e, k.recoveryLimits())
	if next != before || len(effects) > 0 {
		k.c.log.Debug("recovery", "call_id", k.id, "event", e.String(), "from", before.state.String(), "to", next.state.String(),
			"trouble", next.trouble.String(), "attempts", next.attempts)
	}
	r.now = next
	if next.state != before.state {
		k.c.past.add(note{category: DiagnosticRecovery, what: "state", callID: k.id,
			from: before.state.String(), to: next.state.String(), on: e.String()})
	}
	k.tellRecovering(before)
	for _, effect := range effects {
		k.effect(effect, before)
	}
	if !k.state.status.ended() {
		r.state.Set(r.now.state)
	}
}

func (k *Call) recoveryLimits() recoveryLimits {
	l := recoveryLimits{attempts: k.recovery.pref.MaxRecoveryAttempts}
	if k.recovery.pref.EnableRelayFallback {
		l.relays = k.hasRelay()
	}
	return l
}

// hasRelay reports whether the call may use a TURN server.
func (k *Call) hasRelay() bool {
	k.mu.Lock()
	ice := k.ice
	k.mu.Unlock()
	return slices.ContainsFunc(ice.now(k.c), func(s media.ICEServer) bool {
		return slices.ContainsFunc(s.URLs, func(url string) bool { return strings.HasPrefix(strings.ToLower(url), "turn") })
	})
}

// tellRecovering publishes that the call is being recovered, and how that went.
func (k *Call) tellRecovering(before recovery) {
	is, was := k.recovery.now.state == RecoveryRecovering, before.state == RecoveryRecovering
	switch {
	case is && !was:
		k.recovery.last = nil
		k.tellRecovery(RecoveryCallRecovering, 0)
	case was && !is && k.recovery.last == nil && k.media().State() == media.StateConnected:
		k.tellRecovery(RecoveryCallRecovered, 0)
	case was && !is:
		k.tellRecovery(RecoveryCallRecoveryFailed, 0)
	}
	k.traceRecovery()
	if was && !is {
		k.recovery.last = nil
	}
}

func (k *Call) tellRecovery(action RecoveryAction, attempt int) {
	k.tellStep(action, stepNone, attempt)
}

func (k *Call) tellStep(action RecoveryAction, step recoveryStep, attempt int) {
	e := RecoveryEvent{Action: action, Reason: k.recovery.reason, Means: step.means(), Attempt: attempt, Time: time.Now()}
	if attempt > 0 {
		e.MaxAttempts = k.recovery.pref.MaxRecoveryAttempts
	}
	if action == RecoveryReinviteStarted {
		k.past.recovering()
	}
	k.c.past.add(note{category: DiagnosticRecovery, what: string(action), callID: k.id, more: e.details()})
	k.recovery.events.Publish(e)
}

// effect does what the state machine wants, which was in a state before.
func (k *Call) effect(e recoveryEffect, before recovery) {
	r := k.recovery
	switch e {
	case armDebounce:
		k.arm(r.pref.RecoveryDebounce)
	case armCooldown:
		k.arm(r.pref.RecoveryCooldown)
	case armWait:
		k.arm(r.pref.ReconnectCallsTimeout)
	case disarm:
		k.disarm()
	case askKeyframe:
		if k.askKeyframe() == nil {
			k.tellRecovery(RecoveryKeyframeRequested, 0)
		}
	case beginStep:
		k.beginStep(r.now.step, r.now.attempts)
	case abortStep:
		r.steps++
		r.abort()
		k.tellStep(RecoveryReinviteFailed, before.step, before.attempts)
	case giveUp:
		k.fail(mediaLostAfter(r.now.attempts, r.last))
	case tellExhausted:
		k.tellRecovery(RecoveryMaxAttemptsReached, r.now.attempts)
	case tellSignalReconnect:
		r.keyframes.reset()
		k.tellRecovery(RecoverySignalReconnect, 0)
	case tellFullReconnect:
		r.keyframes.reset()
		k.tellRecovery(RecoveryFullReconnect, 0)
	}
}

// mediaLostAfter is the end of a call, or of another leg, whose media could not be
// restored.
func mediaLostAfter(attempts int, last error) *errs.CallEndedError {
	return &errs.CallEndedError{
		By: errs.EndedByNetwork, Cause: "media lost", Retryable: true,
		OriginalError: &errs.RecoveryError{Action: "reinvite", Attempt: attempts, OriginalError: last},
	}
}

// arm has the recovery hear of it when d has passed, in the place of what was
// armed before.
func (k *Call) arm(d time.Duration) {
	k.disarm()
	mine := k.recovery.armed
	k.recovery.timer = time.AfterFunc(d, func() {
		k.c.post(func() {
			if k.recovery.armed == mine {
				k.recover(recoveryTimer)
			}
		})
	})
}

func (k *Call) disarm() {
	k.recovery.armed++
	if k.recovery.timer != nil {
		k.recovery.timer.Stop()
	}
}

// stopRecovery leaves no timer behind a call that is over.
func (k *Call) stopRecovery() {
	k.disarm()
	k.stopGrace()
	k.stopLapse()
}

// pathLost: the transports have lost the far end. That may pass.
func (k *Call) pathLost() {
	r := k.recovery
	if r.pref == nil || r.grace != nil || r.broken || k.attaching {
		return
	}
	r.grace = time.AfterFunc(r.pref.ICEDisconnectedGrace, func() {
		k.c.post(func() {
			if r.grace != nil {
				k.pathBroken()
			}
		})
	})
}

// pathBroken: and it has not.
func (k *Call) pathBroken() {
	k.stopGrace()
	k.recovery.broken = true
	if k.quality.monitor.Disconnected(time.Now(), true) {
		k.quality.show()
	}
	k.assess()
}

// pathFound: there is a path, or nobody waits for it any more.
func (k *Call) pathFound() {
	k.stopGrace()
	if k.recovery.broken {
		k.recovery.broken = false
		k.quality.monitor.Disconnected(time.Now(), false)
		k.quality.monitor.Relearn()
		k.quality.show()
	}
}

func (k *Call) stopGrace() {
	if r := k.recovery; r.grace != nil {
		r.grace.Stop()
		r.grace = nil
	}
}

// assess tells the recovery what ails the media, if that is another thing.
func (k *Call) assess() {
	if k.recovery.pref == nil {
		return
	}
	t, reason := ailment(k.recovery.broken, k.quality.monitor.Issues())
	if t > troubleNone {
		k.recovery.reason = reason
	}
	if t == troubleNone {
		if k.recovery.well.IsZero() {
			k.recovery.well = time.Now()
		}
	} else {
		k.recovery.well = time.Time{}
	}
	if t != k.recovery.now.trouble {
		k.recover(recoveryEvent(t))
	}
	if k.recovery.now.attempts > 0 && !k.recovery.well.IsZero() && time.Since(k.recovery.well) >= wellFor {
		k.recover(mediaLongWell)
	}
}

// ailment is the worst trouble that issues make, and which does.
func ailment(broken bool, issues []media.NetworkIssue) (worst trouble, reason string) {
	if broken {
		return troubleBroken, media.IssueICEDisconnected.String()
	}
	for _, i := range issues {
		t := troubleQuality
		if i.Type == media.IssueNoInboundAudio {
			t = troubleSilence
		}
		if i.Severity == media.SeverityCritical && t > worst {
			worst, reason = t, i.Type.String()
		}
	}
	return worst, reason
}

// serviceChanged tells the recovery of every call whether the service is reached.
func (c *Client) serviceChanged(e recoveryEvent) {
	for _, k := range c.streams.calls.Get() {
		k.recover(e)
	}
	if e == serviceBack {
		for _, x := range c.extras {
			x.restart()
		}
	}
}

// watchNetwork begins when the call is first connected.
func (k *Call) watchNetwork() {
	if k.quality.monitor != nil {
		return
	}
	k.recovery.pref = k.c.preferred()
	k.recovery.now.offline = k.c.lastStatus != StatusOnline || !k.c.Network().Online
	k.quality.monitor = media.NewMonitor(k.recovery.pref.monitorConfig())
	k.c.startSampling()
}

// sampled takes one sample of the call in, the interval after the one before.
func (k *Call) sampled(s media.Stats, interval time.Duration) {
	k.quality.take(s, interval)
	k.past.scored(k.QualityScore())
	k.degrade(s)
	k.assess()
}
