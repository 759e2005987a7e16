package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// SelectAudioOutput has this call play on a loudspeaker, whatever Client.Devices selects
// from then on. Nil is none: what arrives is heard nowhere. When the loudspeaker
// vanishes another takes its place, and when it comes back the call plays there again,
// which Devices.ObserveRecovered tells with the call's id. This is so for as long as the
// call's sink is in use: a process that takes the call up plays where that one's sink
// does.
//
// It returns when the loudspeaker is open. One that cannot be opened is an
// *errs.MediaAccessError and changes nothing, as does a device of another kind, an
// *errs.InvalidParamsError. A call whose AudioSink is not of Devices.OpenSelectedOutput
// has no loudspeaker that could be another, an *errs.InvalidStateTransitionError.
func (s *SelfParticipant) SelectAudioOutput(ctx context.Context, device *media.Device, o SelectDeviceOptions) error {
	return s.prefer(media.DeviceAudioOutput, device, o, s.k.selectOutput(ctx, copyOf(device)))
}

func (k *Call) selectOutput(ctx context.Context, device *media.Device) error {
	const operation = "select audio output"
	if err := k.alive(operation); err != nil {
		return err
	}
	o := k.output()
	if o == nil {
		return &errs.InvalidStateTransitionError{From: "AudioSink is not of Devices.OpenSelectedOutput", To: operation}
	}
	ctx, cancel := k.within(ctx)
	defer cancel()
	return o.choose(ctx, device)
}

// output is the loudspeaker that the call plays on; nil: it plays on none that is
// selected.
func (k *Call) output() *selectedOutput {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.loudspeaker
}

// choose has the loudspeaker be one that its call selects for itself.
func (o *selectedOutput) choose(ctx context.Context, device *media.Device) error {
	if err := o.turn.take(ctx); err != nil {
		return err
	}
	defer o.turn.give()
	slot := o.d.slots[media.DeviceAudioOutput]
	var refused error
	if err := o.d.ask(func() { device, refused = slot.selectable(device) }); err != nil || refused != nil {
		return errors.Join(err, refused)
	}
	if err := o.follow(ctx, device); err != nil {
		o.changed() // what was lost before is tried again
		return accessError("select output device", media.KindAudio, causeOf(ctx, err))
	}
	return o.d.ask(func() {
		choice, _ := o.choice()
		o.decide(choice.choose(device))
	})
}

// settle has the call's own choice be one by the devices there are. On the loop.
func (o *selectedOutput) settle(callID string) {
	if choice, own := o.choice(); own {
		choice, _ = o.d.settled(o.d.slots[media.DeviceAudioOutput], choice, callID)
		o.decide(choice)
	}
}

// choice is what is selected, by the call itself or for all. On the loop.
func (o *selectedOutput) choice() (choice deviceChoice, own bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.own != nil {
		return *o.own, true
	}
	return o.d.slots[media.DeviceAudioOutput].choice, false
}

func (o *selectedOutput) decide(choice deviceChoice) {
	o.mu.Lock()
	o.own = &choice
	o.mu.Unlock()
	o.changed()
}

// selected is what is to be played on; nil: none.
func (o *selectedOutput) selected() *media.Device {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.own != nil {
		return o.own.selected
	}
	return o.d.slots[media.DeviceAudioOutput].selected.Get()
}
