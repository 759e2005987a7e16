package session

import (
	"context"
	"errors"
	"strings"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
	"github.com/google/uuid"
)

// Dial places a call to an address ("/public/lobby", "/private/ann"), a phone
// number or a SIP URI, and returns as soon as the service has taken it: the
// call then rings, or connects. A query in an address, as in
// "/public/lobby?channel=video", says what media it is about and becomes user
// variables.
//
// ctx bounds the dialling, not the call; without a deadline it takes six
// seconds at most. The error is a *errs.CallCreateError whose Reason tells not
// connected, media failed, time-out, no such address, busy and rejected apart;
// nothing is left of the call then. If it had come so far that there was a call
// to end, the error holds the *errs.CallEndedError of its end.
func (c *Client) Dial(ctx context.Context, to string, o DialOptions) (*Call, error) {
	id := uuid.NewString()
	ctx, end := c.trace(ctx, Operation{Name: OperationDial, CallID: id, Direction: errs.DirectionOutbound})
	k, err := c.dialCall(ctx, id, to, o)
	end(err)
	return k, err
}

func (c *Client) dialCall(ctx context.Context, id, to string, o DialOptions) (*Call, error) {
	d, err := parseDestination(to)
	if err != nil {
		o.release(c)
		return nil, dialError(to, err)
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, dialTimeout)
		defer cancel()
	}
	if err := c.dialable(ctx); err != nil {
		o.release(c)
		return nil, dialError(to, err)
	}
	k := c.newCall(ctx, id, errs.DirectionOutbound)
	k.to = Party{URI: d.uri}
	k.node.Set(o.NodeID)
	k.MergeUserVariables(d.variables)
	k.MergeUserVariables(o.UserVariables)
	if err := k.dial(ctx, o.MediaOptions, d.impliedBy(c.preferred())); err != nil {
		return nil, dialError(to, err)
	}
	return k, nil
}

// dialable waits for a lost connection to be replaced, and fails at once
// without a session.
func (c *Client) dialable(ctx context.Context) error {
	if c.ctx.Err() != nil {
		return errs.ErrClosed
	}
	if c.active.Load() == nil {
		return &errs.NotConnectedError{Operation: "dial"}
	}
	return c.awaitOnline(ctx, "dial")
}

// dial makes the media, offers it and waits for the service to take the call.
func (k *Call) dial(ctx context.Context, o MediaOptions, i implication) error {
	if err := k.openMedia(ctx, o, i); err != nil {
		if ctx.Err() == nil {
			err = &mediaFailure{err}
		}
		k.traceEnd(true, err)
		return err
	}
	added := false
	err := k.c.ask(context.Background(), func() {
		if added = k.c.session != nil; added { // its end ends the call
			k.c.addCall(k)
		}
	})
	if err != nil || !added {
		_ = k.leg.Close()
		err := &errs.NotConnectedError{Operation: "dial"}
		k.traceEnd(true, err)
		return err
	}
	offer, err := k.leg.Offer(ctx)
	switch {
	case err == nil:
		k.warnOfCandidates(offer)
		err = k.invite(ctx, offer)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	default:
		err = &mediaFailure{err}
	}
	if err != nil {
		return k.abandon(err)
	}
	return nil
}

// invite sends the offer and takes in the service's answer. It ends early if
// the call ends.
func (k *Call) invite(ctx context.Context, offer string) error {
	ctx, cancel := k.within(ctx)
	defer cancel()
	k.mu.Lock()
	k.invited = true
	k.mu.Unlock()
	reply, err := k.verto(ctx, wire.VertoInvite, wire.VertoParams{Dialog: k.dialog(), SDP: offer})
	if errors.As(err, new(*errs.JSONRPCError)) {
		k.c.post(func() { k.known = false })
	}
	if err != nil {
		return err
	}
	body := reply.Result.Result
	if body.Message != wire.VertoCreated {
		return &errs.UnexpectedError{At: wire.VertoInvite, OriginalError: errors.New("the answer was not " + wire.VertoCreated)}
	}
	err = k.c.ask(ctx, func() {
		if reply.NodeID != "" {
			k.node.Set(reply.NodeID)
		}
		k.setMember(body.MemberID)
		k.move(inviteAccepted)
		if body.HoldState != "" && !k.state.status.ended() { // of a call that was attached
			k.setHeld(body.HoldState == "held")
		}
		k.keep()
	})
	if k.ctx.Err() != nil { // over already
		err = context.Cause(k.ctx)
	}
	return err
}

// within is ctx until the call ends, with the reason of that as its cause.
func (k *Call) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return joined(ctx, k.ctx)
}

// joined is ctx until other ends, with the reason of that as its cause.
func joined(ctx, other context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if other.Err() != nil { // AfterFunc would tell in a while, and something might be sent before
		cancel(context.Cause(other))
	}
	stop := context.AfterFunc(other, func() { cancel(context.Cause(other)) })
	return ctx, func() { stop(); cancel(nil) }
}

// openMedia opens the devices that are to be captured from and makes the leg.
func (k *Call) openMedia(ctx context.Context, o MediaOptions, i implication) error {
	p := k.c.preferred()
	begun, err := k.capture(ctx, &o, i)
	if err != nil {
		o.release(k.c)
		return err
	}
	d := o.directions(i)
	cfg := k.legConfig(k.id, o, d, p)
	cfg.OnState = func(s media.State) { k.c.post(func() { k.mediaState(s) }) }
	cfg.OnDigit = k.digits.Publish
	cfg.OnSourceEnd = func(kind media.Kind) { k.sends(k.id, "ended", input(kind), nil) }
	leg, err := media.NewLeg(cfg)
	if err != nil {
		o.release(k.c)
		return err
	}
	k.begins(OperationMedia)
	k.opened(media.KindAudio, o.AudioSource)
	k.opened(media.KindVideo, o.VideoSource)
	if err := k.adopt(leg, d, o, p); err != nil {
		_ = leg.Close()
		return err
	}
	k.captured(begun)
	return nil
}

// adopt makes the leg the call's, unless it has ended meanwhile: nobody else would
// close the leg then.
func (k *Call) adopt(leg *media.Leg, d media.Directions, o MediaOptions, p *PreferenceValues) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended != nil {
		return k.ended
	}
	k.leg, k.wanted, k.ice = leg, d, o.iceOf(p)
	k.loudspeaker, _ = o.AudioSink.(*selectedOutput)
	return nil
}

// abandon ends a call that did not come about, releases it and returns why it
// ended, which is what cause says unless it had ended before.
func (k *Call) abandon(cause error) error {
	_ = k.c.ask(context.Background(), func() { k.fail(cause) })
	<-k.done
	return k.Err()
}

// A mediaFailure marks what went wrong before anything was sent.
type mediaFailure struct{ error }

func (m *mediaFailure) Unwrap() error { return m.error }

// dialError says why there is no call.
func dialError(to string, err error) *errs.CallCreateError {
	to, _, _ = strings.Cut(to, "?") // the query holds what the program tells the other side
	e := &errs.CallCreateError{Direction: errs.DirectionOutbound, To: to, OriginalError: err}
	var failed *mediaFailure
	var refused *errs.JSONRPCError
	var ended *errs.CallEndedError
	switch {
	case errors.As(err, &failed):
		e.Reason = errs.CallMediaFailed
	case noConnection(err):
		e.Reason = errs.CallNotConnected
	case errors.As(err, &refused) && noSuchAddress(refused):
		e.Reason = errs.CallNoSuchAddress
	case errors.As(err, &refused):
		e.Reason = reasonOf(refused.CauseCode)
	case errors.Is(err, context.DeadlineExceeded):
		e.Reason = errs.CallTimeout
	case errors.As(err, &ended) && ended.By == errs.EndedByRemote:
		e.Reason = reasonOf(ended.Code)
	default:
		e.Reason = errs.CallFailed
	}
	e.Message = string(e.Reason)
	return e
}

// noConnection: there was none, it was lost, or the session ended.
func noConnection(err error) bool {
	var none *errs.NotConnectedError
	var lost *errs.TransportError
	var socket *errs.WebSocketError
	var session *errs.SessionEndedError
	var ended *errs.CallEndedError
	return errors.As(err, &none) || errors.As(err, &lost) || errors.As(err, &socket) || errors.As(err, &session) ||
		errors.Is(err, errs.ErrClosed) || errors.Is(err, errs.ErrDisconnected) ||
		errors.As(err, &ended) && ended.By == errs.EndedByNetwork && ended.OriginalError == nil
}

func noSuchAddress(refused *errs.JSONRPCError) bool {
	return refused.Code == errs.CodeNotFound || refused.CauseCode == errs.CauseUnallocatedNumber
}

func reasonOf(code int) errs.CallCreateReason {
	switch code {
	case errs.CauseUserBusy:
		return errs.CallBusy
	case errs.CauseUnallocatedNumber:
		return errs.CallNoSuchAddress
	}
	return errs.CallRejected
}
