package session

import (
	"context"
	"slices"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// Devices are the microphones, loudspeakers and cameras of Options.Devices, and
// which of them a client's calls use. Without a provider the lists are empty and
// calls send what the program gives them.
//
// A call that is to send a kind of media, and was given no source for it, captures
// from the selected device: what the program selected, or else an earlier process of
// the same Storage, the preferred device, or the platform's first. When the selected
// one vanishes another takes its place, and when it comes back it is selected again.
// Running calls follow, without a word to the service, mute and push-to-talk as they
// are. Which device that is is decided when the list has not changed for the
// preference DeviceDebounce, or when a call needs one.
//
// All methods may be called from any goroutine, also from observers. The streams
// complete with Client.Close; after it methods return errs.ErrClosed.
type Devices struct {
	c        *Client
	provider media.DeviceProvider // nil: there are no devices
	slots    map[media.DeviceKind]*deviceSlot

	recovered *observable.Events[DeviceRecovery]
	fallbacks *observable.Events[ConstraintFallback]
	errors    *observable.Events[error]

	listing slot // devices are listed one after the other
	asking  slot // the provider is listing them, perhaps for somebody who has left

	// The client's loop owns the fields of this group.
	started  bool        // with the first Connect, or the program has decided
	listed   bool        // the lists are known
	resolved bool        // devices have been chosen
	debounce *time.Timer // until they are again; nil: no need
	store    *store      // of what the program selects
	loaded   bool        // what was stored there is known
	era      int         // counts the times that this has become another matter
	failing  bool        // the last list failed, which was told
	unwatch  context.CancelFunc
}

// deviceKinds are in the order in which everything is told.
var deviceKinds = [...]media.DeviceKind{media.DeviceAudioInput, media.DeviceAudioOutput, media.DeviceVideoInput}

// A deviceSlot is one kind of device.
type deviceSlot struct {
	kind     media.DeviceKind
	list     *observable.State[[]media.Device]
	selected *observable.State[*media.Device] // what it points to never changes
	disabled *observable.State[bool]

	// The client's loop owns these.
	choice deviceChoice
	off    bool // disabled
}

// A DeviceRecovery tells of a device that was selected without being asked for.
type DeviceRecovery struct {
	CallID        string // of a call that has selected for itself; empty: the client's selection
	Kind          media.DeviceKind
	Previous, New *media.Device // nil: none
	Reason        DeviceRecoveryReason
}

// A ConstraintFallback tells that a call captures otherwise than it should.
type ConstraintFallback struct {
	CallID    string
	Kind      media.DeviceKind
	Requested *media.Device // nil: any
	Actual    *media.Device // nil: the provider does not tell
	Level     media.ConstraintLevel
}

func newDevices(c *Client) *Devices {
	d := &Devices{
		c: c, provider: c.opts.Devices, store: c.store, slots: map[media.DeviceKind]*deviceSlot{},
		recovered: observable.NewEvents[DeviceRecovery](0),
		fallbacks: observable.NewEvents[ConstraintFallback](0),
		errors:    observable.NewEvents[error](1),
		listing:   newSlot(), asking: newSlot(),
	}
	for _, kind := range deviceKinds {
		d.slots[kind] = &deviceSlot{
			kind:     kind,
			list:     observable.NewStateFunc([]media.Device(nil), slices.Equal),
			selected: observable.NewStateFunc((*media.Device)(nil), sameDevice),
			disabled: observable.NewState(false),
		}
	}
	return d
}

// sameDevice reports whether everything known of a and b is the same.
func sameDevice(a, b *media.Device) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// complete ends everything, after the loop.
func (d *Devices) complete() {
	if d.debounce != nil {
		d.debounce.Stop()
	}
	if d.store != d.c.store {
		d.store.close()
	}
	for _, s := range d.slots {
		s.list.Complete()
		s.selected.Complete()
		s.disabled.Complete()
	}
	d.recovered.Complete()
	d.fallbacks.Complete()
	d.errors.Complete()
}

// Devices are the client's devices.
func (c *Client) Devices() *Devices { return c.devices }

func (d *Devices) listOf(kind media.DeviceKind) []media.Device {
	return slices.Clone(d.slots[kind].list.Get())
}

func (d *Devices) observeList(kind media.DeviceKind) observable.Of[[]media.Device] {
	return observable.Map(d.slots[kind].list.Observe(), slices.Clone[[]media.Device])
}

func (d *Devices) observeSelected(kind media.DeviceKind) observable.Of[*media.Device] {
	return observable.Map(d.slots[kind].selected.Observe(), copyOf)
}

// AudioInputs are the microphones that there are, the platform's default first;
// empty before they were listed, which Connect begins.
func (d *Devices) AudioInputs() []media.Device { return d.listOf(media.DeviceAudioInput) }

// ObserveAudioInputs is the state stream of AudioInputs.
func (d *Devices) ObserveAudioInputs() observable.Of[[]media.Device] {
	return d.observeList(media.DeviceAudioInput)
}

// AudioOutputs are the loudspeakers; see AudioInputs.
func (d *Devices) AudioOutputs() []media.Device { return d.listOf(media.DeviceAudioOutput) }

// ObserveAudioOutputs is the state stream of AudioOutputs.
func (d *Devices) ObserveAudioOutputs() observable.Of[[]media.Device] {
	return d.observeList(media.DeviceAudioOutput)
}

// VideoInputs are the cameras; see AudioInputs.
func (d *Devices) VideoInputs() []media.Device { return d.listOf(media.DeviceVideoInput) }

// ObserveVideoInputs is the state stream of VideoInputs.
func (d *Devices) ObserveVideoInputs() observable.Of[[]media.Device] {
	return d.observeList(media.DeviceVideoInput)
}

// SelectedAudioInput is the microphone that calls use; nil: none, or it is disabled.
// One that has vanished, and that nothing took the place of, stays selected.
func (d *Devices) SelectedAudioInput() *media.Device {
	return copyOf(d.slots[media.DeviceAudioInput].selected.Get())
}

// ObserveSelectedAudioInput is the state stream of SelectedAudioInput.
func (d *Devices) ObserveSelectedAudioInput() observable.Of[*media.Device] {
	return d.observeSelected(media.DeviceAudioInput)
}

// SelectedAudioOutput is the loudspeaker that sinks of OpenSelectedOutput play on; nil:
// none.
func (d *Devices) SelectedAudioOutput() *media.Device {
	return copyOf(d.slots[media.DeviceAudioOutput].selected.Get())
}

// ObserveSelectedAudioOutput is the state stream of SelectedAudioOutput.
func (d *Devices) ObserveSelectedAudioOutput() observable.Of[*media.Device] {
	return d.observeSelected(media.DeviceAudioOutput)
}

// SelectedVideoInput is the camera that calls use; see SelectedAudioInput.
func (d *Devices) SelectedVideoInput() *media.Device {
	return copyOf(d.slots[media.DeviceVideoInput].selected.Get())
}

// ObserveSelectedVideoInput is the state stream of SelectedVideoInput.
func (d *Devices) ObserveSelectedVideoInput() observable.Of[*media.Device] {
	return d.observeSelected(media.DeviceVideoInput)
}

// AudioInputDisabled reports whether calls capture no microphone.
func (d *Devices) AudioInputDisabled() bool { return d.slots[media.DeviceAudioInput].disabled.Get() }

// ObserveAudioInputDisabled is the state stream of AudioInputDisabled.
func (d *Devices) ObserveAudioInputDisabled() observable.Of[bool] {
	return d.slots[media.DeviceAudioInput].disabled.Observe()
}

// VideoInputDisabled reports whether calls capture no camera.
func (d *Devices) VideoInputDisabled() bool { return d.slots[media.DeviceVideoInput].disabled.Get() }

// ObserveVideoInputDisabled is the state stream of VideoInputDisabled.
func (d *Devices) ObserveVideoInputDisabled() observable.Of[bool] {
	return d.slots[media.DeviceVideoInput].disabled.Observe()
}

// ObserveRecovered delivers each automatic choice that took the place of a selected
// device, and of one that was restored from an earlier process: an event stream
// without replay.
func (d *Devices) ObserveRecovered() observable.Of[DeviceRecovery] { return d.recovered.Observe() }

// ObserveConstraintFallbacks delivers each time that a call could not have the
// device, or the constraints, that it asked for: an event stream without replay.
func (d *Devices) ObserveConstraintFallbacks() observable.Of[ConstraintFallback] {
	return d.fallbacks.Observe()
}

// ObserveErrors delivers what went wrong with listing, watching and inspecting
// devices: an event stream that replays the last one. A list that goes on failing is
// told once. Those that no caller was told are on Client.ObserveErrors too.
func (d *Devices) ObserveErrors() observable.Of[error] { return d.errors.Observe() }
