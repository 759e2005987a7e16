package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// SetDirections changes what the call sends and receives of each kind, and
// agrees it with the service. What the service refuses changes nothing and is
// returned; the call goes on as before, and if the service may have thought
// otherwise it is told so, see the preference ReinviteMaxAttempts. Before the call is answered, and while it
// is attached to another session, it is an *errs.InvalidStateTransitionError.
func (k *Call) SetDirections(ctx context.Context, d media.Directions) error {
	return k.renegotiate(ctx, "set directions", func(ctx context.Context, leg *media.Leg) error {
		before := k.swapWanted(d)
		leg.SetDirections(d)
		err := k.negotiate(ctx, leg, leg.Offer)
		if err != nil {
			k.swapWanted(before)
			leg.SetDirections(before)
			k.clearUp()
			return err
		}
		k.showDirections()
		k.c.post(k.rewrite)
		return nil
	})
}

// renegotiate runs f when no other exchange of descriptions is under way. Its
// context ends early when the call has to be attached to another session, which
// knows nothing of what was offered to this one.
func (k *Call) renegotiate(ctx context.Context, operation string, f func(context.Context, *media.Leg) error) error {
	if err := k.alive(operation); err != nil {
		return err
	}
	if err := k.takeExchange(ctx); err != nil {
		return err
	}
	defer k.giveExchange()
	k.mu.Lock()
	leg, here, attached := k.leg, k.here, k.attached
	k.mu.Unlock()
	if !attached {
		return &errs.InvalidStateTransitionError{From: k.Status().String(), To: operation}
	}
	ctx, cancel := joined(ctx, here)
	defer cancel()
	err := causeOf(ctx, f(ctx, leg))
	if here.Err() != nil && errors.Is(err, errs.ErrClosed) { // the leg may know before ctx does
		return context.Cause(here)
	}
	return err
}

// takeExchange waits until no descriptions are being exchanged.
func (k *Call) takeExchange(ctx context.Context) error {
	select {
	case k.exchange <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-k.ctx.Done():
		return context.Cause(k.ctx)
	}
}

func (k *Call) giveExchange() { <-k.exchange }

func (k *Call) swapWanted(d media.Directions) (before media.Directions) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, k.wanted = k.wanted, d
	return before
}

var errNoAnswer = errors.New("the reply holds no description")

// negotiate makes an offer and takes in the service's answer to it.
func (k *Call) negotiate(ctx context.Context, leg *media.Leg, offer func(context.Context) (string, error)) error {
	sdp, err := offer(ctx)
	if err != nil {
		return err
	}
	err = k.modify(ctx, leg, sdp, k.dialog(), k.verto)
	k.setUnclear(err != nil && !errors.As(err, new(*errs.JSONRPCError)))
	return err
}

// modify sends what a leg of the call offers and has it accept the answer, or take
// the offer back.
func (k *Call) modify(ctx context.Context, leg *media.Leg, sdp string, d *wire.DialogParams, send vertoSender) error {
	within, cancel := k.c.answerTimeout(ctx)
	defer cancel()
	reply, err := send(within, wire.VertoModify, wire.VertoParams{Dialog: d, SDP: sdp, Action: wire.ModifyUpdateMedia})
	answer := reply.Result.Result.SDP
	if err == nil && answer == "" {
		err = &errs.UnexpectedError{At: wire.VertoModify, OriginalError: errNoAnswer}
	}
	if err == nil {
		err = leg.Accept(ctx, answer)
	}
	if err != nil {
		leg.Rollback()
	}
	return err
}

// A vertoSender sends a request of one leg.
type vertoSender = func(ctx context.Context, method string, p wire.VertoParams) (wire.VertoReply, error)
