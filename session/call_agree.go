package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// setUnclear notes whether the service may mean something else than this side.
func (k *Call) setUnclear(unclear bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unclear = unclear
}

func (k *Call) isUnclear() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unclear
}

// clearUp agrees once more with a service that may or may not have made the change
// that failed here, so that both sides send and expect the same.
func (k *Call) clearUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.unclear || k.clearing {
		return
	}
	k.clearing = true
	here := k.here // another session is told everything anew
	k.c.workers.Go(func() {
		err := k.agreeAgain(here)
		k.mu.Lock()
		k.clearing = false
		k.mu.Unlock()
		if err != nil && here.Err() == nil {
			k.c.post(func() { k.report(err, false) })
		}
	})
}

// agreeAgain offers what holds here until the service takes it, or refuses it, or
// another exchange has cleared everything up.
func (k *Call) agreeAgain(ctx context.Context) (err error) {
	for attempt := 1; attempt <= k.c.preferred().ReinviteMaxAttempts; attempt++ {
		select {
		case <-time.After(k.c.preferred().ReinviteDebounce):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !k.isUnclear() {
			return nil
		}
		err = k.renegotiate(ctx, "agree on media", func(ctx context.Context, leg *media.Leg) error {
			return k.negotiate(ctx, leg, leg.Offer)
		})
		if err == nil || errors.As(err, new(*errs.JSONRPCError)) {
			return err
		}
	}
	return err
}
