package media

import (
	"context"
	"math"
	"time"
)

// catchUp is how many frames may follow one another at once after a delay. What
// was missed before that is skipped: a receiver has given it up.
const catchUp = 5

// pace calls step for each frame, on a clock that does not drift: the n-th call is
// due n frames after the first, however late the ones before it were. It ends
// with ctx, which is nil, or with an error of step.
func pace(ctx context.Context, step func() error) error { return paceN(ctx, math.MaxInt, step) }

// paceN is pace for so many steps.
func paceN(ctx context.Context, steps int, step func() error) error {
	due := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for range steps {
		if late := time.Since(due); late > catchUp*frameLength {
			due = due.Add(late.Truncate(frameLength))
		}
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		if err := step(); err != nil {
			return err
		}
		due = due.Add(frameLength)
	}
	return nil
}
