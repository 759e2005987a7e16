package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
)

// When the service opens a new session instead of resuming the old one, it says
// no more about the calls, though they live. Each is then attached to the new
// session: offered once more, under its id and on new transports, while its
// handle, sources, sinks and figures stay (wire.md 5.11, behaviour.md 2.8 and 8).

// attachTimeout bounds attaching as a whole.
const attachTimeout = 10 * time.Second

// attachWait is how long to wait before each try, and whether there is one.
func attachWait(try int) (time.Duration, bool) {
	waits := [...]time.Duration{0, 2 * time.Second, 3 * time.Second}
	return waits[min(try, len(waits)-1)], try < len(waits)
}

// attachCalls attaches the calls that the service has taken, and ends those on
// their way there. On the loop.
func (c *Client) attachCalls() {
	for _, k := range c.streams.calls.Get() {
		switch {
		case k.state.status.ended(): // it ends over the new session
		case k.taken():
			k.dropExtras()
			k.attachAgain(nil)
		default:
			k.over(sessionGone())
		}
	}
}

// sessionGone is the end of a call for want of its session.
func sessionGone() *errs.CallEndedError {
	return &errs.CallEndedError{By: errs.EndedByNetwork, Cause: "session ended", Retryable: true}
}

// taken: outbound, the service has said that there is a call; inbound, this
// program has answered.
func (k *Call) taken() bool {
	return k.state.answered || k.revived || k.direction == errs.DirectionOutbound && k.state.status >= CallStatusTrying
}

// attachAgain begins to attach, in the place of an attempt under way. If the
// service has hung up it is tried once, and hungUp is why the call ends if that is
// in vain. On the loop.
func (k *Call) attachAgain(hungUp *errs.CallEndedError) {
	k.recover(recoveryTaken)
	k.renewing()
	k.move(mediaLost)
	ctx, cancel := context.WithTimeout(k.ctx, attachTimeout)
	k.stopAttaching = cancel
	mine, answered := k.attachment, k.state.answered || k.answeredBefore
	k.c.log.Info("attaching call", "call_id", k.id, "hung_up", hungUp != nil)
	k.past.recovering()
	k.c.past.add(note{category: DiagnosticRecovery, what: "attach_started", callID: k.id})
	k.c.workers.Go(func() {
		defer cancel()
		err := k.attachTries(ctx, hungUp != nil)
		if err == nil && answered {
			err = k.awaitAttached(ctx)
		}
		k.c.post(func() {
			if k.attachment == mine {
				k.attaching = false
				k.attachDone(err, hungUp)
				k.recover(recoveryReturned)
			}
		})
	})
}

// renewing makes the transports there are the old ones, in the place of an attempt
// under way. On the loop.
func (k *Call) renewing() {
	k.stopAttaching()
	select {
	case <-k.attachNow: // for the attempt before
	default:
	}
	k.attachment++
	k.departure++
	k.attaching = true
	k.detach()
	k.room.afresh = true
}

// attachTries offers the call until the service takes it, or once.
func (k *Call) attachTries(ctx context.Context, once bool) (err error) {
	for try := 0; ; try++ {
		wait, more := attachWait(try)
		if !more {
			return err
		}
		select {
		case <-time.After(wait):
		case <-k.attachNow:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
		err = k.offerAgain(ctx, false, func() {})
		if err == nil || once || refusedForGood(err) {
			return err
		}
	}
}

// refusedForGood reports whether the service no longer has the call.
func refusedForGood(err error) bool {
	var refused *errs.JSONRPCError
	return errors.As(err, &refused) && !refused.Retryable()
}

// awaitAttached returns when the new media flows.
func (k *Call) awaitAttached(ctx context.Context) error {
	_, err := k.status.Observe().Wait(ctx, func(s CallStatus) bool {
		return s.ended() || s == CallStatusConnected && k.isAttached()
	})
	return err
}

// offerAgain invites the service to the call it had, if no other process has it by
// now, and calls sent when the offer is there.
func (k *Call) offerAgain(ctx context.Context, relayOnly bool, sent func()) error {
	k.c.confirmCalls(ctx)                       // one that is another process's is over now; else the service decides
	if err := k.takeExchange(ctx); err != nil { // what was offered to the old session is taken back
		return err
	}
	defer k.giveExchange()
	k.mu.Lock()
	leg, wanted, ice := k.leg, k.wanted, k.ice
	k.mu.Unlock()
	leg.RelayOnly(relayOnly)
	offer, err := leg.Renew(ctx, wanted, ice.now(k.c))
	if err != nil {
		return &mediaFailure{err}
	}
	sent()
	return k.invite(ctx, offer)
}

// attachDone ends a call that could not be attached. On the loop.
func (k *Call) attachDone(err error, hungUp *errs.CallEndedError) {
	if k.state.status.ended() {
		return
	}
	k.endOrphans()
	if err != nil {
		k.c.failed(note{category: DiagnosticRecovery, what: "attach_failed", callID: k.id}, err)
		if k.lostSight() {
			k.c.report(&errs.AttachError{CallID: k.id, OriginalError: err})
		}
		why := sessionGone()
		if hungUp != nil {
			why = hungUp
		}
		why.OriginalError = &errs.AttachError{OriginalError: err}
		k.fail(why)
		return
	}
	k.c.past.add(note{category: DiagnosticRecovery, what: "attached", callID: k.id})
	k.c.log.Info("call attached", "call_id", k.id)
	held := k.held.Get()
	k.c.workers.Go(func() { k.restore(held) })
}

// restore has the new session know what the old one did of the call.
func (k *Call) restore(held bool) {
	k.resubscribe(k.ctx)
	if !held {
		return
	}
	if err := k.hold(k.ctx, wire.ModifyHold, true); err != nil && k.ctx.Err() == nil {
		k.c.post(func() { k.report(err, false) })
	}
}

// attachPushed: the service holds the call and offers to attach it, which is not
// to wait then. A call that is well is attached already. On the loop.
func (k *Call) attachPushed() {
	switch {
	case k.attaching:
		select {
		case k.attachNow <- struct{}{}:
		default:
		}
	case k.state.status == CallStatusRecovering:
		k.attachAgain(nil)
	}
	k.rewrite()
}

// detach notes that descriptions have to be exchanged anew, and ends exchanges
// with the old session.
func (k *Call) detach() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.attached, k.reattaching, k.invited = false, true, false
	k.leave(&errs.InvalidStateTransitionError{From: CallStatusRecovering.String(), To: "agree on media"})
	k.here, k.leave = context.WithCancelCause(k.ctx)
}

// offers reports whether the service's next answer is to an offer of ours. A session
// that is resumed brings again what an earlier process has not acknowledged: that is
// none.
func (k *Call) offers() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.invited && (k.direction == errs.DirectionOutbound || k.reattaching)
}
