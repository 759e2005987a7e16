package session

import (
	"fmt"
	"slices"
	"testing"
)

// limits are the usual ones.
var limits = recoveryLimits{attempts: 3, relays: true}

// TestRecoveryTable is what every state does about every event.
func TestRecoveryTable(t *testing.T) {
	idle := recovery{}
	debouncing := recovery{state: RecoveryDebouncing, trouble: troubleSilence}
	degraded := recovery{state: RecoveryDebouncing, trouble: troubleQuality}
	waiting := recovery{state: RecoveryRecovering, trouble: troubleBroken, offline: true}
	restarting := recovery{state: RecoveryRecovering, trouble: troubleBroken, step: stepRestart, attempts: 1}
	cooling := recovery{state: RecoveryCooldown, attempts: 1}
	failing := recovery{state: RecoveryCooldown, attempts: 2, trouble: troubleBroken, stale: true}
	taken := recovery{state: RecoveryRecovering, taken: true}
	for _, c := range []struct {
		why  string
		from recovery
		on   recoveryEvent
		to   recovery
		do   []recoveryEffect
	}{
		{"trouble may pass", idle, troubleIsSilence, debouncing, []recoveryEffect{armDebounce}},
		{"so may lesser trouble", idle, troubleIsQuality, degraded, []recoveryEffect{armDebounce}},
		{"a path that is gone does not", idle, troubleIsBroken, restarting, []recoveryEffect{askKeyframe, beginStep}},
		{"the window is fixed, the worst of it counts", degraded, troubleIsSilence, debouncing, nil},
		{"it has passed", debouncing, troubleOver, idle, []recoveryEffect{disarm}},
		{"a broken path ends the window", debouncing, troubleIsBroken, restarting, []recoveryEffect{disarm, askKeyframe, beginStep}},
		{"loss asks for a picture and no more", degraded, recoveryTimer,
			recovery{state: RecoveryCooldown, trouble: troubleQuality}, []recoveryEffect{askKeyframe, armCooldown}},
		{"silence restarts", debouncing, recoveryTimer,
			recovery{state: RecoveryRecovering, trouble: troubleSilence, step: stepRestart, attempts: 1}, []recoveryEffect{askKeyframe, beginStep}},
		{"without the service nothing is tried", recovery{offline: true}, troubleIsBroken, waiting, []recoveryEffect{armWait}},
		{"media healed itself", waiting, troubleOver, recovery{offline: true}, []recoveryEffect{disarm}},
		{"the service is back: at once", waiting, serviceBack, restarting, []recoveryEffect{tellFullReconnect, disarm, askKeyframe, beginStep}},
		{"it never came", waiting, recoveryTimer, waiting, []recoveryEffect{giveUp}},
		{"while a step is under way it decides", restarting, troubleIsSilence,
			recovery{state: RecoveryRecovering, trouble: troubleSilence, step: stepRestart, attempts: 1}, nil},
		{"media flows", restarting, stepSucceeded,
			recovery{state: RecoveryCooldown, trouble: troubleBroken, attempts: 1}, []recoveryEffect{armCooldown}},
		{"new paths do not help: new transports", restarting, stepFailed,
			recovery{state: RecoveryRecovering, trouble: troubleBroken, step: stepRenewRelay, attempts: 2, stale: true}, []recoveryEffect{beginStep}},
		{"no call at the service", restarting, stepHopeless,
			recovery{state: RecoveryRecovering, trouble: troubleBroken, attempts: 1}, []recoveryEffect{giveUp}},
		{"a step that the connection broke does not count", recovery{state: RecoveryRecovering, trouble: troubleBroken, step: stepRestart, attempts: 1, offline: true},
			stepVoid, waiting, []recoveryEffect{armWait}},
		{"although nobody knows that yet", restarting, stepVoid,
			recovery{state: RecoveryRecovering, trouble: troubleBroken, voided: true}, []recoveryEffect{armDebounce}},
		{"until it is told", recovery{state: RecoveryRecovering, trouble: troubleBroken, voided: true}, serviceLost, waiting, []recoveryEffect{armWait}},
		{"or was before: once more", recovery{state: RecoveryRecovering, trouble: troubleBroken, voided: true}, recoveryTimer,
			restarting, []recoveryEffect{askKeyframe, beginStep}},
		{"or media healed itself", recovery{state: RecoveryRecovering, trouble: troubleBroken, voided: true}, troubleOver, idle, []recoveryEffect{disarm}},
		{"somebody else is at it", restarting, recoveryTaken,
			recovery{state: RecoveryRecovering, trouble: troubleBroken, attempts: 1, taken: true}, []recoveryEffect{disarm, abortStep}},
		{"and alone", taken, recoveryTimer, taken, nil},
		{"whatever happens", taken, troubleIsBroken, recovery{state: RecoveryRecovering, trouble: troubleBroken, taken: true}, nil},
		{"until it is done", taken, recoveryReturned, recovery{state: RecoveryCooldown}, []recoveryEffect{armCooldown}},
		{"if in vain: at once", recovery{state: RecoveryRecovering, taken: true, trouble: troubleBroken}, recoveryReturned, restarting, []recoveryEffect{askKeyframe, beginStep}},
		{"calm", cooling, recoveryTimer, recovery{attempts: 1}, nil},
		{"trouble that lasts", failing, recoveryTimer,
			recovery{state: RecoveryRecovering, trouble: troubleBroken, step: stepRenew, attempts: 3, stale: true}, []recoveryEffect{askKeyframe, beginStep}},
		{"what was tried before counts", recovery{state: RecoveryRecovering, step: stepRenew, trouble: troubleBroken, attempts: 3, stale: true}, stepFailed,
			recovery{state: RecoveryRecovering, trouble: troubleBroken, attempts: 3, stale: true}, []recoveryEffect{tellExhausted, giveUp}},
		{"silence does not end a call", recovery{state: RecoveryRecovering, step: stepRestart, trouble: troubleSilence, attempts: 3}, stepFailed,
			recovery{state: RecoveryCooldown, trouble: troubleSilence, attempts: 3}, []recoveryEffect{tellExhausted, armCooldown}},
		{"nor is more done about it", recovery{state: RecoveryCooldown, trouble: troubleSilence, attempts: 3}, recoveryTimer,
			recovery{trouble: troubleSilence, attempts: 3}, nil},
		{"but about a path that then breaks", recovery{trouble: troubleSilence, attempts: 3}, troubleIsBroken, restarting, []recoveryEffect{askKeyframe, beginStep}},
		{"long well: nothing counts", cooling, mediaLongWell, recovery{state: RecoveryCooldown}, nil},
		{"the connection to the service means nothing by itself", idle, serviceLost, recovery{offline: true}, nil},
		{"and is told when it is back", recovery{offline: true}, serviceBack, idle, []recoveryEffect{tellSignalReconnect}},
		{"a machine that has moved looks for new paths", idle, pathsDoubted,
			recovery{state: RecoveryRecovering, step: stepRestart, attempts: 1, doubted: true}, []recoveryEffect{disarm, askKeyframe, beginStep}},
		{"also in a pause, and nothing of before counts", failing, pathsDoubted,
			recovery{state: RecoveryRecovering, trouble: troubleBroken, step: stepRenew, attempts: 1, stale: true, doubted: true}, []recoveryEffect{disarm, askKeyframe, beginStep}},
		{"when the service can be asked", recovery{offline: true}, pathsDoubted,
			recovery{state: RecoveryRecovering, offline: true, doubted: true}, []recoveryEffect{disarm, armWait}},
		{"at once then", recovery{state: RecoveryRecovering, offline: true, doubted: true}, serviceBack,
			recovery{state: RecoveryRecovering, step: stepRestart, attempts: 1, doubted: true}, []recoveryEffect{tellFullReconnect, disarm, askKeyframe, beginStep}},
		{"a doubt ends no call", recovery{state: RecoveryRecovering, offline: true, doubted: true}, recoveryTimer, recovery{offline: true}, nil},
		{"they are found", recovery{state: RecoveryRecovering, step: stepRestart, attempts: 1, doubted: true}, stepSucceeded,
			recovery{state: RecoveryCooldown, attempts: 1}, []recoveryEffect{armCooldown}},
		{"or the connection broke: once more", recovery{state: RecoveryRecovering, step: stepRestart, attempts: 1, doubted: true, offline: true}, stepVoid,
			recovery{state: RecoveryRecovering, offline: true, doubted: true}, []recoveryEffect{armWait}},
		{"who brings new transports needs no doubt", taken, pathsDoubted, taken, nil},
		{"which ends a pause", recovery{state: RecoveryCooldown, attempts: 2, offline: true}, serviceBack, idle, []recoveryEffect{tellSignalReconnect, disarm}},
	} {
		got, do := c.from.next(c.on, limits)
		got.about = c.to.about // see TestPauseHoldsBackWhatIsNoWorse
		if got != c.to || !slices.Equal(do, c.do) {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.why, got, do, c.to, c.do)
		}
	}
}

// TestPauseHoldsBackWhatIsNoWorse than what it is about: each line begins idle.
func TestPauseHoldsBackWhatIsNoWorse(t *testing.T) {
	quality := []recoveryEvent{troubleIsQuality, recoveryTimer}
	silence := []recoveryEvent{troubleIsSilence, recoveryTimer, stepSucceeded, troubleOver}
	broken := []recoveryEvent{troubleIsBroken, stepSucceeded, troubleOver}
	byHand := []recoveryEvent{recoveryTaken, recoveryReturned}
	moved := []recoveryEvent{pathsDoubted, stepSucceeded}
	atOnce, soon := []recoveryEffect{disarm, askKeyframe, beginStep}, []recoveryEffect{disarm, armDebounce}
	for name, c := range map[string]struct {
		before []recoveryEvent
		on     recoveryEvent
		do     []recoveryEffect
	}{
		"loss, then a cut":            {quality, troubleIsBroken, atOnce},
		"loss, then silence":          {quality, troubleIsSilence, soon},
		"loss, and loss":              {append(quality, troubleOver), troubleIsQuality, nil},
		"silence, then a cut":         {silence, troubleIsBroken, atOnce},
		"silence, and silence":        {silence, troubleIsSilence, nil},
		"a cut, and a cut":            {broken, troubleIsBroken, nil},
		"a cut, then silence":         {broken, troubleIsSilence, nil},
		"by hand, then a cut":         {byHand, troubleIsBroken, atOnce},
		"by hand, then silence":       {byHand, troubleIsSilence, nil},
		"another address, then a cut": {moved, troubleIsBroken, atOnce},
	} {
		r := recovery{}
		for _, e := range c.before {
			r, _ = r.next(e, limits)
		}
		if r.state != RecoveryCooldown {
			t.Fatalf("%s: %+v", name, r)
		}
		if got, do := r.next(c.on, limits); !slices.Equal(do, c.do) {
			t.Errorf("%s: %+v, %v; want %v", name, got, do, c.do)
		}
	}
}

// everyRecovery are all states there can be.
func everyRecovery(f func(recovery)) {
	for state := range recoveryStates {
		for tr := range troubles {
			for step := stepNone; step <= stepRenew; step++ {
				for attempts := range 4 {
					for bits := range 32 {
						for about := range troubles {
							r := recovery{state, tr, step, attempts, bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0, bits&16 != 0, about}
							if possible(r) {
								f(r)
							}
						}
					}
				}
			}
		}
	}
}

func possible(r recovery) bool {
	switch {
	case r.step != stepNone:
		return r.state == RecoveryRecovering && !r.taken && !r.voided && r.attempts > 0
	case r.taken:
		return r.state == RecoveryRecovering && !r.doubted && !r.voided
	case r.state == RecoveryRecovering: // it waits, or for word that it has to
		return r.offline != r.voided && (r.trouble > troubleNone || r.doubted)
	case r.doubted, r.voided:
		return false
	case r.state == RecoveryDebouncing:
		return r.trouble > troubleNone
	}
	return true
}

// TestRecoveryInvariants: for every state and event there can be.
func TestRecoveryInvariants(t *testing.T) {
	everyRecovery(func(r recovery) {
		for e := range recoveryEventsEnd {
			got, do := r.next(e, limits)
			if slices.Contains(do, giveUp) {
				if e != recoveryTimer && got.trouble != troubleBroken {
					t.Errorf("%+v on %v ends a call that has a path", r, e)
				}
				continue // the call is over
			}
			name := fmt.Sprintf("%+v on %v: %+v, %v", r, e, got, do)
			if !possible(got) {
				t.Errorf("no such state: %s", name)
			}
			begun := slices.Contains(do, beginStep)
			if begun && (r.step != stepNone && got.attempts <= r.attempts || got.step == stepNone || got.attempts > limits.attempts || got.offline || got.taken) {
				t.Errorf("must not begin: %s", name)
			}
			if got.step != r.step && got.step != stepNone && !begun {
				t.Errorf("nobody begins: %s", name)
			}
			armed := slices.ContainsFunc(do, func(f recoveryEffect) bool { return f <= armWait })
			waits := got.state == RecoveryDebouncing || got.state == RecoveryCooldown || got.state == RecoveryRecovering && got.step == stepNone && !got.taken
			if waits && got.state != r.state && !armed {
				t.Errorf("nobody wakes it: %s", name)
			}
			if got.state == RecoveryIdle && r.state != RecoveryIdle && e != recoveryTimer && !slices.Contains(do, disarm) {
				t.Errorf("armed for nothing: %s", name)
			}
		}
	})
}

// TestEverythingIsTriedThenGivenUp: a path that stays broken.
func TestEverythingIsTriedThenGivenUp(t *testing.T) {
	for relays, want := range map[bool][]recoveryStep{
		true:  {stepRestart, stepRenewRelay, stepRenew},
		false: {stepRestart, stepRenew, stepRenew},
	} {
		r, do := recovery{}.next(troubleIsBroken, recoveryLimits{3, relays})
		var steps []recoveryStep
		for !slices.Contains(do, giveUp) && len(steps) < 10 {
			if r.step != stepNone {
				steps = append(steps, r.step)
				r, do = r.next(stepFailed, recoveryLimits{3, relays})
			} else {
				r, do = r.next(recoveryTimer, recoveryLimits{3, relays})
			}
		}
		if !slices.Equal(steps, want) {
			t.Errorf("steps %v", steps)
		}
	}
}
