package session

import (
	"context"
	"errors"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
	"github.com/google/uuid"
)

// An ExtraLeg is a further stream that a call sends beside its main one: a
// screen, or another camera. In a room it is a member of its own.
type ExtraLeg struct {
	k      *Call
	id     string
	screen bool
	leg    *media.Leg
	done   chan struct{} // closed when nothing is left of it
	up     chan struct{} // closed when its media is connected
	upOnce sync.Once
	ctx    context.Context // ends with the leg
	cancel context.CancelFunc

	// The client's loop owns these.
	repair   extraRepair
	veiled   bool // the program is suspended
	known    bool // the service may know of it: an end is told
	answered bool
	ended    bool
	err      error // why it ended
}

// ShareScreen sends source as a screen, with what o adds (its VideoSource and
// directions are not looked at), and returns when its media flows; if ctx has no
// deadline, within six seconds. One screen at a time: another is a
// *errs.InvalidStateTransitionError. A failure leaves the call as it was, and
// closes source if it is an io.Closer.
func (k *Call) ShareScreen(ctx context.Context, source media.Source, o MediaOptions) (*ExtraLeg, error) {
	return k.addLeg(ctx, source, o, true)
}

// AddVideo sends source as an additional device; see ShareScreen.
func (k *Call) AddVideo(ctx context.Context, source media.Source, o MediaOptions) (*ExtraLeg, error) {
	return k.addLeg(ctx, source, o, false)
}

// ID names the leg on the wire.
func (x *ExtraLeg) ID() string { return x.id }

// Done is closed when the leg has ended: by Stop, with the call, because its
// source ended, because the service ended it, or because the service has opened a new
// session, to which it cannot be attached as the call is: add it again then.
func (x *ExtraLeg) Done() <-chan struct{} { return x.done }

// Err is nil while the leg lives, and after Stop and the end of its source. Otherwise
// it is why the leg ended: a *errs.CallEndedError, retryable if it was a new session or
// if its media was lost and could not be restored, or what failed.
func (x *ExtraLeg) Err() error {
	select {
	case <-x.done:
		return x.err
	default:
		return nil
	}
}

// Stop ends the leg and tells the service. The call goes on. Stopping again is
// harmless.
func (x *ExtraLeg) Stop(ctx context.Context) error {
	select {
	case <-x.done:
		return nil
	default:
	}
	x.became(ScreenShareStopping)
	err := x.bye(ctx)
	_ = x.k.c.ask(context.Background(), func() { x.end(nil) })
	<-x.done
	return err
}

// bye tells the service that the leg is over, if it knows of it. A refusal means
// that it was over there already.
func (x *ExtraLeg) bye(ctx context.Context) error {
	known := false
	if x.k.c.ask(ctx, func() { known, x.known = x.known, false }) != nil || !known {
		return nil
	}
	_, err := x.verto(ctx, wire.VertoBye, wire.VertoParams{Dialog: x.dialog()})
	if errors.As(err, new(*errs.JSONRPCError)) {
		return nil
	}
	return err
}

func (k *Call) addLeg(ctx context.Context, source media.Source, o MediaOptions, screen bool) (*ExtraLeg, error) {
	o.AudioSource, o.AudioSink, o.VideoSink, o.VideoSource = nil, nil, nil, source
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, dialTimeout)
		defer cancel()
	}
	x := &ExtraLeg{k: k, id: uuid.NewString(), screen: screen, done: make(chan struct{}), up: make(chan struct{})}
	x.ctx, x.cancel = context.WithCancel(k.ctx)
	if err := x.register(ctx, source); err != nil {
		o.release(k.c)
		return nil, err
	}
	if err := x.start(ctx, o); err != nil {
		x.farewell()
		_ = k.c.ask(context.Background(), func() { x.end(err) })
		<-x.done
		return nil, err
	}
	x.became(ScreenShareStarted)
	return x, nil
}

// register makes the leg one of the call's.
func (x *ExtraLeg) register(ctx context.Context, source media.Source) error {
	what := map[bool]string{true: "share screen", false: "add video"}[x.screen]
	if err := x.k.alive(what); err != nil {
		return err
	}
	if source == nil {
		return &errs.InvalidParamsError{Param: "source", Reason: "is nil: there is nothing to send"}
	}
	taken := false
	if err := x.k.c.ask(ctx, func() { taken = !x.k.c.addExtra(x) }); err != nil {
		x.k.c.post(func() { x.end(err) }) // if it came so far
		return err
	}
	if taken {
		return &errs.InvalidStateTransitionError{From: "sharing", To: what}
	}
	return nil
}

// openMedia makes the leg's media, unless it has ended meanwhile: then nobody
// else would close it.
func (x *ExtraLeg) openMedia(o MediaOptions) (*media.Leg, error) {
	cfg := x.k.legConfig(x.id, o, media.Directions{Video: media.SendOnly}, x.k.c.preferred())
	cfg.OnState = x.mediaState
	cfg.Voice, cfg.Meter = nil, nil                                            // those of the call are its main leg's
	cfg.OnSourceEnd = func(media.Kind) { go func() { _ = x.Stop(x.k.ctx) }() } // Stop ends with the call
	leg, err := media.NewLeg(cfg)
	if err != nil {
		o.release(x.k.c)
		return nil, err
	}
	over := true
	err = x.k.c.ask(context.Background(), func() {
		if over = x.ended; !over {
			x.leg = leg
		}
	})
	if err != nil || over {
		_ = leg.Close()
		return nil, x.over()
	}
	x.k.sends(x.id, "opened", x.kind(), o.VideoSource)
	return leg, nil
}

// kind is what the leg sends, for diagnostics.
func (x *ExtraLeg) kind() string {
	if x.screen {
		return "screen"
	}
	return input(media.KindVideo)
}

// over is the error of a leg that ended before its media flowed.
func (x *ExtraLeg) over() error {
	<-x.done
	return errors.Join(errors.New("the leg ended before its media flowed"), x.err)
}

// start makes the media, offers it and waits until it flows.
func (x *ExtraLeg) start(ctx context.Context, o MediaOptions) error {
	leg, err := x.openMedia(o)
	if err != nil {
		return err
	}
	offer, err := leg.Offer(ctx)
	if err != nil {
		return causeOf(ctx, err)
	}
	reply, err := x.verto(ctx, wire.VertoInvite, wire.VertoParams{Dialog: x.dialog(), SDP: offer})
	if errors.As(err, new(*errs.JSONRPCError)) {
		x.k.c.post(func() { x.known = false })
	}
	if err != nil {
		return err
	}
	if reply.Result.Result.Message != wire.VertoCreated {
		return &errs.UnexpectedError{At: wire.VertoInvite, OriginalError: errors.New("the answer was not " + wire.VertoCreated)}
	}
	select {
	case <-x.up:
		return nil
	case <-x.done:
		return x.over()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// farewell is bye, bounded, by a leg that is over either way.
func (x *ExtraLeg) farewell() {
	ctx, cancel := context.WithTimeout(context.Background(), byeTimeout)
	defer cancel()
	_ = x.bye(ctx)
}

// verto sends a request of this leg by way of the call.
func (x *ExtraLeg) verto(ctx context.Context, method string, p wire.VertoParams) (wire.VertoReply, error) {
	env := wire.VertoEnvelope{
		CallID:  x.id,
		Message: wire.VertoRequest{JSONRPC: "2.0", ID: uuid.NewString(), Method: method, Params: p},
	}
	invite := method == wire.VertoInvite
	if invite && x.screen {
		env.Subscribe = []string{"video.room.screenshare"}
	}
	if !invite { // the leg belongs to its call now, which is the one that the envelope names
		env.CallID = x.k.id
	}
	env.NodeID = x.k.NodeID()
	err := x.k.c.ask(ctx, func() {
		if invite && !x.known {
			x.known = true
			x.k.rewrite()
		}
	})
	if err != nil {
		return wire.VertoReply{}, err
	}
	return x.k.c.verto(ctx, env)
}

func (x *ExtraLeg) dialog() *wire.DialogParams {
	d := x.k.dialog()
	other := !x.screen
	d.CallID, d.ScreenShare, d.AdditionalDevice = x.id, &x.screen, &other
	return d
}

// message takes in what the service says of this leg. On the loop.
func (x *ExtraLeg) message(m wire.VertoMessage) {
	switch m.Method {
	case wire.VertoAnswer, wire.VertoMedia:
		if m.SDP == "" || x.answered || x.leg == nil {
			return
		}
		x.answered = true
		x.k.jobs.Do(func() {
			if err := x.leg.Accept(x.k.ctx, m.SDP); err != nil {
				x.k.c.post(func() { x.fail(err) })
			}
		})
	case wire.VertoBye:
		x.known = false
		x.end(x.k.c.byeReason(m))
	}
}

// fail ends the leg for an error of its own. On the loop.
func (x *ExtraLeg) fail(cause error) {
	x.end(cause)
	x.k.c.workers.Go(x.farewell)
}

// end releases the leg. On the loop.
func (x *ExtraLeg) end(why error) {
	if x.ended {
		return
	}
	x.ended, x.err = true, why
	x.cancel()
	x.repair.stopTimers()
	delete(x.k.c.extras, x.id)
	x.k.rewrite()
	x.show(ScreenShareNone)
	leg := x.leg
	x.k.jobs.Do(func() {
		if leg != nil {
			_ = leg.Close()
			x.k.sends(x.id, "stopped", x.kind(), nil)
		}
		close(x.done)
	})
}
