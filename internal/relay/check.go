package relay

import (
	"context"
	"errors"
	"time"
)

// errOverdue is why a socket is not waited for any longer.
var errOverdue = errors.New("the network has changed since this attempt began")

// Check has the connection show at once that it works, as after the machine's
// network has changed or it has slept. One that gives no sign of life within
// limit is replaced at once, and where there is none the next attempt is made at
// once. One that is not authenticated yet may not be asked anything else: it is
// given up for another, as one that is still being opened is. It returns nil if the
// connection works, and the cause of ctx, having changed nothing, if that ends
// first. It must not be called by a callback of the Config.
func (r *Relay) Check(ctx context.Context, limit time.Duration) error {
	r.mu.Lock()
	l, live, dialing := r.current, r.live, r.dialing
	r.mu.Unlock()
	switch {
	case dialing != nil:
		r.kickNow()
		dialing(errOverdue)
		return errOverdue
	case l == nil || l.ctx.Err() != nil || l.left():
		r.kickNow()
		return errOverdue
	case l != live:
		r.kickNow()
		l.fail(Again(errOverdue))
		return errOverdue
	}
	err := r.probe(ctx, l, limit)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	r.kickNow()
	l.fail(err)
	return err
}

func (r *Relay) setDialing(abandon context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dialing = abandon
}

// kickNow cuts the pause short that is or comes next.
func (r *Relay) kickNow() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}
