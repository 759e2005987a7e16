package session

import (
	"context"
	"errors"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// What a leg beside the main one does when its paths are lost: it looks for new
// ones, as often as a call does, with the pause of a call after each. It cannot have
// new transports, as the service attaches main legs only.

// An extraRepair is where that stands. The client's loop owns it.
type extraRepair struct {
	grace    *time.Timer // of a path that is lost; nil: it is not
	pause    *time.Timer // after an attempt; nil: there was none
	wanted   bool        // new paths are
	trying   bool        // and are looked for
	attempts int
	well     time.Time // since when there are some again
}

func (x *ExtraLeg) mediaState(s media.State) {
	switch s {
	case media.StateConnected:
		x.upOnce.Do(func() { close(x.up) })
		x.k.c.post(x.pathBack)
	case media.StateDisconnected:
		x.k.c.post(x.pathLost)
	case media.StateFailed:
		x.k.c.post(x.pathBroken)
	}
}

// isUp reports whether media has flowed; before that, who adds the leg decides.
func (x *ExtraLeg) isUp() bool {
	select {
	case <-x.up:
		return true
	default:
		return false
	}
}

// pathLost: the transports have lost the far end. That may pass. On the loop, like
// everything that follows.
func (x *ExtraLeg) pathLost() {
	if x.ended || x.repair.grace != nil || !x.isUp() {
		return
	}
	x.repair.grace = time.AfterFunc(x.k.c.preferred().ICEDisconnectedGrace, func() {
		x.k.c.post(func() {
			if x.repair.grace != nil {
				x.pathBroken()
			}
		})
	})
}

// stopTimers has nothing happen later.
func (r *extraRepair) stopTimers() {
	for _, t := range []*time.Timer{r.grace, r.pause} {
		if t != nil {
			t.Stop()
		}
	}
	r.grace, r.pause = nil, nil
}

// pathBack: they have found it again, by themselves or in a restart, which tells.
func (x *ExtraLeg) pathBack() {
	x.repair.stopTimers()
	if !x.repair.trying {
		x.repair.wanted = false
	}
}

// pathBroken: and they have not.
func (x *ExtraLeg) pathBroken() {
	if g := x.repair.grace; g != nil {
		g.Stop()
		x.repair.grace = nil
	}
	switch {
	case x.ended:
	case !x.isUp():
		x.fail(&errs.MediaTrackError{Operation: "connect", Kind: "video"})
	default:
		x.doubtPaths()
	}
}

// doubtPaths wants new paths.
func (x *ExtraLeg) doubtPaths() {
	r := &x.repair
	if x.ended || !x.isUp() || r.wanted {
		return
	}
	if time.Since(r.well) >= wellFor {
		r.attempts = 0
	}
	r.wanted = true
	x.restart()
}

// restart looks for new paths, as soon as the service can be asked.
func (x *ExtraLeg) restart() {
	r := &x.repair
	if x.ended || !r.wanted || r.trying || x.k.serviceAway() {
		return
	}
	p := x.k.c.preferred()
	if r.attempts >= p.MaxRecoveryAttempts {
		x.mediaLost(errStepTimeout)
		return
	}
	r.stopTimers()
	r.attempts++
	r.trying = true
	x.k.c.past.add(note{category: DiagnosticRecovery, what: string(RecoveryReinviteStarted), callID: x.k.id, more: map[string]any{"legId": x.id}})
	x.k.c.workers.Go(func() {
		_, err := runStep(x.ctx, p.ICERestartTimeout, x.leg.Stats, flows, func(ctx context.Context, sent func()) error {
			offer, err := x.leg.Restart(ctx)
			if err != nil {
				return err
			}
			sent()
			return x.k.modify(ctx, x.leg, offer, x.dialog(), x.verto)
		})
		x.k.c.post(func() { x.restarted(err) })
	})
}

// restarted takes in what became of it.
func (x *ExtraLeg) restarted(err error) {
	r := &x.repair
	r.trying = false
	switch {
	case x.ended:
	case err == nil && x.leg.State() == media.StateConnected:
		r.wanted, r.well = false, time.Now()
	case x.k.serviceAway() || connectionGone(err):
		r.attempts--
		x.restart()
	case errors.As(err, new(*errs.JSONRPCError)) || r.attempts >= x.k.c.preferred().MaxRecoveryAttempts:
		x.mediaLost(err)
	default: // what was looked for last may be found meanwhile
		r.pause = time.AfterFunc(x.k.c.preferred().RecoveryCooldown, func() { x.k.c.post(x.restart) })
	}
}

// mediaLost ends a leg whose media could not be restored.
func (x *ExtraLeg) mediaLost(err error) { x.fail(mediaLostAfter(x.repair.attempts, err)) }

// serviceAway reports whether the service cannot be asked, as far as is known.
func (k *Call) serviceAway() bool {
	return k.recovery.now.offline || k.c.lastStatus != StatusOnline || !k.c.Network().Online
}

// veilExtras stops sending the video of legs beside the main one, or goes on.
func (k *Call) veilExtras(veiled bool) {
	for _, x := range k.extraLegs() {
		if x.leg != nil && x.veiled != veiled {
			x.veiled = veiled
			x.leg.Withhold(media.KindVideo, veiled)
		}
	}
}
