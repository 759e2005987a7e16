package sessiontest

import (
	"maps"
	"time"

	"github.com/callrx/callrx/internal/wire"
)

const eventVerto = "webrtc.message"

// capabilities of rooms and of calls between two.
var (
	roomCapabilities   = [...]string{"self", "member", "device", "screenshare", "lock", "end", "vmuted", "layout", "digit"}
	bridgeCapabilities = [...]string{"self", "digit", "end"}
)

// memberFlags is the part of a member that changes by call.* requests.
type memberFlags struct {
	AudioMuted        bool    `json:"audio_muted"`
	VideoMuted        bool    `json:"video_muted"`
	Deaf              bool    `json:"deaf"`
	Visible           bool    `json:"visible"`
	HandRaised        bool    `json:"handraised"`
	EchoCancellation  bool    `json:"echo_cancellation"`
	AutoGain          bool    `json:"auto_gain"`
	NoiseSuppression  bool    `json:"noise_suppression"`
	LowBitrate        bool    `json:"lowbitrate"`
	Denoise           bool    `json:"denoise"`
	InputVolume       float64 `json:"input_volume"`
	OutputVolume      float64 `json:"output_volume"`
	InputSensitivity  float64 `json:"input_sensitivity"`
	RequestedPosition string  `json:"requested_position"`
}

func newMemberFlags() memberFlags {
	return memberFlags{
		Visible: true, EchoCancellation: true, AutoGain: true, NoiseSuppression: true,
		InputSensitivity: 44, RequestedPosition: "auto",
	}
}

// member is a leg as others see it.
type member struct {
	MemberID      string         `json:"member_id"`
	CallID        string         `json:"call_id"`
	NodeID        string         `json:"node_id"`
	RoomID        string         `json:"room_id"`
	RoomSessionID string         `json:"room_session_id"`
	Name          string         `json:"name"`
	Type          string         `json:"type"`
	ParentID      string         `json:"parent_id,omitempty"`
	SubscriberID  string         `json:"subscriber_id"`
	AddressID     string         `json:"address_id"`
	Talking       bool           `json:"talking"`
	Meta          map[string]any `json:"meta"`
	memberFlags
}

func (l *leg) memberLocked() member {
	m := member{
		MemberID: l.memberID, CallID: l.callID, NodeID: nodeID, RoomID: l.room.id, RoomSessionID: l.room.sessionID,
		Name: l.name, Type: l.kind, SubscriberID: l.subject, Talking: l.talking, Meta: map[string]any{}, memberFlags: l.flags,
	}
	if l.parent != nil {
		m.ParentID = l.parent.memberID
	}
	if sub := l.t.srv.registry.subscriber(l.subject); sub != nil {
		m.AddressID = sub.Address
	}
	return m
}

// sendLocked queues an event for the leg's client.
func (l *leg) sendLocked(eventType string, params any) {
	l.t.srv.deliver(l.session, wire.EventParams{
		EventType: eventType, EventChannel: l.session.protocol, Timestamp: l.t.srv.timestamp(), Params: mustJSON(params),
	}, label{event: eventType, call: l.callID})
}

// sendVertoLocked sends a Verto message to the leg's client.
func (l *leg) sendVertoLocked(method string, params any) {
	l.t.vertoID++
	inner := map[string]any{"jsonrpc": "2.0", "id": l.t.vertoID, "method": method, "params": params}
	l.t.srv.deliver(l.session, wire.EventParams{
		EventType: eventVerto, EventChannel: l.session.protocol, Timestamp: l.t.srv.timestamp(),
		ProjectID: l.t.srv.opts.ProjectID, NodeID: nodeID, Params: mustJSON(inner),
	}, label{event: eventVerto, verto: method, call: l.callID})
}

// sendStateLocked tells the client the state of its leg. An ended leg was ending before.
func (l *leg) sendStateLocked() {
	if l.state == CallEnded {
		l.sendLocked("call.state", l.stateLocked("ending"))
	}
	l.sendLocked("call.state", l.stateLocked(string(l.state)))
}

func (l *leg) stateLocked(state string) map[string]any {
	direction := "outbound"
	if l.inbound {
		direction = "inbound"
	}
	p := map[string]any{
		"call_id": l.callID, "node_id": nodeID, "segment_id": l.segmentID, "room_session_id": "",
		"call_state": state, "direction": direction, "start_time": l.createdAt.UnixMilli(),
		"device": map[string]any{"type": "webrtc", "params": map[string]any{"from": l.from, "to": l.to, "headers": []any{}}},
	}
	if l.room != nil {
		p["room_session_id"] = l.room.sessionID
	}
	for key, at := range map[string]time.Time{"answer_time": l.answeredAt, "end_time": l.endedAt} {
		if !at.IsZero() && !(key == "end_time" && state == "ending") {
			p[key] = at.UnixMilli()
		}
	}
	return p
}

// joinedLocked is the payload of call.joined and, without capabilities, of call.left.
func (l *leg) joinedLocked() map[string]any {
	return map[string]any{
		"room_session": l.room.describeLocked(l), "room_id": l.room.id, "room_session_id": l.room.sessionID,
		"call_id": l.callID, "member_id": l.memberID, "origin_call_id": l.callID, "node_id": nodeID,
	}
}

func (l *leg) sendJoinedLocked() {
	p := l.joinedLocked()
	p["capabilities"] = l.room.capabilities()
	l.sendLocked("call.joined", p)
}

func (l *leg) sendLeftLocked(reason string) {
	p := l.joinedLocked()
	p["reason"] = reason
	l.sendLocked("call.left", p)
}

// broadcastLocked sends a room event to every main leg of the room but except.
func (r *room) broadcastLocked(eventType string, except *leg, params map[string]any) {
	channel := []string{}
	for _, l := range r.legs {
		if l.parent == nil {
			channel = append(channel, l.session.protocol)
		}
	}
	payload := map[string]any{"room_id": r.id, "room_session_id": r.sessionID}
	maps.Copy(payload, params)
	data, at := mustJSON(payload), float64(r.t.srv.now().UnixMicro())
	sent := map[*session]bool{}
	for _, l := range r.legs {
		if l.parent != nil || l == except || sent[l.session] {
			continue
		}
		sent[l.session] = true
		r.t.srv.deliver(l.session, wire.EventParams{
			EventType: eventType, EventChannel: channel, Timestamp: at, Params: data,
		}, label{event: eventType, call: l.callID})
	}
}
