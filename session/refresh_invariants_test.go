package session

import (
	"testing"
)

// Effects that start work; everything else ends it or lets it be.
func startsWork(x refreshEffect) bool {
	switch x {
	case doActivate, doObtain, doHandOver, doApply:
		return true
	}
	return false
}

// busy are the states in which work runs.
func busy(s refreshState) bool {
	return s == refreshActivating || s == refreshRunning || s == refreshApplying
}

func TestRefreshInvariantsHoldForEveryCombination(t *testing.T) {
	invariants := []struct {
		name  string
		holds func(s refreshState, e refreshEvent, f refreshFacts, next refreshState, does refreshEffect) bool
	}{
		{"closed is for good", func(s refreshState, _ refreshEvent, _ refreshFacts, next refreshState, _ refreshEffect) bool {
			return s != refreshClosed || next == refreshClosed
		}},
		{"closed starts nothing", func(s refreshState, e refreshEvent, _ refreshFacts, _ refreshState, does refreshEffect) bool {
			return s != refreshClosed || does == doIgnore || e == clientClosed && does == doCancel
		}},
		{"what is ignored changes no state", func(s refreshState, _ refreshEvent, _ refreshFacts, next refreshState, does refreshEffect) bool {
			return does != doIgnore || next == s
		}},
		{"work is started exactly on entering a state where work runs, unless the program does it", func(s refreshState, e refreshEvent, _ refreshFacts, next refreshState, does refreshEffect) bool {
			if does == doIgnore || e == tokenHanded {
				return true
			}
			return startsWork(does) == busy(next)
		}},
		{"only one kind of work runs: each state has its own", func(_ refreshState, _ refreshEvent, _ refreshFacts, next refreshState, does refreshEffect) bool {
			switch does {
			case doActivate:
				return next == refreshActivating
			case doObtain, doHandOver:
				return next == refreshRunning
			case doApply:
				return next == refreshApplying
			}
			return true
		}},
		{"work in flight is never overtaken by a second one, except by hand-over", func(s refreshState, _ refreshEvent, _ refreshFacts, next refreshState, does refreshEffect) bool {
			return !busy(s) || !startsWork(does) || does == doHandOver || s == refreshRunning && next == refreshApplying
		}},
		{"armed needs a known expiry and something to refresh with", func(s refreshState, _ refreshEvent, f refreshFacts, next refreshState, does refreshEffect) bool {
			return next != refreshArmed || does == doIgnore || f.expiryKnown && (f.bound || f.provider)
		}},
		{"a usable mechanism is armed or at work after any credential", func(s refreshState, e refreshEvent, f refreshFacts, next refreshState, _ refreshEffect) bool {
			usable := f.expiryKnown && (f.bound || f.provider)
			return e != credentialAccepted || s == refreshClosed || !usable || next == refreshArmed
		}},
		{"a session is torn down by expiry only", func(_ refreshState, e refreshEvent, _ refreshFacts, next refreshState, does refreshEffect) bool {
			return does != doTearDown || e == tokenExpired && next == refreshExpired
		}},
		{"no failure leads out of the live states", func(s refreshState, e refreshEvent, _ refreshFacts, next refreshState, _ refreshEffect) bool {
			return e != attemptFailed && e != attemptsOver && e != activationDeclined && e != connectionLost || s.live() == next.live()
		}},
		{"only a credential leads back from suspended and expired", func(s refreshState, e refreshEvent, _ refreshFacts, next refreshState, _ refreshEffect) bool {
			return s != refreshSuspended && s != refreshExpired || !next.live() || e == credentialAccepted
		}},
		{"hand-over goes from the key to the provider, never back", func(_ refreshState, _ refreshEvent, f refreshFacts, _ refreshState, does refreshEffect) bool {
			return does != doHandOver || f.byKey && f.provider
		}},
		{"without a connection nothing is applied by timer-free steps", func(_ refreshState, e refreshEvent, f refreshFacts, _ refreshState, does refreshEffect) bool {
			return does != doApply || e == refreshDue || f.online
		}},
		{"the lost connection starts no work", func(_ refreshState, e refreshEvent, _ refreshFacts, _ refreshState, does refreshEffect) bool {
			return e != connectionLost || !startsWork(does)
		}},
	}
	for _, i := range invariants {
		t.Run(i.name, func(t *testing.T) {
			broken := 0
			everyRefresh(func(s refreshState, e refreshEvent, f refreshFacts) {
				next, does := nextRefresh(s, e, f)
				if !i.holds(s, e, f, next, does) {
					if broken++; broken <= 3 {
						t.Errorf("%q on %q with %+v: %q, effect %d", s, e, f, next, does)
					}
				}
			})
		})
	}
}

func TestRefreshEveryStateCanBeReachedAndLeft(t *testing.T) {
	seen := map[refreshState]bool{refreshNew: true}
	left := map[refreshState]bool{}
	for grown := true; grown; {
		grown = false
		everyRefresh(func(s refreshState, e refreshEvent, f refreshFacts) {
			next, _ := nextRefresh(s, e, f)
			if !seen[s] {
				return
			}
			left[s] = left[s] || next != s
			if !seen[next] {
				seen[next], grown = true, true
			}
		})
	}
	for s := refreshNew; s <= refreshClosed; s++ {
		if !seen[s] {
			t.Errorf("no chain of events leads to %q", s)
		}
		if left[s] == (s == refreshClosed) {
			t.Errorf("%q: can be left = %v", s, left[s])
		}
	}
}

func TestRefreshNamesAreDistinct(t *testing.T) {
	names := map[string]bool{}
	for s := refreshNew; s <= refreshClosed; s++ {
		if n := s.String(); n == "" || names[n] {
			t.Errorf("state %d is called %q", s, n)
		}
		names[s.String()] = true
	}
	names = map[string]bool{}
	for e := credentialAccepted; e < refreshEventsNumber; e++ {
		if n := e.String(); n == "" || names[n] {
			t.Errorf("event %d is called %q", e, n)
		}
		names[e.String()] = true
	}
}
