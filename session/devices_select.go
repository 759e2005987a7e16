package session

import (
	"context"
	"slices"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// SelectAudioInput has calls use a microphone, those that run included, and enables
// it. Nil is no microphone: calls send silence until one is selected. One that is not
// plugged in is selected when it is; until then another takes its place, which
// ObserveRecovered tells. With the preference PersistDeviceSelection the next process of
// the same Storage selects it too; nil erases that. A device of another kind, or one
// without ID that is not in the list, is an *errs.InvalidParamsError. A call that cannot
// use the device keeps the one it has, and tells on its ObserveErrors.
func (d *Devices) SelectAudioInput(device *media.Device) error {
	return d.choose(media.DeviceAudioInput, device)
}

// SelectAudioOutput selects the loudspeaker that the sinks of OpenSelectedOutput play
// on, those that are open included. Nil is none.
func (d *Devices) SelectAudioOutput(device *media.Device) error {
	return d.choose(media.DeviceAudioOutput, device)
}

// SelectVideoInput has calls use a camera; see SelectAudioInput. Nil is no picture.
func (d *Devices) SelectVideoInput(device *media.Device) error {
	return d.choose(media.DeviceVideoInput, device)
}

func (d *Devices) choose(kind media.DeviceKind, device *media.Device) error {
	var refused error
	err := d.ask(func() {
		s := d.slots[kind]
		if device, refused = s.selectable(device); refused != nil {
			return
		}
		s.choice = s.choice.choose(device)
		s.off = s.off && device == nil
		d.keep(s)
		d.show(s, "")
		d.follow(kind)
		if device != nil && d.listed && !slices.Contains(s.list.Get(), *device) {
			d.recover() // it is new, or another takes its place
		}
	})
	if err != nil {
		return err
	}
	return refused
}

// selectable is the device of the list that the program means. One that is not there
// is itself, if that says enough.
func (s *deviceSlot) selectable(device *media.Device) (*media.Device, error) {
	problem := deviceOf(s.kind)(device)
	if here := remembered(s.list.Get(), device); here != nil && problem == "" {
		return here, nil
	}
	if problem == "" && device != nil && device.ID == "" {
		problem = "is not there, and has no ID"
	}
	if problem != "" {
		return nil, &errs.InvalidParamsError{Param: "device", Reason: problem}
	}
	return copyOf(device), nil
}

// pin is the choice of the device with that ID, there or not.
func (s *deviceSlot) pin(id string) deviceChoice {
	device := only(s.list.Get(), func(o media.Device) bool { return o.ID == id })
	if device == nil {
		device = &media.Device{ID: id, Kind: s.kind}
	}
	return deviceChoice{selected: device}
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

// settle chooses a device of one kind, for all and for the calls that have selected for
// themselves, and tells.
func (d *Devices) settle(s *deviceSlot) {
	var reason DeviceRecoveryReason
	s.choice, reason = d.settled(s, s.choice, "")
	d.show(s, reason)
	for _, k := range d.c.streams.calls.Get() {
		for _, i := range k.inputs {
			if i.device == s.kind && i.own != nil {
				*i.own, _ = d.settled(s, *i.own, k.id)
			}
		}
		if o := k.output(); o != nil && s.kind == media.DeviceAudioOutput {
			o.settle(k.id)
		}
	}
}

// settled is a choice by the list there is, of a call or of the client.
func (d *Devices) settled(s *deviceSlot, before deviceChoice, callID string) (deviceChoice, DeviceRecoveryReason) {
	p := d.c.preferred()
	after, reason := before.resolve(s.list.Get(), *p.preferredDevice(s.kind), p.SyncDevicesToActiveCalls)
	if reason == "" {
		return after, reason
	}
	event := DeviceRecovery{
		CallID: callID, Kind: s.kind, Previous: copyOf(before.selected), New: copyOf(after.selected), Reason: reason,
	}
	if reason == DeviceRecoveryAmbiguous {
		event.New = nil
	}
	d.recovered.Publish(event)
	return after, reason
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
