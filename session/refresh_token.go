package session

import (
	"time"

	"github.com/callrx/callrx/errs"
)

// facts are what the state machine decides by.
func (r *refresher) facts() refreshFacts {
	now := r.c.clock.now()
	return refreshFacts{
		expiryKnown: !r.token.expiresAt.IsZero(),
		bound:       r.token.bound && !r.token.expired(now),
		provider:    r.c.provider.refresh != nil,
		activatable: r.c.key != nil && r.info.canRefresh() && r.sat.text != "" && !r.sat.expired(now),
		online:      r.online,
		held:        r.before != nil,
		byKey:       r.mechanism == errs.MechanismClientBound,
	}
}

func (t token) expired(now time.Time) bool { return !t.expiresAt.IsZero() && !now.Before(t.expiresAt) }

// use makes t the token of every request from now on, and stores it.
func (r *refresher) use(t token) {
	if t != r.token {
		r.token = t
		r.c.current.Store(&t)
		r.c.saveCredential(t)
	}
	r.watchExpiry()
}

// watchExpiry sets the end of the session: that of the token which the live
// connection was authenticated with.
func (r *refresher) watchExpiry() {
	known := r.token
	if r.before != nil && !r.before.expired(r.c.clock.now()) {
		known = *r.before
	}
	r.expireAt = time.Time{}
	if !known.expiresAt.IsZero() {
		r.expireAt = known.expiresAt.Add(r.policy.ExpiryGrace)
	}
}

// deadline is the expiry of the token that the session has, while it lies
// ahead; after that the end of the session.
func (r *refresher) deadline() time.Time {
	at := r.expireAt.Add(-r.policy.ExpiryGrace)
	if r.expireAt.IsZero() || !at.After(r.c.clock.now()) {
		return r.expireAt
	}
	return at
}

// known: the service has been told of the token in use.
func (r *refresher) known() {
	r.before = nil
	r.watchExpiry()
}

// accept starts afresh with a credential from outside the pipeline.
func (r *refresher) accept(t token, info *User) {
	r.cancel()
	r.before, r.last, r.attempts = nil, nil, 0
	if t.text != r.token.text || r.warned == nil {
		r.warned = map[string]bool{}
	}
	if !t.bound {
		r.sat = t
	}
	r.info = info
	r.use(t)
	if info != nil && info.SATClaims != nil {
		r.learnExpiry(info.SATClaims.ExpiresAt)
	}
	r.handle(credentialAccepted)
}

// keep takes a credential over while there is no session: nothing is started
// for it before the next Connect.
func (r *refresher) keep(t token) {
	r.cancel()
	r.before, r.last, r.attempts, r.info, r.sat, r.warned = nil, nil, 0, nil, t, map[string]bool{}
	r.use(t)
	r.expireAt = time.Time{}
	r.publish()
}

// hand takes over a credential that the program is about to present to the
// service. The session still ends with the token that the service knows. It
// returns how to go back if the service refuses.
func (r *refresher) hand(t token) (back func()) {
	old := *r
	r.cancel()
	if r.before == nil {
		r.before = &old.token
	}
	r.due, r.attempts, r.mechanism = time.Time{}, 0, errs.MechanismDeveloper
	r.sat, r.info, r.warned = t, nil, map[string]bool{}
	r.use(t)
	r.handle(tokenHanded)
	if !r.online { // the next connection is opened with it
		r.handle(connectionLost)
	}
	return func() {
		r.cancel()
		r.before, r.sat, r.info, r.warned = old.before, old.sat, old.info, old.warned
		r.use(old.token)
		if r.before != nil && r.state == refreshApplying { // that one is still to be applied
			r.due = r.c.clock.now()
			r.handle(attemptFailed)
			return
		}
		r.handle(credentialAccepted)
	}
}

// unconfirmed: the service has not answered for the token that was handed over.
// It is kept, and presented again.
func (r *refresher) unconfirmed() {
	if r.before != nil && r.state == refreshApplying {
		r.due = r.c.clock.now().Add(r.policy.backoff(1))
		r.handle(attemptFailed)
	}
}

// learnExpiry takes over what the service says of the token's expiry, if that
// was not known or is sooner than thought.
func (r *refresher) learnExpiry(at time.Time) {
	t := r.token
	if at.IsZero() || !t.expiresAt.IsZero() && !at.Before(t.expiresAt) {
		return
	}
	t.expiresAt = at
	if !t.bound {
		r.sat = t
	}
	r.use(t)
}

// arm sets the timer by the token's expiry. Nothing is held back any more: a
// connection that is opened from now on uses the token.
func (r *refresher) arm() {
	r.cancel()
	r.known()
	r.attempts, r.mechanism = 0, errs.MechanismDeveloper
	if r.facts().bound {
		r.mechanism = errs.MechanismClientBound
	}
	r.due = r.policy.dueAt(r.c.clock.now(), r.token.receivedAt, r.token.expiresAt)
}

// disarm: nothing refreshes this token. If it could become a bound one, that is
// tried again half-way to its end.
func (r *refresher) disarm() {
	r.cancel()
	r.known()
	r.due = time.Time{}
	if r.token.expiresAt.IsZero() {
		return
	}
	if r.facts().activatable {
		now := r.c.clock.now()
		r.due = now.Add(max(time.Second, r.token.expiresAt.Sub(now)/2))
		return
	}
	if r.refreshedByNobody() && !r.warned["no-handler"] {
		r.warned["no-handler"] = true
		r.c.warn(&NoRefreshHandlerWarning{ExpiresAt: r.token.expiresAt})
	}
}

// refreshedByNobody holds back the warning while the token's scope is unknown:
// the bound path may still open.
func (r *refresher) refreshedByNobody() bool {
	return r.c.provider.refresh == nil && (r.info != nil || r.c.key == nil)
}

// warnFallback says once for each credential why refresh is not key-bound.
func (r *refresher) warnFallback(reason FallbackReason) {
	if key := "fallback " + string(reason); !r.warned[key] {
		r.warned[key] = true
		r.c.warn(&RefreshFallbackWarning{Reason: reason})
	}
}

// connected and lost follow the connection, which was opened with a token and
// lives as long as the service says.
func (r *refresher) connected(with token, expiresAt time.Time) {
	r.online, r.lostAt = true, time.Time{}
	if with.text != r.token.text { // another one came meanwhile
		r.before = &with
		r.watchExpiry()
		r.handle(tokenBehind)
		return
	}
	r.known()
	r.learnExpiry(expiresAt)
	switch {
	case r.info != nil:
		r.handle(authenticated)
	case r.state == refreshNone || r.state == refreshArmed || r.state == refreshExhausted:
		r.reconsider() // the token is new: what may it do?
	}
	if now := r.c.clock.now(); r.token.expired(now) {
		r.rescue(now)
	}
}

func (r *refresher) lost() {
	if r.online || r.lostAt.IsZero() { // else an attempt to reconnect failed
		r.lostAt = r.c.clock.now()
	}
	r.online = false
	r.handle(connectionLost)
	t := r.token.expiresAt
	if r.expireAt.After(t.Add(r.policy.ExpiryGrace)) { // it is being rescued
		return
	}
	if !t.IsZero() && !r.lostAt.Before(t.Add(-time.Second)) && r.state.live() {
		r.expireAt = t // the service closed it for its age: no grace is left
	}
}

// expire ends the session for want of a fresh token. One lost before its expiry
// may still be resumed for a while: the resume state stands in for the token.
func (r *refresher) expire() {
	now := r.c.clock.now()
	last := r.lostAt.Add(resumeAfterExpiry)
	if !r.online && !r.lostAt.IsZero() && r.lostAt.Before(r.token.expiresAt.Add(-time.Second)) &&
		r.c.resume.usable() && now.Before(last) {
		r.expireAt = last
		return
	}
	r.expireAt = time.Time{}
	r.handle(tokenExpired)
}

// rescueTime is how long a session lives on with an expired token while another
// one is fetched.
const rescueTime = 25 * time.Second

// overslept reports whether the token has expired before anybody tried to refresh
// it, as when the machine slept through both, and somebody can: then that is due
// now, and the session waits for it.
func (r *refresher) overslept() bool {
	now := r.c.clock.now()
	if r.state != refreshArmed || r.due.IsZero() || now.Before(r.due) || r.c.provider.refresh == nil {
		return false
	}
	r.mechanism = errs.MechanismDeveloper
	r.expireAt, r.due = now.Add(rescueTime), time.Time{}
	r.handle(refreshDue)
	return true
}

// rescue follows a resume with an expired token: a fresh one is needed at once.
func (r *refresher) rescue(now time.Time) {
	r.expireAt = now.Add(rescueTime)
	switch {
	case r.state == refreshArmed && r.mechanism == errs.MechanismDeveloper:
		r.due = now
	case r.state == refreshArmed || r.state == refreshNone || r.state == refreshExhausted: // nothing is under way
		r.expireAt = now
	}
}
