package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// RestartICE looks for new paths for the media (RFC 8445 section 2.4), for
// example after the network has changed, and returns when one is in use. It counts
// as no attempt of the call's own recovery, whose events and state tell of it. While the
// connection to the service is being replaced it waits; without one it is an
// *errs.NotConnectedError.
//
// If the service refuses, the old paths are gone all the same; if none is found
// within PreferenceValues.ICERestartTimeout of the offer it is an
// *errs.RecoveryError. The call's own recovery then begins at once, or goes on after
// its pause. While that is under way, and when SetDirections is refused, it is an
// *errs.InvalidStateTransitionError.
func (k *Call) RestartICE(ctx context.Context) error {
	within, cancel := joined(ctx, k.ctx)
	defer cancel()
	if err := k.reached(within); err != nil {
		return err
	}
	busy := false
	err := k.c.ask(context.WithoutCancel(ctx), func() {
		if busy = k.recovery.now.state == RecoveryRecovering; !busy {
			k.restarting()
		}
	})
	if err != nil {
		return err
	}
	if busy {
		return &errs.InvalidStateTransitionError{From: RecoveryRecovering.String(), To: restartICE}
	}
	cut, err := k.runStep(within, stepRestart, k.c.preferred().ICERestartTimeout, hasPath)
	if errors.Is(err, errStepTimeout) {
		err = &errs.RecoveryError{Action: "reinvite", OriginalError: err}
	}
	_ = k.c.ask(context.WithoutCancel(ctx), func() { k.restarted(err, cut) }) // errs.ErrClosed: nobody is left to know
	return err
}

// reached waits until the service can be asked: an offer that cannot be sent costs the
// paths there are.
func (k *Call) reached(ctx context.Context) error {
	if err := k.alive(restartICE); err != nil {
		return err
	}
	if err := k.c.awaitOnline(ctx, restartICE); err != nil {
		return causeOf(ctx, err)
	}
	return context.Cause(ctx)
}

// hasPath reports whether there is a path that was found since.
func hasPath(since, now media.Stats) bool {
	return now.State == media.StateConnected && now.Paths > since.Paths
}

// restarting: the program does. On the loop, like restarted.
func (k *Call) restarting() {
	if k.recovery.pref == nil {
		return
	}
	k.recovery.reason = ""
	k.recover(recoveryTaken)
	if k.recovery.now.taken {
		k.tellStep(RecoveryReinviteStarted, stepRestart, 0)
	}
}

// restarted: it has, or tried to, which may have cut the call off.
func (k *Call) restarted(err error, cut bool) {
	if k.recovery.pref == nil || k.state.status.ended() {
		return
	}
	k.tellStep(stepAction(err), stepRestart, 0)
	if k.attaching || !k.recovery.now.taken {
		return
	}
	k.quality.monitor.Relearn()
	k.recovery.last = err
	switch connected := k.media().State() == media.StateConnected; {
	case cut, !connected && err != nil:
		k.move(mediaLost)
		k.pathBroken()
	case connected && k.state.status != CallStatusConnected:
		k.mediaFound()
	}
	k.recover(recoveryReturned)
}
