package session

import (
	"context"
	"time"

	"github.com/callrx/callrx/errs"
)

// The refresh pipeline. This file holds it whole, in the order in which things
// happen:
//
//	timers    tick          the token's due time, a back-off, or its expiry
//	attempts  attempt       obtain a new token; apply it to the live connection
//	results   settle        a new token, or a failure: try again, hand over, give up
//	errors    fail          one *errs.TokenRefreshError for each failed attempt
//	errors$   Client.report what ObserveErrors delivers
//
// The state machine it moves through is nextRefresh in refresh_state.go; times
// and classes of failure are in refresh_policy.go; the exchange for a token
// bound to the client's key is in activation.go.

// A refresher keeps one client's token fresh. Its fields and methods belong to
// the client's loop goroutine; only attempts run elsewhere, one at a time, and
// report back. It never ends a session before the token's expiry.
type refresher struct {
	c      *Client
	policy RefreshPolicy
	state  refreshState

	token  token  // in use: the newest one obtained
	sat    token  // the provider's, which a bound token descends from
	before *token // in use until token is applied
	info   *User  // what the service said of the token; nil when not asked

	online    bool
	lostAt    time.Time // when the connection was lost
	mechanism errs.RefreshMechanism
	attempts  int // in this round
	last      *errs.TokenRefreshError
	warned    map[string]bool // for this credential

	activating chan struct{} // closed when the activation under way is over

	due      time.Time // of the next attempt; zero: none
	expireAt time.Time // of the session; zero: unknown
	timer    *time.Timer

	generation uint64 // of the work under way: what an older one brings is void
	stop       context.CancelFunc
}

// A token is a SAT and what is known of it.
type token struct {
	text       string
	receivedAt time.Time
	expiresAt  time.Time // zero: unknown
	bound      bool      // to the client's key
	hosts      hosts     // what it, or the SAT it descends from, names
}

// An outcome is what one attempt brought.
type outcome struct {
	stage errs.RefreshStage
	token token   // of a successful obtain
	reply applied // of a successful apply
	err   error
}

// 1. Timers.

// tick runs when the timer fires, and at least once a minute: it compares wall
// clocks, because a machine that slept has late timers.
func (r *refresher) tick() {
	now := r.c.clock.now()
	switch {
	case !r.expireAt.IsZero() && !now.Before(r.expireAt) && !r.overslept():
		r.expire()
	case !r.due.IsZero() && !now.Before(r.due):
		r.due = time.Time{}
		r.handle(refreshDue)
	}
}

// schedule sets the timer for whatever comes first.
func (r *refresher) schedule() {
	next := time.Duration(-1)
	now := r.c.clock.now()
	for _, at := range []time.Time{r.due, r.expireAt} {
		if d := max(0, at.Sub(now)); !at.IsZero() && (next < 0 || d < next) {
			next = d
		}
	}
	if next < 0 {
		r.timer.Stop()
		return
	}
	r.timer.Reset(min(next, wallClockCheck))
}

// handle moves the state machine and does what it asks for.
func (r *refresher) handle(e refreshEvent) {
	next, effect := nextRefresh(r.state, e, r.facts())
	if effect == doIgnore {
		return
	}
	if r.state == refreshActivating && next != refreshActivating {
		close(r.activating)
		r.activating = nil
	}
	r.c.log.Debug("refresh", "event", e.String(), "from", r.state.String(), "to", next.String())
	r.c.past.add(note{category: DiagnosticConnection, what: "refresh", from: r.state.String(), to: next.String(), on: e.String()})
	r.state = next
	switch effect {
	case doArm:
		r.arm()
	case doWarn:
		r.disarm()
	case doDecline:
		r.decline()
	case doActivate:
		r.activate()
	case doObtain:
		r.attempts++
		r.attempt(errs.StageObtain, r.obtain)
	case doHandOver:
		r.warnFallback(FallbackRefreshFailed)
		r.mechanism, r.attempts = errs.MechanismDeveloper, 1
		r.attempt(errs.StageObtain, r.obtain)
	case doApply:
		if e == refreshDue { // again
			r.attempts++
		}
		r.attempt(errs.StageApply, r.apply)
	case doTearDown:
		r.cancel()
		r.online = false
		r.c.expired(r.last)
	case doCancel:
		r.cancel()
		r.online, r.due, r.expireAt = false, time.Time{}, time.Time{}
	}
	r.publish()
}

// 2. Attempts.

// attempt runs one step away from the loop and brings its outcome back.
func (r *refresher) attempt(stage errs.RefreshStage, step func(context.Context, errs.RefreshMechanism, token) outcome) {
	mechanism, token := r.mechanism, r.token
	traced := Operation{Name: OperationRefresh, Mechanism: mechanism, Stage: stage, Attempt: r.attempts}
	r.work(func(ctx context.Context) func() {
		ctx, end := r.c.trace(ctx, traced)
		o := step(ctx, mechanism, token)
		end(o.err)
		return func() { r.settle(o) }
	})
}

// work runs do on a goroutine of its own, in place of what was under way, and
// then what it returned on the loop, unless something newer has begun by then.
// It ends no later than the token that the session has.
func (r *refresher) work(do func(ctx context.Context) func()) {
	r.cancel()
	generation := r.generation
	ctx, stop := r.c.until(r.deadline())
	r.stop = stop
	r.c.workers.Go(func() {
		defer stop()
		settle := do(ctx)
		r.c.post(func() {
			if generation == r.generation {
				settle()
			}
		})
	})
}

// cancel makes whatever is under way of no effect.
func (r *refresher) cancel() {
	r.generation++
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

// obtain gets a token newer than old by mechanism m. Not on the loop.
func (r *refresher) obtain(ctx context.Context, m errs.RefreshMechanism, old token) outcome {
	ctx, cancel := context.WithTimeout(ctx, r.policy.ObtainTimeout)
	defer cancel()
	began := time.Now()
	var t token
	var err error
	if m == errs.MechanismClientBound {
		t, err = r.c.refreshBound(ctx, old)
	} else {
		t, err = r.c.refreshByProvider(ctx)
	}
	if err == nil {
		err = progress(t, old, r.c.clock.now())
	}
	if err != nil {
		err = timedOut(err, "token refresh", time.Since(began))
		return outcome{stage: stageOf(err), err: err}
	}
	return outcome{stage: errs.StageObtain, token: t}
}

// apply tells the service about t, on the live connection. Not on the loop.
func (r *refresher) apply(ctx context.Context, _ errs.RefreshMechanism, t token) outcome {
	ctx, cancel := context.WithTimeout(ctx, r.policy.ApplyTimeout)
	defer cancel()
	reply, err := r.c.reauthenticate(ctx, t)
	return outcome{stage: errs.StageApply, reply: reply, err: err}
}

// 3. Results.

// settle takes the outcome of an attempt.
func (r *refresher) settle(o outcome) {
	switch {
	case o.err != nil && o.stage == errs.StageApply && connectionGone(o.err):
		r.handle(connectionLost)
	case o.err != nil:
		r.fail(o.stage, o.err)
	case o.stage == errs.StageApply:
		r.applied(o.reply)
	default:
		r.obtained(o.token)
	}
}

// obtained stores a new token at once: from now on every request and the next
// connection use it, even if applying it takes another try.
func (r *refresher) obtained(t token) {
	old := r.token
	r.before = &old
	r.use(t)
	if !t.bound {
		r.sat, r.info = t, nil
	}
	r.handle(tokenObtained)
}

// applied: the session now lives as long as the new token.
func (r *refresher) applied(reply applied) {
	r.before, r.last, r.attempts = nil, nil, 0
	r.learnExpiry(reply.expiresAt)
	r.c.log.Info("token refreshed", "mechanism", string(r.mechanism), "expires_at", r.token.expiresAt)
	r.handle(tokenApplied)
	if r.info == nil {
		r.reconsider()
	}
}

// 4. Errors.

// fail turns a failed attempt into the one error that reports it, and decides
// what follows.
func (r *refresher) fail(stage errs.RefreshStage, cause error) {
	final := stage != errs.StageApply && permanent(r.mechanism, cause)
	if stage == errs.StageApply && rejected(cause) && r.before != nil {
		r.use(*r.before) // it still works
		r.before = nil
	}
	inUse := r.token
	if r.before != nil {
		inUse = *r.before
	}
	now, end := r.c.clock.now(), inUse.expiresAt
	if inUse.expired(now) && r.expireAt.After(now) { // the session lives on without it
		end = r.expireAt
	}
	retryAt, again := r.policy.retryAt(now, r.attempts, end, cause)
	final = final || !again
	e := &errs.TokenRefreshError{
		Mechanism: r.mechanism, Stage: stage,
		Attempt: r.attempts, MaxAttempts: r.policy.MaxAttempts, Final: final,
		ExpiresAt: inUse.expiresAt, OriginalError: cause,
	}
	if !final {
		e.RetryAt = retryAt
	}
	r.last = e

	// 5. errors$.
	r.c.report(e)

	if final {
		r.handle(attemptsOver)
		return
	}
	r.due = retryAt
	r.handle(attemptFailed)
}
