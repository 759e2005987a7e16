package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// flowPolling is how often a step looks whether media flows again.
const flowPolling = 100 * time.Millisecond

// errStepTimeout is the cause of a step that took too long.
var errStepTimeout = errors.New("media does not flow within the time for a restart")

// beginStep begins a step beside the loop. On the loop.
func (k *Call) beginStep(step recoveryStep, attempt int) {
	r := k.recovery
	r.steps++
	mine := r.steps
	ctx, cancel := context.WithCancel(k.ctx)
	r.abort = cancel
	r.last = nil
	k.tellStep(RecoveryReinviteStarted, step, attempt)
	if step != stepRestart {
		k.renewing()
	}
	limit := r.pref.ICERestartTimeout
	k.c.workers.Go(func() {
		defer cancel()
		cut, err := k.runStep(ctx, step, limit, flows)
		k.c.post(func() {
			if r.steps == mine {
				k.stepEnded(step, attempt, err, cut)
			}
		})
	})
}

// runStep takes a step with the call's main leg.
func (k *Call) runStep(ctx context.Context, step recoveryStep, limit time.Duration, works func(since, now media.Stats) bool) (cut bool, err error) {
	return runStep(ctx, limit, k.Stats, works, func(ctx context.Context, sent func()) error { return k.exchangeFor(ctx, step, sent) })
}

// stepEnded takes in what became of a step. On the loop.
func (k *Call) stepEnded(step recoveryStep, attempt int, err error, cut bool) {
	if step != stepRestart {
		k.attaching = false
	}
	if k.state.status.ended() {
		return
	}
	if cut || k.media().State() != media.StateConnected {
		k.move(mediaLost)
		k.pathBroken()
	} else if k.state.status != CallStatusConnected { // the transports there were came back
		k.mediaFound()
	}
	if err == nil {
		k.quality.monitor.Relearn()
		k.quality.show()
		k.tellStep(RecoveryReinviteSucceeded, step, attempt)
		if step != stepRestart {
			held := k.held.Get()
			k.c.workers.Go(func() { k.restore(held) })
		}
		k.recover(stepSucceeded)
		return
	}
	k.stepFailed(step, attempt, err)
}

func (k *Call) stepFailed(step recoveryStep, attempt int, err error) {
	if connectionGone(err) || k.recovery.now.offline {
		k.tellStep(RecoveryReinviteFailed, step, attempt)
		k.recover(stepVoid)
		return
	}
	k.recovery.last = err
	k.tellStep(stepAction(err), step, attempt)
	k.report(&errs.RecoveryError{Action: "reinvite", Attempt: attempt, OriginalError: err}, false)
	if step != stepRestart && refusedForGood(err) {
		k.recover(stepHopeless)
		return
	}
	k.recover(stepFailed)
}

// stepAction is what tells of a step that ended with err.
func stepAction(err error) RecoveryAction {
	switch {
	case err == nil:
		return RecoveryReinviteSucceeded
	case errors.Is(err, errStepTimeout), errors.Is(err, context.DeadlineExceeded):
		return RecoveryReinviteTimeout
	}
	return RecoveryReinviteFailed
}

// restartICE is what errors call it.
const restartICE = "restart ICE"

// exchangeFor makes the exchange that a step consists of, and calls sent when its
// offer has been made.
func (k *Call) exchangeFor(ctx context.Context, step recoveryStep, sent func()) error {
	if step != stepRestart {
		return k.offerAgain(ctx, step == stepRenewRelay, sent)
	}
	return k.renegotiate(ctx, restartICE, func(ctx context.Context, leg *media.Leg) error {
		return k.negotiate(ctx, leg, noting(leg.Restart, sent))
	})
}

// runStep makes an exchange and returns when what came of it is as it should be,
// which works tells of the figures at the offer and now. The limit counts from its
// offer, which may have cut the leg off: the paths there were are gone with it, also
// where the transports have not told yet.
func runStep(ctx context.Context, limit time.Duration, stats func() media.Stats, works func(since, now media.Stats) bool, exchange func(ctx context.Context, sent func()) error) (cut bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var timer *time.Timer
	began := stats()
	err = exchange(ctx, func() {
		began = stats()
		timer = time.AfterFunc(limit, func() { cancel(errStepTimeout) })
	})
	if timer != nil {
		defer timer.Stop()
	}
	if err == nil {
		err = awaitWorking(ctx, stats, works, began)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return timer != nil && !hasPath(began, stats()), err
}

// noting calls made when an offer has been.
func noting(offer func(context.Context) (string, error), made func()) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		sdp, err := offer(ctx)
		if err == nil {
			made()
		}
		return sdp, err
	}
}

// awaitWorking returns when the figures are as they should be.
func awaitWorking(ctx context.Context, stats func() media.Stats, works func(since, now media.Stats) bool, since media.Stats) error {
	tick := time.NewTicker(flowPolling)
	defer tick.Stop()
	for !works(since, stats()) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// flows reports whether media flows on a path found since: there is one, and
// whatever is to be received arrives.
func flows(since, now media.Stats) bool {
	arrives := now.Audio.PacketsReceived > since.Audio.PacketsReceived || now.Video.PacketsReceived > since.Video.PacketsReceived
	due := now.Directions.Audio.Receives() || now.Directions.Video.Receives()
	return hasPath(since, now) && (arrives || !due)
}

// RequestKeyframe asks the far end for a picture that needs no other, as when one
// begins to watch. More than PreferenceValues.KeyframeMaxBurst of them in
// KeyframeBurstWindow would only make the far end worse: then, for
// KeyframeCooldown, it is a *errs.InvalidStateTransitionError. A call that
// receives no video returns a *errs.MediaTrackError.
func (k *Call) RequestKeyframe() error {
	if err := k.alive("request keyframe"); err != nil {
		return err
	}
	var result error
	if err := k.c.ask(k.ctx, func() { result = k.askKeyframe() }); err != nil {
		return err
	}
	return result
}

var errNoVideo = fmt.Errorf("the call receives no video: %w", errs.ErrUnsupported)

// askKeyframe does so. On the loop.
func (k *Call) askKeyframe() error {
	leg, p := k.media(), k.c.preferred()
	if leg == nil || !leg.Directions().Video.Receives() {
		return &errs.MediaTrackError{Operation: "request keyframe", Kind: "video", OriginalError: errNoVideo}
	}
	if !k.recovery.keyframes.pass(time.Now(), p.KeyframeMaxBurst, p.KeyframeBurstWindow, p.KeyframeCooldown) {
		return &errs.InvalidStateTransitionError{From: "waiting after a burst of requests", To: "request keyframe"}
	}
	return leg.RequestKeyframe()
}
