package relay

import (
	"math/rand/v2"
	"time"
)

// Retry says how long to wait before another attempt.
type Retry struct {
	Min, Max time.Duration // the first and the largest delay before jitter
	Budget   time.Duration // give up when down for this long; 0 means never
	// Delay, when set, replaces the built-in back-off. attempt counts from 1.
	Delay func(attempt int) time.Duration
}

// equalJitter is half fixed, half random: never at once, never all together.
func equalJitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}

// withinBudget cuts a wait to what is left of the budget, and reports whether
// that is used up by then.
func (r Retry) withinBudget(wait, down time.Duration) (time.Duration, bool) {
	left := r.Budget - down
	if r.Budget == 0 || wait < left {
		return wait, false
	}
	return max(left, 0), true
}

// delay is the wait before the attempt-th try in a row, at least the server's
// hint.
func (r Retry) delay(attempt int, hint time.Duration) time.Duration {
	d := r.Max
	if r.Delay != nil {
		d = r.Delay(attempt)
	} else {
		if n := attempt - 1; n < 32 && r.Min<<n > 0 && r.Min<<n < r.Max {
			d = r.Min << n
		}
		d = equalJitter(d)
	}
	return max(d, hint)
}
