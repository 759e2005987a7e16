package session

import (
	"slices"

	"github.com/callrx/callrx/media"
)

// A DeviceRecoveryReason says why another device was selected without being asked
// for.
type DeviceRecoveryReason string

const (
	// DeviceRecoveryDisconnected: the selected one has gone, and one that was
	// selected before takes its place.
	DeviceRecoveryDisconnected DeviceRecoveryReason = "device_disconnected"
	// DeviceRecoveryFallback: the selected one has gone, and the preferred one or the
	// platform's default takes its place.
	DeviceRecoveryFallback DeviceRecoveryReason = "fallback_to_default"
	// DeviceRecoveryAmbiguous: the selected one has gone, and several have its name.
	// None is taken; the selection stays.
	DeviceRecoveryAmbiguous DeviceRecoveryReason = "ambiguous_match"
	// DeviceRecoveryReconnected: it has come back.
	DeviceRecoveryReconnected DeviceRecoveryReason = "device_reconnected"
	// DeviceRecoveryRestored: an earlier process selected it.
	DeviceRecoveryRestored DeviceRecoveryReason = "session_restored"
)

// deviceHistory is how many devices that were selected before are remembered.
const deviceHistory = 5

// A deviceChoice is which device of one kind is selected, and why.
type deviceChoice struct {
	selected  *media.Device
	none      bool           // the program wants none
	missing   bool           // what is selected is not there, and nothing takes its place
	ambiguous bool           // because several might be it, which was told
	displaced *media.Device  // what the selected one was taken for
	history   []media.Device // what the program selected before, newest first
	stored    *media.Device  // what it selected in an earlier process
}

// resolve is the choice when these are the devices of the kind. An automatic choice
// takes the place of a selected device only if it may. A reason comes with what is
// to be told.
func (d deviceChoice) resolve(list []media.Device, preferred *media.Device, may bool) (deviceChoice, DeviceRecoveryReason) {
	if d.none {
		return d, ""
	}
	if d.selected == nil {
		return d.begin(list, preferred)
	}
	if back, _ := matching(list, d.displaced); back != nil && may {
		return d.with(back, nil), DeviceRecoveryReconnected
	}
	here, several := matching(list, d.selected)
	if here != nil && (may || here.ID == d.selected.ID) {
		return d.with(here, d.displaced), ""
	}
	told := d.ambiguous
	d.missing, d.ambiguous = true, several && may
	switch {
	case len(list) == 0 || !may: // a driver may be starting anew
		return d, ""
	case several && told:
		return d, ""
	case several:
		return d, DeviceRecoveryAmbiguous
	}
	return d.replace(list, preferred)
}

// begin is the choice when nothing is selected.
func (d deviceChoice) begin(list []media.Device, preferred *media.Device) (deviceChoice, DeviceRecoveryReason) {
	if restored := remembered(list, d.stored); restored != nil {
		return d.with(restored, nil), DeviceRecoveryRestored
	}
	return d.with(standardDevice(list, preferred), nil), ""
}

// replace is the choice when the selected one has gone.
func (d deviceChoice) replace(list []media.Device, preferred *media.Device) (deviceChoice, DeviceRecoveryReason) {
	for _, h := range d.history {
		if before := byIDOrGroup(list, &h); before != nil {
			return d.with(before, d.gone()), DeviceRecoveryDisconnected
		}
	}
	return d.with(standardDevice(list, preferred), d.gone()), DeviceRecoveryFallback
}

// gone is what the next automatic choice stands for.
func (d deviceChoice) gone() *media.Device {
	if d.displaced != nil {
		return d.displaced
	}
	return d.selected
}

func (d deviceChoice) with(selected, displaced *media.Device) deviceChoice {
	d.selected, d.displaced, d.missing, d.ambiguous = selected, displaced, false, false
	return d
}

// choose is the choice of the program; nil is none.
func (d deviceChoice) choose(device *media.Device) deviceChoice {
	if before := d.selected; before != nil && (device == nil || device.ID != before.ID) {
		kept := slices.DeleteFunc(slices.Clone(d.history), func(h media.Device) bool { return h.ID == before.ID })
		d.history = append([]media.Device{*before}, kept[:min(len(kept), deviceHistory-1)]...)
	}
	d = d.with(device, nil)
	d.none = device == nil
	return d
}

// matching is the device of the list that is d: by id, else by label, and of those
// with its label the one of its group. It tells if there are several, and none of
// them alone has its group.
func matching(list []media.Device, d *media.Device) (found *media.Device, several bool) {
	if d == nil {
		return nil, false
	}
	if found := only(list, func(o media.Device) bool { return o.ID == d.ID }); found != nil {
		return found, false
	}
	if d.Label == "" {
		return nil, false
	}
	named := slices.DeleteFunc(slices.Clone(list), func(o media.Device) bool { return o.Label != d.Label })
	if len(named) == 1 {
		return &named[0], false
	}
	return byGroup(named, d), len(named) > 1
}

// remembered is the device of the list that an earlier process called d.
func remembered(list []media.Device, d *media.Device) *media.Device {
	if found := byIDOrGroup(list, d); found != nil || d == nil || d.Label == "" {
		return found
	}
	return only(list, func(o media.Device) bool { return o.Label == d.Label })
}

func byIDOrGroup(list []media.Device, d *media.Device) *media.Device {
	if d == nil {
		return nil
	}
	if found := only(list, func(o media.Device) bool { return o.ID == d.ID }); found != nil {
		return found
	}
	return byGroup(list, d)
}

// byGroup is the only device with d's group and label.
func byGroup(list []media.Device, d *media.Device) *media.Device {
	if d.GroupID == "" || d.Label == "" {
		return nil
	}
	return only(list, func(o media.Device) bool { return o.GroupID == d.GroupID && o.Label == d.Label })
}

// standardDevice is the preferred device, or else the first.
func standardDevice(list []media.Device, preferred *media.Device) *media.Device {
	if found := byIDOrLabel(list, preferred); found != nil || len(list) == 0 {
		return found
	}
	return copyOf(&list[0])
}

// byIDOrLabel is the first device with d's id, or else with its label.
func byIDOrLabel(list []media.Device, d *media.Device) *media.Device {
	if d == nil {
		return nil
	}
	for _, match := range []func(media.Device) bool{
		func(o media.Device) bool { return d.ID != "" && o.ID == d.ID },
		func(o media.Device) bool { return d.Label != "" && o.Label == d.Label },
	} {
		if at := slices.IndexFunc(list, match); at >= 0 {
			return copyOf(&list[at])
		}
	}
	return nil
}

// only is the one device that matches; nil if none or several do.
func only(list []media.Device, match func(media.Device) bool) *media.Device {
	at := slices.IndexFunc(list, match)
	if at < 0 || slices.ContainsFunc(list[at+1:], match) {
		return nil
	}
	return copyOf(&list[at])
}

// copyOf shares nothing with d, which may be nil.
func copyOf(d *media.Device) *media.Device {
	if d == nil {
		return nil
	}
	own := *d
	return &own
}
