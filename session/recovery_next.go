package session

// next is the state machine: what to do about an event. Only trouble that lasts
// makes it do anything, and it ends a call only when there is no path for its
// media: a far end that keeps silent may have its reasons.
func (r recovery) next(e recoveryEvent, l recoveryLimits) (recovery, []recoveryEffect) {
	switch e {
	case troubleOver, troubleIsQuality, troubleIsSilence, troubleIsBroken:
		return r.troubled(trouble(e), l)
	case recoveryTimer:
		return r.elapsed(l)
	case stepSucceeded, stepFailed, stepHopeless, stepVoid:
		if r.step == stepNone {
			return r, nil
		}
		return r.ended(e, l)
	case serviceLost:
		r.offline = true
		if r.voided {
			r.voided = false
			return r, []recoveryEffect{armWait}
		}
	case serviceBack:
		if r.offline {
			r.offline = false
			return r.forget().reconnected(l)
		}
	case recoveryTaken:
		effects := []recoveryEffect{disarm}
		if r.step != stepNone {
			effects = append(effects, abortStep)
		}
		r.state, r.step, r.taken, r.doubted, r.voided = RecoveryRecovering, stepNone, true, false, false
		return r, effects
	case recoveryReturned:
		if r.taken {
			r.taken = false
			return r.returned(l)
		}
	case mediaLongWell:
		return r.forget(), nil
	case pathsDoubted:
		return r.doubt(l)
	}
	return r, nil
}

// returned: whoever had the recovery is done. What was being tried before that goes on
// after a pause, as if nobody had come between.
func (r recovery) returned(l recoveryLimits) (recovery, []recoveryEffect) {
	if r.trouble == troubleBroken && (r.attempts == 0 || r.attempts >= l.attempts) {
		return r.broke(l)
	}
	r.about = max(r.trouble, troubleSilence)
	return r.cool()
}

// doubt wants new paths without waiting for trouble.
func (r recovery) doubt(l recoveryLimits) (recovery, []recoveryEffect) {
	if r.taken { // whoever has it brings new transports
		return r, nil
	}
	r.doubted = true
	if r.state == RecoveryRecovering { // waiting for the service, or a step under way tells
		return r, nil
	}
	return after(disarm)(r.forget().begin(l))
}

// forget has attempts not count, but for one that is under way.
func (r recovery) forget() recovery {
	r.attempts = 0
	if r.step != stepNone {
		r.attempts = 1
	}
	return r
}

// troubled: the trouble is another one.
func (r recovery) troubled(t trouble, l recoveryLimits) (recovery, []recoveryEffect) {
	r.trouble = t
	if r.taken || r.step != stepNone {
		return r, nil // that will tell
	}
	switch r.state {
	case RecoveryIdle:
		switch {
		case t == troubleBroken:
			return r.broke(l)
		case t != troubleNone && !r.spent(l):
			r.state = RecoveryDebouncing
			return r, []recoveryEffect{armDebounce}
		}
	case RecoveryCooldown:
		return r.disturbed(l)
	case RecoveryDebouncing:
		switch t {
		case troubleNone:
			r.state = RecoveryIdle
			return r, []recoveryEffect{disarm}
		case troubleBroken:
			return after(disarm)(r.begin(l))
		}
	case RecoveryRecovering: // waiting for the service
		if t == troubleNone {
			r.state, r.doubted, r.voided = RecoveryIdle, false, false
			return r, []recoveryEffect{disarm}
		}
	}
	return r, nil
}

// disturbed: a pause holds back what is no worse than what it is about.
func (r recovery) disturbed(l recoveryLimits) (recovery, []recoveryEffect) {
	switch {
	case r.trouble <= r.about:
	case r.trouble == troubleBroken:
		return after(disarm)(r.broke(l))
	case !r.spent(l):
		r.state = RecoveryDebouncing
		return r, []recoveryEffect{disarm, armDebounce}
	}
	return r, nil
}

// broke: the path did, when nothing is under way.
func (r recovery) broke(l recoveryLimits) (recovery, []recoveryEffect) {
	if r.attempts >= l.attempts { // they were about something less
		r.attempts = 0
	}
	return r.begin(l)
}

// spent: there were enough restarts for a path that works.
func (r recovery) spent(l recoveryLimits) bool {
	return r.trouble == troubleSilence && r.attempts >= l.attempts
}

// elapsed: the time that was armed is over.
func (r recovery) elapsed(l recoveryLimits) (recovery, []recoveryEffect) {
	switch {
	case r.taken || r.step != stepNone:
	case r.state == RecoveryDebouncing:
		return r.begin(l)
	case r.state == RecoveryCooldown && (r.trouble == troubleNone || r.spent(l)):
		r.state = RecoveryIdle
	case r.state == RecoveryCooldown:
		return r.begin(l)
	case r.voided: // it was replaced before the step was over
		r.voided = false
		return r.begin(l)
	case r.state == RecoveryRecovering && r.trouble == troubleNone: // it was but a doubt
		r.state, r.doubted = RecoveryIdle, false
	case r.state == RecoveryRecovering:
		return r, []recoveryEffect{giveUp}
	}
	return r, nil
}

// reconnected: the service is back, and what was tried before no longer counts.
func (r recovery) reconnected(l recoveryLimits) (recovery, []recoveryEffect) {
	switch {
	case r.taken || r.step != stepNone:
		return r, nil
	case r.trouble == troubleBroken || r.doubted:
		return after(tellFullReconnect, disarm)(r.begin(l))
	case r.state == RecoveryIdle:
		return r, []recoveryEffect{tellSignalReconnect}
	case r.trouble == troubleNone:
		r.state = RecoveryIdle
		return r, []recoveryEffect{tellSignalReconnect, disarm}
	}
	r.state = RecoveryDebouncing
	return r, []recoveryEffect{tellSignalReconnect, disarm, armDebounce}
}

// begin does something about the trouble, as soon as the service can be asked.
func (r recovery) begin(l recoveryLimits) (recovery, []recoveryEffect) {
	r.state, r.about = RecoveryRecovering, r.trouble
	if r.doubted {
		r.about = max(r.about, troubleSilence)
	}
	if r.offline {
		return r, []recoveryEffect{armWait}
	}
	if r.trouble <= troubleQuality && !r.doubted {
		return after(askKeyframe)(r.cool())
	}
	return after(askKeyframe)(r.attempt(l))
}

// attempt takes the next step there is.
func (r recovery) attempt(l recoveryLimits) (recovery, []recoveryEffect) {
	switch {
	case r.attempts < l.attempts:
	case r.trouble == troubleBroken:
		return r, []recoveryEffect{tellExhausted, giveUp}
	default:
		r.doubted = false
		return after(tellExhausted)(r.cool())
	}
	r.attempts++
	switch {
	case !r.stale:
		r.step = stepRestart
	case l.relays && r.attempts%2 == 0:
		r.step = stepRenewRelay
	default:
		r.step = stepRenew
	}
	return r, []recoveryEffect{beginStep}
}

// ended: the step under way is over.
func (r recovery) ended(e recoveryEvent, l recoveryLimits) (recovery, []recoveryEffect) {
	was := r.step
	r.step = stepNone
	if e != stepVoid && (e != stepFailed || !r.offline) {
		r.doubted = false // they have been looked for
	}
	switch {
	case e == stepSucceeded:
		r.stale = false
		return r.cool()
	case e == stepVoid, e == stepFailed && r.offline:
		r.attempts--
		switch {
		case r.trouble == troubleNone && !r.doubted:
			return r.cool()
		case r.offline:
			return r, []recoveryEffect{armWait}
		}
		r.voided = true
		return r, []recoveryEffect{armDebounce}
	case r.trouble < troubleBroken && (r.trouble == troubleNone || r.attempts < l.attempts):
		return r.cool()
	case e == stepHopeless && r.trouble == troubleBroken:
		return r, []recoveryEffect{giveUp}
	case was == stepRestart && r.trouble == troubleBroken, r.attempts >= l.attempts:
		r.stale = r.stale || r.trouble == troubleBroken
		return r.attempt(l)
	}
	return r.cool()
}

func (r recovery) cool() (recovery, []recoveryEffect) {
	r.state = RecoveryCooldown
	return r, []recoveryEffect{armCooldown}
}

// after puts effects before those of a step.
func after(first ...recoveryEffect) func(recovery, []recoveryEffect) (recovery, []recoveryEffect) {
	return func(r recovery, then []recoveryEffect) (recovery, []recoveryEffect) { return r, append(first, then...) }
}
