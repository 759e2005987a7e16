package session

import (
	"fmt"
	"testing"
)

// A refreshRow is one rule of the refresher: in these states, on this event, if
// the guard holds, it goes there and does that.
type refreshRow struct {
	from  []refreshState
	event refreshEvent
	guard refreshGuard
	to    refreshState
	does  refreshEffect
	rule  string
}

// A refreshGuard is a condition on the facts; the zero guard always holds.
type refreshGuard struct {
	text string
	fits func(refreshFacts) bool
}

func (g refreshGuard) holds(f refreshFacts) bool { return g.fits == nil || g.fits(f) }

func (g refreshGuard) String() string {
	if g.text == "" {
		return "always"
	}
	return g.text
}

func also(a, b refreshGuard) refreshGuard {
	return refreshGuard{a.text + ", " + b.text, func(f refreshFacts) bool { return a.holds(f) && b.holds(f) }}
}

func not(a refreshGuard) refreshGuard {
	return refreshGuard{"not " + a.text, func(f refreshFacts) bool { return !a.holds(f) }}
}

// The guards that the rules are made of.
var (
	always     = refreshGuard{}
	armable    = refreshGuard{"armable", func(f refreshFacts) bool { return f.expiryKnown && (f.bound || f.provider) }}
	ofOurKey   = refreshGuard{"bound", func(f refreshFacts) bool { return f.bound }}
	mayBind    = refreshGuard{"activatable", func(f refreshFacts) bool { return f.activatable }}
	isOnline   = refreshGuard{"online", func(f refreshFacts) bool { return f.online }}
	isHeld     = refreshGuard{"held", func(f refreshFacts) bool { return f.held }}
	hasAnother = refreshGuard{"by key with provider", func(f refreshFacts) bool { return f.byKey && f.provider }}
)

// in and unless make the state lists of the table readable.
func in(s ...refreshState) []refreshState { return s }

func unless(out ...refreshState) (rest []refreshState) {
next:
	for s := refreshNew; s <= refreshClosed; s++ {
		for _, o := range out {
			if s == o {
				continue next
			}
		}
		rest = append(rest, s)
	}
	return rest
}

// attempting are the states of an attempt under way, settled those in which a
// fresh connection may pick another mechanism.
var (
	attempting = in(refreshRunning, refreshApplying)
	settled    = in(refreshNone, refreshArmed, refreshExhausted)
	anyLive    = in(refreshNone, refreshArmed, refreshActivating, refreshRunning, refreshApplying, refreshBackoff, refreshExhausted)
)

// refreshRules are all the legal transitions. Whatever is not here changes
// nothing.
var refreshRules = []refreshRow{
	{unless(), clientClosed, always, refreshClosed, doCancel, "closing stops everything, whatever goes on"},
	{unless(refreshClosed), clientDisconnected, always, refreshSuspended, doCancel, "disconnecting stops timers and work in flight"},

	{unless(refreshClosed), credentialAccepted, armable, refreshArmed, doArm, "a credential with a known expiry that something refreshes is armed"},
	{unless(refreshClosed), credentialAccepted, not(armable), refreshNone, doWarn, "one that nothing refreshes, or whose end is unknown, is not"},

	{settled, authenticated, also(ofOurKey, armable), refreshArmed, doArm, "a bound token goes on being refreshed by key"},
	{settled, authenticated, also(ofOurKey, not(armable)), refreshNone, doWarn, "a bound token of unknown life cannot be timed"},
	{settled, authenticated, also(not(ofOurKey), mayBind), refreshActivating, doActivate, "key and scope: the SAT is exchanged for a bound token"},
	{settled, authenticated, also(not(ofOurKey), also(not(mayBind), armable)), refreshArmed, doDecline, "no key or no scope: the provider stays, and it is said why"},
	{settled, authenticated, also(not(ofOurKey), also(not(mayBind), not(armable))), refreshNone, doDecline, "no key or no scope, and no provider: said too"},

	{in(refreshActivating, refreshApplying), connectionLost, armable, refreshArmed, doArm, "what needs a connection is dropped; the next one brings the newest token"},
	{in(refreshActivating, refreshApplying), connectionLost, not(armable), refreshNone, doWarn, "the same with nothing to arm"},
	{in(refreshBackoff), connectionLost, also(isHeld, armable), refreshArmed, doArm, "a token waiting to be applied is applied by the next connection"},
	{in(refreshBackoff), connectionLost, also(isHeld, not(armable)), refreshNone, doWarn, "the same with nothing to arm"},

	{in(refreshArmed), refreshDue, always, refreshRunning, doObtain, "the first attempt of a round"},
	{in(refreshBackoff), refreshDue, not(isHeld), refreshRunning, doObtain, "another attempt to obtain a token"},
	{in(refreshBackoff), refreshDue, isHeld, refreshApplying, doApply, "the token is there: only telling the service is repeated"},
	{in(refreshNone), refreshDue, also(mayBind, isOnline), refreshActivating, doActivate, "half-way to its end an exchangeable token gets another try"},

	{in(refreshActivating), activationDone, armable, refreshArmed, doArm, "the bound token is timed by its own life"},
	{in(refreshActivating), activationDone, not(armable), refreshNone, doWarn, "a bound token of unknown life cannot be timed"},
	{in(refreshActivating), activationDeclined, armable, refreshArmed, doArm, "the session goes on with its SAT, refreshed by the provider"},
	{in(refreshActivating), activationDeclined, not(armable), refreshNone, doWarn, "the session goes on with its SAT until that expires"},

	{in(refreshRunning), tokenObtained, isOnline, refreshApplying, doApply, "a new token is made known to the live session"},
	{in(refreshRunning), tokenObtained, also(not(isOnline), armable), refreshArmed, doArm, "without a connection there is nobody to tell"},
	{in(refreshRunning), tokenObtained, also(not(isOnline), not(armable)), refreshNone, doWarn, "the same for a token of unknown life"},
	{in(refreshApplying), tokenApplied, armable, refreshArmed, doArm, "the service knows the token: on to the next round"},
	{in(refreshApplying), tokenApplied, not(armable), refreshNone, doWarn, "a refresh that brings no expiry leaves nothing to time"},

	{attempting, attemptFailed, always, refreshBackoff, doWait, "a failed attempt is followed by another, later"},
	{attempting, attemptsOver, hasAnother, refreshRunning, doHandOver, "the key-bound way gave up: the provider is asked at once"},
	{attempting, attemptsOver, not(hasAnother), refreshExhausted, doNothing, "nobody else to ask: the token works until it expires"},

	{anyLive, tokenHanded, always, refreshApplying, doNothing, "the program presents its token itself, in place of whatever went on"},
	{settled, tokenBehind, isOnline, refreshApplying, doApply, "a connection opened with an older token is told of the newest"},

	{anyLive, tokenExpired, always, refreshExpired, doTearDown, "expiry without a fresh token ends the session"},
}

// everyRefresh visits all states, events and facts.
func everyRefresh(visit func(refreshState, refreshEvent, refreshFacts)) {
	for s := refreshNew; s <= refreshClosed; s++ {
		for e := credentialAccepted; e < refreshEventsNumber; e++ {
			for bits := range 1 << 7 {
				fact := func(i int) bool { return bits>>i&1 == 1 }
				visit(s, e, refreshFacts{
					expiryKnown: fact(0), bound: fact(1), provider: fact(2), activatable: fact(3),
					online: fact(4), held: fact(5), byKey: fact(6),
				})
			}
		}
	}
}

func TestRefreshStateMachineIsItsTable(t *testing.T) {
	reached := make([]int, len(refreshRules))
	bad := map[string]bool{}
	everyRefresh(func(s refreshState, e refreshEvent, f refreshFacts) {
		want, wantEffect, found := s, doIgnore, -1
		for i, r := range refreshRules {
			if r.event != e || !contains(r.from, s) || !r.guard.holds(f) {
				continue
			}
			if found >= 0 {
				bad[fmt.Sprintf("rules %d and %d both hold in %q on %q", found, i, s, e)] = true
			}
			want, wantEffect, found = r.to, r.does, i
			reached[i]++
		}
		if got, effect := nextRefresh(s, e, f); got != want || effect != wantEffect {
			rule := "no rule, so nothing may happen"
			if found >= 0 {
				rule = fmt.Sprintf("%s [%s]", refreshRules[found].rule, refreshRules[found].guard)
			}
			bad[fmt.Sprintf("%q on %q: got %q with effect %d, want %q with %d: %s", s, e, got, effect, want, wantEffect, rule)] = true
		}
	})
	for problem := range bad {
		t.Error(problem)
	}
	for i, n := range reached {
		if r := refreshRules[i]; n < len(r.from) {
			t.Errorf("rule %d (%s) was reached %d times, want at least once in each of its %d states", i, r.rule, n, len(r.from))
		}
	}
}

func contains(list []refreshState, s refreshState) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
