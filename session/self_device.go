package session

import (
	"context"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// SelectDeviceOptions say what selecting a device for a call does beside that. The
// zero value is nothing.
type SelectDeviceOptions struct {
	// SavePreference makes the device the preferred one of its kind as well, which is
	// chosen when nothing else is selected. Nil is none preferred.
	SavePreference bool
}

// SelectAudioInput has this call capture from a microphone, whatever Client.Devices
// selects from then on, as it is muted or not and without a word to the service. Nil
// is no microphone: silence is sent. When the device vanishes another takes its place,
// and when it comes back it is captured again, which Devices.ObserveRecovered tells
// with the call's id. AddAudioInputDevice without source has the call follow the client
// again.
//
// It returns when the device is captured. One that cannot be opened is an
// *errs.MediaAccessError and leaves what the call has, as does one of another kind or
// without provider, an *errs.InvalidParamsError, and a call that neither sends audio
// nor has a device for it, an *errs.InvalidStateTransitionError. A source of the
// program's that it takes the place of stays open and the program's.
func (s *SelfParticipant) SelectAudioInput(ctx context.Context, device *media.Device, o SelectDeviceOptions) error {
	return s.prefer(media.DeviceAudioInput, device, o, s.k.selectInput(ctx, s.k.input(media.KindAudio), copyOf(device)))
}

// SelectVideoInput has this call capture from a camera; see SelectAudioInput. Nil is no
// picture.
func (s *SelfParticipant) SelectVideoInput(ctx context.Context, device *media.Device, o SelectDeviceOptions) error {
	return s.prefer(media.DeviceVideoInput, device, o, s.k.selectInput(ctx, s.k.input(media.KindVideo), copyOf(device)))
}

// prefer makes a device that could be selected the preferred one too, if it is to be.
func (s *SelfParticipant) prefer(kind media.DeviceKind, device *media.Device, o SelectDeviceOptions, selected error) error {
	if selected != nil || !o.SavePreference {
		return selected
	}
	return s.k.c.preferences.Update(func(p *PreferenceValues) { *p.preferredDevice(kind) = device })
}

func (k *Call) selectInput(ctx context.Context, i *callInput, device *media.Device) error {
	leg, err := k.inputTurn(ctx, i, "select "+i.kind.String()+" input")
	if err != nil {
		return err
	}
	defer i.turn.give()
	var b inputBegin
	done := false
	if asked := k.c.devices.ask(func() { b, done, err = i.selected(device) }); asked != nil {
		return asked
	}
	if err != nil || done {
		return err
	}
	ctx, cancel := k.within(ctx)
	defer cancel()
	b.capture, err = i.open(inputWish{ctx: ctx, device: b.own.selected, constraints: b.constraints})
	if err != nil {
		return accessError("select input device", i.kind, causeOf(ctx, err))
	}
	_, before, err := k.takeInput(leg, b.capture, b)
	if err != nil {
		before.capture = b.capture
	}
	if before.capture != nil {
		k.c.shut(before.capture)
	}
	return err
}

// inputTurn waits for what else the program does to an input, and returns the leg that
// sends what is captured.
func (k *Call) inputTurn(ctx context.Context, i *callInput, operation string) (*media.Leg, error) {
	if err := k.alive(operation); err != nil {
		return nil, err
	}
	leg := k.media()
	switch {
	case leg == nil:
		return nil, &errs.InvalidStateTransitionError{From: k.Status().String(), To: operation}
	case k.c.devices.provider == nil:
		return nil, &errs.InvalidParamsError{Param: "device", Reason: "cannot be: the client has no provider of devices"}
	}
	ctx, cancel := k.within(ctx)
	defer cancel()
	return leg, i.turn.take(ctx)
}

// selected begins to have the call capture from a device of its own, and is done with
// that if nothing is to be opened. On the loop.
func (i *callInput) selected(device *media.Device) (b inputBegin, done bool, err error) {
	device, err = i.k.c.devices.slots[i.device].selectable(device)
	if err != nil {
		return b, true, err
	}
	if i.given && !i.k.wantedDirections().Of(i.kind).Sends() {
		return b, true, &errs.InvalidStateTransitionError{From: "sending no " + i.kind.String(), To: "select " + i.kind.String() + " input"}
	}
	own := i.choice().choose(device)
	b = inputBegin{kind: i.kind, own: &own, constraints: i.constraints}
	if i.given {
		b.constraints = i.k.c.constraints(i.kind, nil)
	}
	off := device == nil || i.k.c.devices.slots[i.device].off
	switch {
	case !off && !i.captures(device):
		return b, false, nil
	case off && i.given:
		err = i.send(nil)
	}
	if err == nil {
		i.given, i.own, i.constraints = false, b.own, b.constraints
		i.follow()
		i.k.rewrite()
	}
	return b, true, err
}
