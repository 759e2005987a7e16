package session

import "time"

// A throttle lets a few requests of a rolling window pass, and after that many
// none for a while.
type throttle struct {
	passed []time.Time // in the window
	shut   time.Time   // until then
}

// pass reports whether a request may go out now.
func (t *throttle) pass(now time.Time, burst int, window, cooldown time.Duration) bool {
	if now.Before(t.shut) {
		return false
	}
	for len(t.passed) > 0 && now.Sub(t.passed[0]) >= window {
		t.passed = t.passed[1:]
	}
	t.passed = append(t.passed, now)
	if len(t.passed) >= burst {
		t.passed, t.shut = nil, now.Add(cooldown)
	}
	return true
}

// reset forgets all that has passed.
func (t *throttle) reset() { *t = throttle{} }
