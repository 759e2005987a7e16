package session

import "context"

// A slot lets one at a time do something.
type slot chan struct{}

func newSlot() slot { return make(slot, 1) }

// take waits until nobody has the slot, and takes it until give. It fails with the
// cause of ctx.
func (s slot) take(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s slot) give() { <-s }
