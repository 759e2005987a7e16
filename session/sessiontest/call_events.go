package sessiontest

import (
	"maps"
	"time"

	"github.com/callrx/callrx/internal/wire"
)

const eventVerto = "webrtc.message"

// sendLocked queues an event for the leg's client.
func (l *leg) sendLocked(eventType string, params any) {
	if l.bot != nil {
		return
	}
	l.t.srv.deliver(l.session, wire.EventParams{
		EventType: eventType, EventChannel: l.session.protocol, Timestamp: l.t.srv.timestamp(), Params: mustJSON(params),
	}, label{event: eventType, call: l.callID})
}

// sendVertoLocked sends a Verto message to the leg's client.
func (l *leg) sendVertoLocked(method string, params any) {
	if l.bot != nil {
		return
	}
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
func (l *leg) joinedLocked(r *room) map[string]any {
	return map[string]any{
		"room_session": r.describeLocked(l), "room_id": r.id, "room_session_id": r.sessionID,
		"call_id": l.callID, "member_id": l.memberID, "origin_call_id": l.callID, "node_id": nodeID,
	}
}

// sendJoinedLocked tells the client of the room that the leg is in now, and what it may do there.
func (l *leg) sendJoinedLocked() {
	if l.bot != nil {
		return
	}
	p := l.joinedLocked(l.room)
	p["capabilities"] = l.capabilities
	l.sendLocked("call.joined", p)
}

func (l *leg) sendLeftLocked(r *room, reason string) {
	if l.bot != nil {
		return
	}
	p := l.joinedLocked(r)
	p["reason"] = reason
	l.sendLocked("call.left", p)
}

// recipientsLocked returns one main leg for every session in the room, but except.
func (r *room) recipientsLocked(except *leg) []*leg {
	var found []*leg
	known := map[*session]bool{}
	for _, l := range r.legs {
		if l.parent == nil && l.bot == nil && l != except && !known[l.session] {
			known[l.session] = true
			found = append(found, l)
		}
	}
	return found
}

// broadcastLocked sends a room event to every session in the room but that of except.
func (r *room) broadcastLocked(eventType string, except *leg, params map[string]any) {
	channel := []string{}
	for _, l := range r.legs {
		if l.parent == nil && l.bot == nil {
			channel = append(channel, l.session.protocol)
		}
	}
	payload := map[string]any{"room_id": r.id, "room_session_id": r.sessionID}
	maps.Copy(payload, params)
	data, at := mustJSON(payload), float64(r.t.srv.now().UnixMicro())
	for _, l := range r.recipientsLocked(except) {
		r.t.srv.deliver(l.session, wire.EventParams{
			EventType: eventType, EventChannel: channel, Timestamp: at, Params: data,
		}, label{event: eventType, call: l.callID})
	}
}
