package session

import (
	"context"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// inbound makes a ringing call of an invite. A repeated invite changes nothing.
func (c *Client) inbound(m wire.VertoMessage, node string) {
	if m.CallID == "" || m.SDP == "" {
		c.report(&errs.InviteError{OriginalError: &errs.InvalidParamsError{Param: "invite", Reason: "lacks a call id or an offer"}})
		return
	}
	if c.legs[m.CallID] != nil {
		return
	}
	k := c.newCall(context.Background(), m.CallID, errs.DirectionInbound)
	k.from = Party{URI: m.CallerNumber, Name: known(m.CallerName)}
	k.to = Party{URI: m.CalleeNumber, Name: known(m.CalleeName)}
	k.offer, k.known = m.SDP, true
	k.node.Set(node)
	k.MergeUserVariables(m.Variables())
	if limit := c.opts.RingTimeout; limit > 0 { // before anybody can see the call
		k.ringing = time.AfterFunc(limit, func() { c.post(k.unanswered) })
	}
	c.addCall(k)
	k.move(inviteReceived)
	c.streams.incoming.Publish(k)
}

// known maps the media server's word for no name to none.
func known(name string) string {
	if name == "_undef_" {
		return ""
	}
	return name
}

// Answer takes an inbound call and returns once the service has the answer.
// Without options it sends and receives audio, and receives video if the caller
// sends it. A call that is answered, rejected or over already gives
// *errs.InvalidStateTransitionError.
func (k *Call) Answer(ctx context.Context, o MediaOptions) error {
	ctx, end := k.c.trace(ctx, Operation{Name: OperationAnswer, CallID: k.id, Direction: k.direction})
	err := k.take(ctx, o)
	end(err)
	return err
}

func (k *Call) take(ctx context.Context, o MediaOptions) error {
	if err := k.decide("answer"); err != nil {
		o.release(k.c)
		return err
	}
	implied := impliedByOffer(media.OfferedDirections(k.offer), k.c.preferred())
	if err := k.answer(ctx, o, implied); err != nil {
		return k.failAnswer(err)
	}
	return nil
}

func (k *Call) answer(ctx context.Context, o MediaOptions, i implication) error {
	ctx, cancel := k.within(ctx)
	defer cancel()
	if err := k.openMedia(ctx, o, i); err != nil {
		return err
	}
	answer, err := k.leg.Answer(ctx, k.offer)
	if err != nil {
		return causeOf(ctx, err)
	}
	k.warnOfCandidates(answer)
	if err := k.c.ask(ctx, func() { k.move(callAnswered) }); err != nil {
		return err
	}
	reply, err := k.verto(ctx, wire.VertoAnswer, wire.VertoParams{Dialog: k.dialog(), SDP: answer})
	if err != nil {
		return err
	}
	return k.c.ask(ctx, func() {
		k.attach()
		k.showDirections()
		if reply.NodeID != "" {
			k.node.Set(reply.NodeID)
		}
		k.keep()
	})
}

// Reject declines an inbound call as busy. It returns when the service knows, in
// two seconds at most.
func (k *Call) Reject(ctx context.Context) error {
	if err := k.decide("reject"); err != nil {
		return err
	}
	const cause = "USER_BUSY"
	return k.hangup(ctx, cause, &errs.CallEndedError{By: errs.EndedByLocal, Cause: cause, Code: errs.CauseUserBusy})
}

// unanswered ends a call that has rung long enough. On the loop.
func (k *Call) unanswered() {
	const cause = "NO_ANSWER"
	if k.decide("ring") == nil {
		why := &errs.CallEndedError{By: errs.EndedByLocal, Cause: cause, Code: errs.CauseNoAnswer, Retryable: true}
		k.c.workers.Go(func() { _ = k.hangup(context.Background(), cause, why) })
	}
}

// decide lets an inbound call be answered or rejected once.
func (k *Call) decide(what string) error {
	first := false
	if k.direction == errs.DirectionInbound && k.Status() == CallStatusRinging {
		k.decided.Do(func() {
			first = true
			if k.ringing != nil {
				k.ringing.Stop()
			}
		})
	}
	if !first {
		return &errs.InvalidStateTransitionError{From: k.Status().String(), To: what}
	}
	return nil
}

// failAnswer ends a call that could not be answered. The error is cause, or why
// the call ended if that came first.
func (k *Call) failAnswer(cause error) error {
	mine := false
	err := k.c.ask(context.Background(), func() {
		mine = !k.state.status.ended()
		k.fail(cause)
	})
	<-k.done
	if err == nil && mine {
		return cause
	}
	return k.Err()
}
