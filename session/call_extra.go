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
	once   sync.Once
	upOnce sync.Once

	// The client's loop owns these.
	answered bool
	err      error // why it ended
}

// ShareScreen sends source as a screen, with what o adds (its VideoSource and
// directions are not looked at), and returns when its media flows. One screen at
// a time: another is a *errs.InvalidStateTransitionError. A failure leaves the
// call as it was.
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
// source ended, or because the service ended it.
func (x *ExtraLeg) Done() <-chan struct{} { return x.done }

// Stop ends the leg and tells the service. The call goes on. Stopping again is
// harmless.
func (x *ExtraLeg) Stop(ctx context.Context) error {
	select {
	case <-x.done:
		return nil
	default:
	}
	x.became(ScreenShareStopping)
	_, err := x.verto(ctx, wire.VertoBye, wire.VertoParams{Dialog: x.dialog()})
	_ = x.k.c.ask(context.Background(), func() { x.end(nil) })
	<-x.done
	var refused *errs.JSONRPCError
	if errors.As(err, &refused) { // the service had ended it already
		return nil
	}
	return err
}

func (k *Call) addLeg(ctx context.Context, source media.Source, o MediaOptions, screen bool) (*ExtraLeg, error) {
	what := map[bool]string{true: "share screen", false: "add video"}[screen]
	if err := k.alive(what); err != nil {
		return nil, err
	}
	if source == nil {
		return nil, &errs.InvalidParamsError{Param: "source", Reason: "is nil: there is nothing to send"}
	}
	x := &ExtraLeg{k: k, id: uuid.NewString(), screen: screen, done: make(chan struct{}), up: make(chan struct{})}
	taken := false
	if err := k.c.ask(ctx, func() { taken = !k.c.addExtra(x) }); err != nil {
		return nil, err
	}
	if taken {
		return nil, &errs.InvalidStateTransitionError{From: "sharing", To: what}
	}
	if err := x.start(ctx, source, o); err != nil {
		_, _ = x.verto(k.ctx, wire.VertoBye, wire.VertoParams{Dialog: x.dialog()})
		_ = k.c.ask(context.Background(), func() { x.end(err) })
		<-x.done
		return nil, err
	}
	x.became(ScreenShareStarted)
	return x, nil
}

// start makes the media, offers it and waits until it flows.
func (x *ExtraLeg) start(ctx context.Context, source media.Source, o MediaOptions) error {
	cfg := x.k.legConfig(o, media.Directions{Video: media.SendOnly})
	cfg.AudioSource, cfg.AudioSink, cfg.VideoSink, cfg.VideoSource = nil, nil, nil, source
	cfg.OnState = x.mediaState
	cfg.OnDigit, cfg.Voice = nil, nil
	cfg.OnSourceEnd = func(media.Kind) { go func() { _ = x.Stop(x.k.ctx) }() } // Stop ends with the call
	leg, err := media.NewLeg(cfg)
	if err != nil {
		return err
	}
	if err := x.k.c.ask(ctx, func() { x.leg = leg }); err != nil {
		_ = leg.Close()
		return err
	}
	offer, err := leg.Offer(ctx)
	if err != nil {
		return causeOf(ctx, err)
	}
	reply, err := x.verto(ctx, wire.VertoInvite, wire.VertoParams{Dialog: x.dialog(), SDP: offer})
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
		return errors.Join(errors.New("the leg ended before its media flowed"), x.err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// verto sends a request of this leg by way of the call.
func (x *ExtraLeg) verto(ctx context.Context, method string, p wire.VertoParams) (wire.VertoReply, error) {
	env := wire.VertoEnvelope{
		CallID:  x.id,
		Message: wire.VertoRequest{JSONRPC: "2.0", ID: uuid.NewString(), Method: method, Params: p},
	}
	if x.screen && method == wire.VertoInvite {
		env.Subscribe = []string{"video.room.screenshare"}
	}
	if err := x.k.c.ask(ctx, func() { env.NodeID = x.k.nodeID }); err != nil {
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
				x.k.c.post(func() { x.end(err) })
			}
		})
	case wire.VertoBye:
		x.end(byeReason(m))
	}
}

func (x *ExtraLeg) mediaState(s media.State) {
	switch s {
	case media.StateConnected:
		x.upOnce.Do(func() { close(x.up) })
	case media.StateFailed:
		x.k.c.post(func() { x.end(&errs.MediaTrackError{Operation: "connect", Kind: "video"}) })
	}
}

// end releases the leg. On the loop.
func (x *ExtraLeg) end(why error) {
	x.once.Do(func() {
		x.err = why
		delete(x.k.c.extras, x.id)
		x.show(ScreenShareNone)
		leg := x.leg
		x.k.jobs.Do(func() {
			if leg != nil {
				_ = leg.Close()
			}
			close(x.done)
		})
	})
}

// addExtra registers a leg before its invite is sent. It refuses a second
// screen, and any for a call that is over. On the loop.
func (c *Client) addExtra(x *ExtraLeg) bool {
	for _, other := range c.extras {
		if other.k == x.k && other.screen && x.screen {
			return false
		}
	}
	if x.k.state.status.ended() {
		return false
	}
	c.extras[x.id] = x
	x.show(ScreenShareStarting)
	return true
}

// endExtras ends what a call sent beside its main leg. On the loop.
func (k *Call) endExtras(why error) {
	for _, x := range k.c.extras {
		if x.k == k {
			x.end(why)
		}
	}
}
