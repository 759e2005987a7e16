package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// An inputBegin is what a call captures one kind of media with when it begins.
type inputBegin struct {
	kind        media.Kind
	capture     *capture      // nil: nothing is selected
	given       bool          // by the program: no device is captured from
	own         *deviceChoice // of the call; nil: the client's
	constraints media.Constraints
}

// capture opens what o wants to send and has no source for. A kind that cannot be
// captured is not sent, if something is left to do without it.
func (k *Call) capture(ctx context.Context, o *MediaOptions, i implication) ([]inputBegin, error) {
	if k.c.devices.provider == nil {
		return nil, nil
	}
	if err := errors.Join(o.AudioConstraints.Validate(), o.VideoConstraints.Validate()); err != nil {
		return nil, err
	}
	full := o.directions(i)
	o.ReceiveAudio, o.ReceiveVideo = onOff(full.Audio.Receives()), onOff(full.Video.Receives())
	var begun []inputBegin
	var lost []error
	for _, kind := range []media.Kind{media.KindAudio, media.KindVideo} {
		if !o.lacks(kind, i) {
			continue
		}
		b, on, err := k.captureKind(ctx, kind, o)
		if err != nil {
			lost = append(lost, accessError("acquire local media", kind, err))
		}
		if on {
			begun = append(begun, b)
		} else {
			o.turnOff(kind)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(lost) > 0 && (o.RequireLocalMedia || o.directions(i) == (media.Directions{})) {
		return nil, fatalAccess(lost)
	}
	k.c.post(func() {
		for _, err := range lost {
			k.report(err, false)
		}
	})
	return begun, nil
}

// captureKind opens one kind. It is false for one that is not to be sent.
func (k *Call) captureKind(ctx context.Context, kind media.Kind, o *MediaOptions) (b inputBegin, on bool, err error) {
	own := o.constraints(kind)
	b = inputBegin{kind: kind, constraints: k.c.constraints(kind, own)}
	d, input := k.c.devices, k.input(kind)
	d.ready(ctx)
	var choice deviceChoice
	off := false
	err = d.ask(func() {
		s := d.slots[input.device]
		choice, off = s.choice, s.off
		switch {
		case own != nil && own.DeviceID != "":
			choice = s.pin(own.DeviceID)
		case input.left != nil:
			choice = *input.left
			if here := remembered(s.list.Get(), choice.selected); here != nil {
				choice.selected = here
			}
		default:
			return
		}
		b.own = &choice
	})
	if err != nil || off {
		return b, false, err
	}
	if choice.none {
		o.setSource(kind, nil)
		return b, kind == media.KindAudio, nil
	}
	r, wanted := media.InputRequest{Kind: input.device, Constraints: b.constraints}, choice.selected
	if wanted != nil {
		r.Constraints.DeviceID, r.Constraints.PreferDeviceID = wanted.ID, ""
	}
	open, err := d.open(ctx, r)
	if err != nil {
		return b, false, err
	}
	b.capture = input.opened(open, wanted, b.constraints)
	o.setSource(kind, b.capture)
	return b, true, nil
}

// captured has the call's inputs follow what is selected.
func (k *Call) captured(begun []inputBegin) {
	k.c.post(func() {
		for _, b := range begun {
			k.input(b.kind).begin(b)
		}
	})
}

// lacks reports whether a kind is to be sent and has no source.
func (o *MediaOptions) lacks(kind media.Kind, i implication) bool {
	if kind == media.KindVideo {
		return o.VideoSource == nil && o.Video.Or(i.video)
	}
	return o.AudioSource == nil && o.Audio.Or(i.audio)
}

func (o *MediaOptions) turnOff(kind media.Kind) {
	if kind == media.KindVideo {
		o.Video = media.Off
	} else {
		o.Audio = media.Off
	}
}

// setSource sets what is captured; nil is a device that is not there yet.
func (o *MediaOptions) setSource(kind media.Kind, c *capture) {
	switch {
	case kind == media.KindVideo && c != nil:
		o.VideoSource = c
	case kind == media.KindAudio && c != nil:
		o.AudioSource = c
	case kind == media.KindAudio:
		o.AudioSource = noMicrophone{media.NewSilence()}
	}
}

func (o *MediaOptions) constraints(kind media.Kind) *media.Constraints {
	if kind == media.KindVideo {
		return o.VideoConstraints
	}
	return o.AudioConstraints
}

// fatalAccess says that there is no call without what was lost.
func fatalAccess(lost []error) *errs.MediaAccessError {
	var first *errs.MediaAccessError
	errors.As(lost[0], &first)
	e := *first
	e.Fatal = true
	if len(lost) > 1 {
		e.Media, e.OriginalError = "audiovideo", errors.Join(lost...)
	}
	return &e
}

func onOff(on bool) media.Toggle { return toggleOf(&on) }

// addInput opens the selected device for a call that has not sent the kind, or has
// sent something else. One that captures from it already is to follow what is selected.
func (k *Call) addInput(ctx context.Context, kind media.Kind) (b inputBegin, same bool, err error) {
	o, i := &MediaOptions{}, k.input(kind)
	err = k.c.devices.ask(func() {
		s := k.c.devices.slots[i.device]
		same = !s.off && s.choice.selected != nil && i.captures(s.choice.selected)
		if same {
			i.given, i.own = false, nil
		}
	})
	if err != nil || same {
		return b, same, err
	}
	b, on, err := k.captureKind(ctx, kind, o)
	switch {
	case err != nil:
		return b, false, accessError("add input device", kind, err)
	case !on || b.capture == nil:
		return b, false, &errs.InvalidParamsError{Param: "source", Reason: "is nil, and no " + kind.String() + " input is selected or enabled"}
	}
	return b, false, nil
}
