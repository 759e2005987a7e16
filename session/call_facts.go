package session

import (
	"maps"
	"reflect"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// newFacts makes the states of a call that begins.
func (k *Call) newFacts() {
	k.node, k.member = observable.NewState(""), observable.NewState("")
	k.directions = observable.NewState(media.Directions{})
	k.variables = observable.NewStateFunc(map[string]any{}, func(a, b map[string]any) bool { return reflect.DeepEqual(a, b) })
}

func (k *Call) completeFacts() {
	k.showDirections()
	k.node.Complete()
	k.member.Complete()
	k.directions.Complete()
	k.variables.Complete()
}

// NodeID names the node of the service that hosts the call; empty until the service has
// told.
func (k *Call) NodeID() string { return k.node.Get() }

// ObserveNodeID is the state stream of NodeID.
func (k *Call) ObserveNodeID() observable.Of[string] { return k.node.Observe() }

// SelfID is the call's own member id; empty until the service has told. Rooms
// joined later do not change it.
func (k *Call) SelfID() string { return k.member.Get() }

// ObserveSelfID is the state stream of SelfID.
func (k *Call) ObserveSelfID() observable.Of[string] { return k.member.Observe() }

// setMember notes the call's own member id, if id is one, and returns it.
func (k *Call) setMember(id string) string {
	if id != "" {
		k.member.Set(id)
	}
	return k.member.Get()
}

// UserVariables is a copy of the variables of the call: those it was dialled
// with and those the service sent.
func (k *Call) UserVariables() map[string]any { return maps.Clone(k.variables.Get()) }

// ObserveUserVariables is the state stream of UserVariables. The map is shared: do not
// change it.
func (k *Call) ObserveUserVariables() observable.Of[map[string]any] { return k.variables.Observe() }

// MergeUserVariables adds to the variables, which the next message of the call
// carries to the service.
func (k *Call) MergeUserVariables(v map[string]any) {
	if len(v) == 0 {
		return
	}
	k.mu.Lock() // one at a time
	defer k.mu.Unlock()
	next := k.UserVariables()
	maps.Copy(next, v)
	k.variables.Set(next)
}

// Directions are what flows of each kind, as agreed with the service; nothing before
// there is media and after the call.
func (k *Call) Directions() media.Directions {
	k.showDirections()
	return k.directions.Get()
}

// ObserveDirections is the state stream of Directions.
func (k *Call) ObserveDirections() observable.Of[media.Directions] { return k.directions.Observe() }

// showDirections is called when they may have changed.
func (k *Call) showDirections() {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := media.Directions{}
	if k.leg != nil && k.ctx.Err() == nil {
		d = k.leg.Directions()
	}
	k.directions.Set(d)
}
