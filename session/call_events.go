package session

import (
	"encoding/json"
	"errors"

	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/observable"
)

// The streams below are ObserveEvents, read: each event comes in the same order,
// after its effect on the call's state, and is decoded for those who watch. All
// of them are event streams without replay that end with the call.

// A MemberEvent tells what happened to a member of one of the call's rooms.
type MemberEvent struct {
	*Event        // as the service sent it
	RoomID        string
	RoomSessionID string
	Member        Member   // what this event told, which may be part of it
	Updated       []string // of an update: the names on the wire of what changed
	Reason        string   // of leaving: why
}

// ObserveMemberJoined delivers the members that come after the call itself.
func (k *Call) ObserveMemberJoined() observable.Of[*MemberEvent] {
	return decodedAs(k, wire.EventMemberJoined, memberEvent)
}

// ObserveMemberUpdated delivers what changes about members.
func (k *Call) ObserveMemberUpdated() observable.Of[*MemberEvent] {
	return decodedAs(k, wire.EventMemberUpdated, memberEvent)
}

// ObserveMemberTalking delivers who begins and ceases to speak.
func (k *Call) ObserveMemberTalking() observable.Of[*MemberEvent] {
	return decodedAs(k, wire.EventMemberTalking, memberEvent)
}

// ObserveMemberLeft delivers the members that leave, with the reason.
func (k *Call) ObserveMemberLeft() observable.Of[*MemberEvent] {
	return decodedAs(k, wire.EventMemberLeft, memberEvent)
}

func memberEvent(e *Event) *MemberEvent {
	told, err := wire.DecodeCallEvent(wire.Raw(e.Payload))
	if err != nil {
		return nil
	}
	updated, _ := wire.DecodeTexts(told.Member.Updated)
	v := memberView{Member: told.Member}
	return &MemberEvent{
		Event: e, RoomID: told.RoomID, RoomSessionID: told.RoomSessionID,
		Member: v.export(), Updated: updated, Reason: told.Reason,
	}
}

// A LayoutEvent tells that a room's layout is another one.
type LayoutEvent struct {
	*Event        // as the service sent it
	RoomID        string
	RoomSessionID string
	Layout        string // the name for Call.SetLayout
	Name          string // for people
	Layers        []LayoutLayer
}

// ObserveLayoutUpdates delivers the layouts of the call's rooms.
func (k *Call) ObserveLayoutUpdates() observable.Of[*LayoutEvent] {
	return decodedAs(k, wire.EventLayoutChanged, func(e *Event) *LayoutEvent {
		told, err := wire.DecodeCallEvent(wire.Raw(e.Payload))
		if err != nil {
			return nil
		}
		layout, err := wire.DecodeLayout(told.Layout)
		if err != nil {
			return nil
		}
		return &LayoutEvent{
			Event: e, RoomID: told.RoomID, RoomSessionID: told.RoomSessionID,
			Layout: layout.ID, Name: layout.Name, Layers: newLayers(layout.Layers),
		}
	})
}

// A CallStateEvent tells how the service sees a leg of the call. It is for
// bookkeeping: where the call stands tells Call.Status.
type CallStateEvent struct {
	*Event        `json:"-"` // as the service sent it
	CallID        string     `json:"call_id"`
	NodeID        string     `json:"node_id"`
	SegmentID     string     `json:"segment_id"`
	RoomSessionID string     `json:"room_session_id"`
	State         string     `json:"call_state"` // "created", "ringing", "answered", "ending" or "ended"
	Direction     string     `json:"direction"`  // as the service sees it: "inbound" is a call that this client dialled
	Device        CallDevice `json:"device"`
	StartTime     float64    `json:"start_time"`  // milliseconds since the epoch, like the two below; 0: not yet
	AnswerTime    float64    `json:"answer_time"` //
	EndTime       float64    `json:"end_time"`
	Peer          CallPeer   `json:"peer"` // of a bridge
	Tag           string     `json:"tag"`
}

// A CallDevice is what a leg ends at.
type CallDevice struct {
	Type   string `json:"type"` // "webrtc", "sip" or "phone"
	Params struct {
		From       string `json:"from"`
		To         string `json:"to"`
		FromNumber string `json:"from_number"` // of a phone
		ToNumber   string `json:"to_number"`
		Headers    []any  `json:"headers"` // as the service describes them
	} `json:"params"`
}

// A CallPeer is the other leg of a bridge.
type CallPeer struct {
	CallID string     `json:"call_id"`
	NodeID string     `json:"node_id"`
	Device CallDevice `json:"device"`
}

// ObserveCallStates delivers what the service says of the call's legs.
func (k *Call) ObserveCallStates() observable.Of[*CallStateEvent] {
	return decodedAs(k, wire.EventCallState, func(e *Event) *CallStateEvent {
		return fromJSON(e, &CallStateEvent{Event: e})
	})
}

// A CallPlayEvent tells how a playback of the service is going.
type CallPlayEvent struct {
	*Event        `json:"-"` // as the service sent it
	ControlID     string     `json:"control_id"` // of the playback
	CallID        string     `json:"call_id"`
	NodeID        string     `json:"node_id"`
	State         string     `json:"state"` // "playing", "paused" or "finished"
	RoomSessionID string     `json:"room_session_id"`
}

// ObserveCallPlays delivers how the service's playbacks to the call are going.
func (k *Call) ObserveCallPlays() observable.Of[*CallPlayEvent] {
	return decodedAs(k, wire.EventCallPlay, func(e *Event) *CallPlayEvent {
		return fromJSON(e, &CallPlayEvent{Event: e})
	})
}

// A CallConnectEvent tells how a bridge to another leg is going.
type CallConnectEvent struct {
	*Event        `json:"-"` // as the service sent it
	State         string     `json:"connect_state"` // "connecting", "connected" and others
	CallID        string     `json:"call_id"`
	NodeID        string     `json:"node_id"`
	SegmentID     string     `json:"segment_id"`
	RoomSessionID string     `json:"room_session_id"`
	Peer          CallPeer   `json:"peer"`
}

// ObserveCallConnects delivers how bridges of the call to others are going.
func (k *Call) ObserveCallConnects() observable.Of[*CallConnectEvent] {
	return decodedAs(k, wire.EventCallConnect, func(e *Event) *CallConnectEvent {
		return fromJSON(e, &CallConnectEvent{Event: e})
	})
}

// fromJSON reads the payload into v. Fields of the wrong kind are left out.
func fromJSON[T any](e *Event, v *T) *T {
	var field *json.UnmarshalTypeError
	if err := json.Unmarshal(e.Payload, v); err != nil && !errors.As(err, &field) {
		return nil
	}
	return v
}

// decodedAs is the stream of the call's events of one type. What cannot be read
// is left out.
func decodedAs[T any](k *Call, eventType string, decode func(*Event) *T) observable.Of[*T] {
	ours := observable.Filter(k.ObserveEvents(), func(e *Event) bool { return e.Type == eventType })
	return observable.Filter(observable.Map(ours, decode), func(v *T) bool { return v != nil })
}
