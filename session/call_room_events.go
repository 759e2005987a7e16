package session

import (
	"encoding/json"

	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/observable"
)

// A RoomSession is what one event told of a room, which may be part of it: what is left
// out is zero here, and in the call's own state as it was.
type RoomSession struct {
	ID, RoomID, EventChannel  string
	Name, DisplayName, Layout string

	Recording, Streaming, RaiseHandPriority, HideVideoMuted, Locked bool

	Meta                           map[string]any
	Recordings, Streams, Playbacks []map[string]any // as the service describes them
	Members                        []Member
}

// A RoomEvent tells of one of the call's rooms: that the call has joined it, that it
// has left it, or what is new about it.
type RoomEvent struct {
	*Event        // as the service sent it
	RoomID        string
	RoomSessionID string
	CallID        string // of the leg, and its member; empty for what is new about a room
	MemberID      string
	OriginCallID  string // of the leg's first segment
	Room          RoomSession
	Capabilities  []Capability // of joining: what the call may do there
	Reason        string       // of leaving: why
}

// ObserveCallJoined delivers the rooms that the call joins, one inside the other maybe,
// and each again with whoever is in it then when the session was replaced.
func (k *Call) ObserveCallJoined() observable.Of[*RoomEvent] {
	return decodedAs(k, wire.EventCallJoined, roomEvent)
}

// ObserveCallLeft delivers the rooms that the call leaves, with the reason.
func (k *Call) ObserveCallLeft() observable.Of[*RoomEvent] {
	return decodedAs(k, wire.EventCallLeft, roomEvent)
}

// ObserveCallUpdated delivers what is new about the call's rooms.
func (k *Call) ObserveCallUpdated() observable.Of[*RoomEvent] {
	return decodedAs(k, wire.EventCallUpdated, roomEvent)
}

func roomEvent(e *Event) *RoomEvent {
	told, err := wire.DecodeCallEvent(wire.Raw(e.Payload))
	if err != nil {
		return nil
	}
	names, _ := wire.DecodeTexts(told.Capabilities)
	return &RoomEvent{
		Event: e, RoomID: told.RoomID, RoomSessionID: told.RoomSessionID,
		CallID: told.CallID, MemberID: told.MemberID, OriginCallID: told.OriginCallID,
		Room: exportRoom(told.RoomSession), Capabilities: capabilitiesOf(names), Reason: told.Reason,
	}
}

// exportRoom makes the public form of a room; what cannot be read is left out.
func exportRoom(raw wire.Raw) RoomSession {
	var members []Member
	r, _ := wire.DecodeRoomSession(raw, func(m *wire.Member) {
		members = append(members, (&memberView{Member: *m}).export())
	})
	list := func(raw wire.Raw) (l []map[string]any) {
		_ = json.Unmarshal([]byte(raw), &l)
		return l
	}
	return RoomSession{
		ID: r.ID, RoomID: r.RoomID, EventChannel: r.EventChannel, Name: r.Name, DisplayName: r.DisplayName, Layout: r.LayoutName,
		Recording: r.Flags&wire.RoomRecording != 0, Streaming: r.Flags&wire.RoomStreaming != 0,
		RaiseHandPriority: r.Flags&wire.RoomPrioritizeHandRaise != 0,
		HideVideoMuted:    r.Flags&wire.RoomHideVideoMuted != 0, Locked: r.Flags&wire.RoomLocked != 0,
		Meta: decodeObject(r.Meta), Recordings: list(r.Recordings), Streams: list(r.Streams), Playbacks: list(r.Playbacks),
		Members: members,
	}
}

// ObserveWebRTCMessages delivers the messages of the media service about the call and
// its further legs, such as "verto.answer", as it sent them and after their effect: an
// event stream without replay. It is for bookkeeping; they hold session descriptions.
func (k *Call) ObserveWebRTCMessages() observable.Of[*Event] { return k.talk.Observe() }
