package session

import (
	"context"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// SelectAudioInput has calls use a microphone, those that run included, and enables
// it. Nil is no microphone: calls send silence until one is selected. With the
// preference PersistDeviceSelection the next process of the same Storage selects it
// too; nil erases that. A device of another kind, or one without ID that is not in
// the list, is an *errs.InvalidParamsError. A call that cannot use the device keeps
// the one it has, and tells on its ObserveErrors.
func (d *Devices) SelectAudioInput(device *media.Device) error {
	return d.choose(media.DeviceAudioInput, device)
}

// SelectAudioOutput selects the loudspeaker that OpenSelectedOutput opens. What is
// open already does not move.
func (d *Devices) SelectAudioOutput(device *media.Device) error {
	return d.choose(media.DeviceAudioOutput, device)
}

// SelectVideoInput has calls use a camera; see SelectAudioInput. Nil is no picture.
func (d *Devices) SelectVideoInput(device *media.Device) error {
	return d.choose(media.DeviceVideoInput, device)
}

func (d *Devices) choose(kind media.DeviceKind, device *media.Device) error {
	if problem := deviceOf(kind)(device); problem != "" {
		return &errs.InvalidParamsError{Param: "device", Reason: problem}
	}
	var refused error
	err := d.ask(func() {
		s := d.slots[kind]
		if here := remembered(s.list.Get(), device); here != nil {
			device = here
		}
		if device != nil && device.ID == "" {
			refused = &errs.InvalidParamsError{Param: "device", Reason: "is not there, and has no ID"}
			return
		}
		s.choice = s.choice.choose(copyOf(device))
		s.off = s.off && device == nil
		d.keep(s)
		d.show(s, "")
		d.follow(kind)
	})
	if err != nil {
		return err
	}
	return refused
}

// DisableAudioInput has calls capture no microphone: those that run send silence,
// and new ones no audio at all. Disabling it again does nothing.
func (d *Devices) DisableAudioInput() error { return d.disable(media.DeviceAudioInput) }

// EnableAudioInput takes DisableAudioInput back: the device from before is selected
// again, or the first that there is.
func (d *Devices) EnableAudioInput() error { return d.enable(media.DeviceAudioInput) }

// DisableVideoInput has calls capture no camera; see DisableAudioInput.
func (d *Devices) DisableVideoInput() error { return d.disable(media.DeviceVideoInput) }

// EnableVideoInput takes DisableVideoInput back.
func (d *Devices) EnableVideoInput() error { return d.enable(media.DeviceVideoInput) }

func (d *Devices) disable(kind media.DeviceKind) error {
	return d.ask(func() {
		s := d.slots[kind]
		if s.off {
			return
		}
		s.off = true
		d.show(s, "")
		d.follow(kind)
	})
}

func (d *Devices) enable(kind media.DeviceKind) error {
	return d.ask(func() {
		s := d.slots[kind]
		if !s.off {
			return
		}
		s.off, s.choice.none = false, false
		d.settle(s)
		d.follow(kind)
	})
}

// ClearState forgets what was selected, now and before, here and in the Storage,
// enables what is disabled and lists the devices anew, of which the first or the
// preferred ones are selected then. Running calls go on meanwhile.
func (d *Devices) ClearState(ctx context.Context) error {
	if err := d.ask(d.forget); err != nil {
		return err
	}
	return d.Enumerate(ctx)
}

// forget is ClearState without the list. What is being loaded comes too late. On the
// loop.
func (d *Devices) forget() {
	d.era++
	for _, kind := range deviceKinds {
		s := d.slots[kind]
		s.choice, s.off = deviceChoice{}, false
		d.keep(s)
		d.show(s, "")
	}
	d.schedule()
}

// ask runs do on the client's loop, which it starts if need be.
func (d *Devices) ask(do func()) error {
	if d.c.ctx.Err() != nil {
		return errs.ErrClosed
	}
	d.c.begun()
	return d.c.ask(context.Background(), do)
}

// resolve chooses a device of each kind. On the loop, like what follows.
func (d *Devices) resolve() {
	first := !d.resolved
	d.resolved = true
	if d.debounce != nil {
		d.debounce.Stop()
		d.debounce = nil
	}
	for _, kind := range deviceKinds {
		s := d.slots[kind]
		if s.off {
			continue
		}
		d.settle(s)
		if !first { // which disturbs nobody
			d.follow(kind)
		}
	}
}

// settle chooses a device of one kind and tells.
func (d *Devices) settle(s *deviceSlot) {
	p := d.c.preferred()
	preferred := map[media.DeviceKind]*media.Device{
		media.DeviceAudioInput: p.PreferredAudioInput, media.DeviceAudioOutput: p.PreferredAudioOutput,
		media.DeviceVideoInput: p.PreferredVideoInput,
	}[s.kind]
	before := s.choice.selected
	after, reason := s.choice.resolve(s.list.Get(), preferred, p.SyncDevicesToActiveCalls)
	s.choice = after
	d.show(s, reason)
	if reason == "" {
		return
	}
	event := DeviceRecovery{Kind: s.kind, Previous: copyOf(before), New: copyOf(after.selected), Reason: reason}
	if reason == DeviceRecoveryAmbiguous {
		event.New = nil
	}
	d.recovered.Publish(event)
}

// show publishes what is selected, and takes it down.
func (d *Devices) show(s *deviceSlot, reason DeviceRecoveryReason) {
	shown := s.choice.selected
	if s.off {
		shown = nil
	}
	changed := !sameDevice(shown, s.selected.Get())
	s.disabled.Set(s.off)
	s.selected.Set(copyOf(shown))
	if changed || reason != "" {
		d.c.deviceChanged(s.kind, shown, reason)
	}
}

// follow has the running calls use what is selected.
func (d *Devices) follow(kind media.DeviceKind) {
	for _, k := range d.c.streams.calls.Get() {
		for _, i := range k.inputs {
			if i.device == kind {
				i.follow()
			}
		}
	}
}
