package session

import (
	"slices"

	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/observable"
)

// A call sees of its rooms what the service tells: who is in them and how each
// of them is doing. If it is in several at a time, one inside the other, the
// facts are those of the room it joined last, and the participants those of all.

// The parts of a room that can be observed.
const (
	factParticipants factKey = iota
	factSelfParticipant
	factLayout
	factLayouts
	factLayers
	factRecording
	factStreaming
	factLocked
	factRaiseHandPriority
	factRoomMeta
	factCapabilities
)

// Participants are the members of the call's rooms in the order of joining, the
// call itself included. The slice is shared: do not change it.
func (k *Call) Participants() []*Participant { return k.room.view.get().participants }

// ObserveParticipants is the state stream of Participants. It tells who comes
// and goes; what changes about a participant is on that one's own observables.
func (k *Call) ObserveParticipants() observable.Of[[]*Participant] {
	return observeFact(&k.room.view, factParticipants, func(v *roomView) []*Participant { return v.participants }, sameSlice)
}

// Participant is the member with that id; nil if there is none.
func (k *Call) Participant(id string) *Participant {
	for _, p := range k.Participants() {
		if p.id == id {
			return p
		}
	}
	return nil
}

// Self is the call itself as a member; nil before it has joined a room and after
// it has left.
func (k *Call) Self() *SelfParticipant { return k.room.view.get().self }

// ObserveSelf is the state stream of Self.
func (k *Call) ObserveSelf() observable.Of[*SelfParticipant] {
	return observeSame(&k.room.view, factSelfParticipant, func(v *roomView) *SelfParticipant { return v.self })
}

// Layout names the room's layout, for example "grid-responsive"; empty until the
// service has told.
func (k *Call) Layout() string { return k.room.view.get().layout }

// ObserveLayout is the state stream of Layout.
func (k *Call) ObserveLayout() observable.Of[string] {
	return observeSame(&k.room.view, factLayout, func(v *roomView) string { return v.layout })
}

// LayoutLayers are the boxes of the layout. The slice is shared: do not change
// it.
func (k *Call) LayoutLayers() []LayoutLayer { return k.room.view.get().layers }

// ObserveLayoutLayers is the state stream of LayoutLayers.
func (k *Call) ObserveLayoutLayers() observable.Of[[]LayoutLayer] {
	return observeFact(&k.room.view, factLayers, func(v *roomView) []LayoutLayer { return v.layers }, slices.Equal)
}

// Layouts are the names that SetLayout takes, asked for when the call joins a
// room whose layout it may change. The slice is shared: do not change it.
func (k *Call) Layouts() []string { return k.room.view.get().layouts }

// ObserveLayouts is the state stream of Layouts.
func (k *Call) ObserveLayouts() observable.Of[[]string] {
	return observeFact(&k.room.view, factLayouts, func(v *roomView) []string { return v.layouts }, slices.Equal)
}

// Recording reports whether the room is recorded.
func (k *Call) Recording() bool { return k.room.view.get().is(wire.RoomRecording) }

// ObserveRecording is the state stream of Recording.
func (k *Call) ObserveRecording() observable.Of[bool] {
	return k.observeRoomFlag(factRecording, wire.RoomRecording)
}

// Streaming reports whether the room is streamed to elsewhere.
func (k *Call) Streaming() bool { return k.room.view.get().is(wire.RoomStreaming) }

// ObserveStreaming is the state stream of Streaming.
func (k *Call) ObserveStreaming() observable.Of[bool] {
	return k.observeRoomFlag(factStreaming, wire.RoomStreaming)
}

// Locked reports whether nobody else can join the room.
func (k *Call) Locked() bool { return k.room.view.get().is(wire.RoomLocked) }

// ObserveLocked is the state stream of Locked.
func (k *Call) ObserveLocked() observable.Of[bool] {
	return k.observeRoomFlag(factLocked, wire.RoomLocked)
}

// RaiseHandPriority reports whether the room's layout prefers raised hands.
func (k *Call) RaiseHandPriority() bool { return k.room.view.get().is(wire.RoomPrioritizeHandRaise) }

// ObserveRaiseHandPriority is the state stream of RaiseHandPriority.
func (k *Call) ObserveRaiseHandPriority() observable.Of[bool] {
	return k.observeRoomFlag(factRaiseHandPriority, wire.RoomPrioritizeHandRaise)
}

// Meta is what the room's owner attached to it. The map is shared: do not change
// it.
func (k *Call) Meta() map[string]any { return k.room.view.get().meta }

// ObserveMeta is the state stream of Meta.
func (k *Call) ObserveMeta() observable.Of[map[string]any] {
	return observeFact(&k.room.view, factRoomMeta, func(v *roomView) map[string]any { return v.meta }, sameObject)
}

// Capabilities are what the service grants the call, as it wrote them; see
// SelfParticipant.Capabilities for what they mean. The slice is shared: do not
// change it.
func (k *Call) Capabilities() []Capability { return k.room.view.get().capabilities }

// ObserveCapabilities is the state stream of Capabilities.
func (k *Call) ObserveCapabilities() observable.Of[[]Capability] {
	return observeFact(&k.room.view, factCapabilities, func(v *roomView) []Capability { return v.capabilities }, slices.Equal)
}

func (v *roomView) is(f wire.RoomFlag) bool { return v.flags&f != 0 }

func (k *Call) observeRoomFlag(key factKey, f wire.RoomFlag) observable.Of[bool] {
	return observeSame(&k.room.view, key, func(v *roomView) bool { return v.is(f) })
}

// sameSlice reports whether a and b are one: slices that are shown are changed
// by making another, or by appending.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
