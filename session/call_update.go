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
// returned; the call goes on as before.
func (k *Call) SetDirections(ctx context.Context, d media.Directions) error {
	if err := k.alive("set directions"); err != nil {
		return err
	}
	leg := k.media()
	before := k.swapWanted(d)
	leg.SetDirections(d)
	err := k.negotiate(ctx, leg.Offer)
	if err != nil {
		k.swapWanted(before)
		leg.SetDirections(before)
	}
	return err
}

// Directions are what flows of each kind, as agreed with the service.
func (k *Call) Directions() media.Directions {
	if leg := k.media(); leg != nil {
		return leg.Directions()
	}
	return media.Directions{}
}

// RestartICE looks for new paths for the media (RFC 8445 section 2.4), for
// example after the network has changed. If the service refuses, the old paths
// are gone all the same and media has stopped: restart again, or the call fails
// after half a minute.
func (k *Call) RestartICE(ctx context.Context) error {
	if err := k.alive("restart ICE"); err != nil {
		return err
	}
	return k.negotiate(ctx, k.media().Restart)
}

func (k *Call) swapWanted(d media.Directions) (before media.Directions) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, k.wanted = k.wanted, d
	return before
}

var errNoAnswer = errors.New("the reply holds no description")

// negotiate makes an offer and takes in the service's answer to it. One at a
// time: the media sees to that.
func (k *Call) negotiate(ctx context.Context, offer func(context.Context) (string, error)) error {
	sdp, err := offer(ctx)
	if err != nil {
		return causeOf(ctx, err)
	}
	reply, err := k.verto(ctx, wire.VertoModify, wire.VertoParams{
		Dialog: k.dialog(), SDP: sdp, Action: wire.ModifyUpdateMedia,
	})
	answer := reply.Result.Result.SDP
	if err == nil && answer == "" {
		err = &errs.UnexpectedError{At: wire.VertoModify, OriginalError: errNoAnswer}
	}
	if err == nil {
		err = k.media().Accept(ctx, answer)
	}
	if err != nil {
		k.media().Rollback()
	}
	return err
}
