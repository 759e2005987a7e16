package session

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// SetAudioInputConstraints changes how this call captures from its microphone: what c
// says, and what it leaves open as before. Its DeviceID and PreferDeviceID do not count;
// SelectAudioInput does that. The device is opened anew, and the one before is closed
// when the new one is sent; one that cannot be open twice is closed first. While nothing
// is captured it is about what will be.
//
// What the device cannot do is an *errs.MediaTrackError around an
// *errs.OverconstrainedError; the call captures as before then, and so it does after
// any other error. Constraints that cannot be are an *errs.ConfigError. A call that
// sends a source of the program's, or nothing, has no device to constrain: an
// *errs.InvalidStateTransitionError.
func (s *SelfParticipant) SetAudioInputConstraints(ctx context.Context, c media.Constraints) error {
	return s.k.setConstraints(ctx, s.k.input(media.KindAudio), c)
}

// SetVideoInputConstraints does the same for the camera.
func (s *SelfParticipant) SetVideoInputConstraints(ctx context.Context, c media.Constraints) error {
	return s.k.setConstraints(ctx, s.k.input(media.KindVideo), c)
}

// SetInputConstraints does both, audio first; nil leaves a kind as it is. A failure of
// one does not keep the other from being tried.
func (s *SelfParticipant) SetInputConstraints(ctx context.Context, audio, video *media.Constraints) error {
	var failed []error
	if audio != nil {
		failed = append(failed, s.SetAudioInputConstraints(ctx, *audio))
	}
	if video != nil {
		failed = append(failed, s.SetVideoInputConstraints(ctx, *video))
	}
	return errors.Join(failed...)
}

// An AudioConstraintsChange tells how a call captures from its microphone from now on.
type AudioConstraintsChange struct {
	Constraints media.Constraints // without the device
	Time        time.Time
}

// ObserveAudioConstraintsChanges delivers each change of how this call captures from
// its microphone, whoever wanted it, when it is done: an event stream without replay.
// What is wanted as it is already is no change.
func (k *Call) ObserveAudioConstraintsChanges() observable.Of[AudioConstraintsChange] {
	return k.tuned.Observe()
}

// tell tells that a device is captured from otherwise than the one before. On the loop.
func (i *callInput) tell(c *capture) {
	now, first := i.constraints, i.told == nil
	switch {
	case c != nil:
		now = c.constraints
	case !first:
		return
	}
	now.DeviceID, now.PreferDeviceID = "", ""
	changed := !first && !reflect.DeepEqual(*i.told, now)
	i.told = now.Clone()
	if changed && i.kind == media.KindAudio {
		i.k.tuned.Publish(AudioConstraintsChange{Constraints: *now.Clone(), Time: time.Now()})
	}
}

// A recapture is a device that a call is about to capture from otherwise.
type recapture struct {
	i             *callInput
	old           *capture // nil: there is nothing to open
	device        *media.Device
	before, after media.Constraints
	version       uint64 // of the input: with another one it captures from something else
}

func (k *Call) setConstraints(ctx context.Context, i *callInput, c media.Constraints) error {
	if err := c.Validate(); err != nil {
		return err
	}
	_, err := k.inputTurn(ctx, i, "set "+i.kind.String()+" input constraints")
	if err != nil {
		return err
	}
	defer i.turn.give()
	var r recapture
	if asked := k.c.devices.ask(func() { r, err = i.recapture(c) }); asked != nil {
		return asked
	}
	if err != nil || r.old == nil {
		return err
	}
	within, cancel := k.within(ctx)
	defer cancel()
	fresh, err := r.open(within, r.after)
	switch {
	case errors.As(err, new(*errs.MediaAccessError)) && mayPass(err):
		err = r.anew(within)
	default:
		err = r.take(fresh, err)
	}
	if err != nil {
		return &errs.MediaTrackError{Operation: "set input constraints", Kind: i.kind.String(), OriginalError: causeOf(within, err)}
	}
	return nil
}

// recapture begins to capture otherwise. What is opened from now on is opened so. On
// the loop.
func (i *callInput) recapture(c media.Constraints) (recapture, error) {
	if i.given {
		return recapture{}, &errs.InvalidStateTransitionError{From: "capturing no " + i.kind.String(), To: "set input constraints"}
	}
	c.DeviceID, c.PreferDeviceID = "", ""
	r := recapture{i: i, before: i.constraints, after: c.Or(i.constraints)}
	i.constraints = r.after
	switch {
	case i.switching: // what is being opened is opened once more
		i.version++
		i.interrupt()
	case i.now != nil && !i.now.over:
		r.old, r.device, r.version = i.now, i.now.device, i.version
		if r.device == nil {
			r.device = i.now.meant
		}
	}
	return r, nil
}

// open opens the device so, or not at all.
func (r recapture) open(ctx context.Context, c media.Constraints) (*capture, error) {
	q := media.InputRequest{Kind: r.i.device, Constraints: c, KeepDevice: true, KeepConstraints: true}
	q.Constraints.DeviceID, q.Constraints.PreferDeviceID = "", ""
	if r.device != nil {
		q.Constraints.DeviceID = r.device.ID
	}
	in, err := r.i.k.c.devices.open(ctx, q)
	if err != nil {
		return nil, err
	}
	return r.i.opened(in, r.device, c), nil
}

// take puts what was opened in the place of what was captured.
func (r recapture) take(fresh *capture, err error) error {
	done := fresh
	asked := r.i.k.c.ask(context.Background(), func() {
		switch {
		case r.version != r.i.version: // something else is captured by now
			err = nil
			return
		case err == nil:
			err = r.i.send(fresh)
		}
		if err != nil {
			r.i.constraints = r.before
			return
		}
		done, r.i.now = r.i.now, fresh
		r.i.tell(fresh)
	})
	if done != nil {
		r.i.k.c.shut(done)
	}
	return errors.Join(asked, err)
}

// anew closes a device that cannot be open twice, and opens it as it should be or, if
// that cannot be, as it was.
func (r recapture) anew(ctx context.Context) error {
	i, mine := r.i, false
	err := i.k.c.ask(context.Background(), func() {
		if mine = r.version == i.version && i.now == r.old; mine {
			i.switching, i.now = true, nil // nobody else opens anything meanwhile
			_ = i.send(nil)
		}
	})
	if err != nil || !mine {
		return err
	}
	i.k.c.shut(r.old)
	fresh, err := r.open(ctx, r.after)
	restored := err
	if err != nil {
		within, cancel := i.k.within(context.WithoutCancel(ctx))
		defer cancel()
		fresh, restored = r.open(within, r.before)
	}
	return errors.Join(err, r.settle(fresh, err == nil, restored))
}

// settle ends what anew has begun.
func (r recapture) settle(fresh *capture, changed bool, restored error) error {
	i := r.i
	asked := i.k.c.ask(context.Background(), func() {
		i.switching = false
		defer i.k.grant()
		if !changed {
			i.constraints = r.before
		}
		if r.version != i.version || i.k.state.status.ended() {
			i.follow()
			return
		}
		if i.target, i.aimed = r.device, true; restored != nil {
			i.failed(restored)
			return
		}
		if restored = i.send(fresh); restored == nil {
			i.tell(fresh)
			i.now, fresh = fresh, nil
		}
	})
	if fresh != nil {
		i.k.c.shut(fresh)
	}
	return asked
}
