package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// A roomModel is what a call should know of its rooms, kept in the plainest way.
type roomModel struct {
	sessions []*modelSession // the current one last
	members  []*modelMember  // in the order of joining
	self     string
	early    map[string][]func()
}

type modelSession struct {
	id     string
	facts  map[string]any // of the room session
	layout string
	layers []any
}

type modelMember struct {
	fields   map[string]any
	sessions []string
	position any
}

func (m *roomModel) session(id string) *modelSession {
	for _, s := range m.sessions {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (m *roomModel) member(id any) *modelMember {
	for _, p := range m.members {
		if p.fields["member_id"] == id {
			return p
		}
	}
	return nil
}

// apply is the meaning of an event.
func (m *roomModel) apply(kind string, e map[string]any) {
	id, _ := e["room_session_id"].(string)
	s := m.session(id)
	if s == nil && kind != "call.joined" {
		_, announced := m.early[id]
		if e["call_id"] == "c-ann" {
			if !announced {
				m.early[id] = nil
			}
		} else if announced || len(m.sessions) == 0 {
			m.early[id] = append(m.early[id], func() { m.apply(kind, e) })
		}
		return
	}
	member, _ := e["member"].(map[string]any)
	switch kind {
	case "call.joined":
		m.joined(id, e)
	case "call.left":
		m.sessions = slices.DeleteFunc(m.sessions, func(other *modelSession) bool { return other == s })
		m.leave(id, func(*modelMember) bool { return true })
	case "call.updated", "room.updated":
		maps.Copy(s.facts, e["room_session"].(map[string]any))
	case "member.joined", "member.updated":
		m.told(id, member)
	case "member.talking":
		if p := m.member(member["member_id"]); p != nil && slices.Contains(p.sessions, id) {
			m.told(id, member)
		}
	case "member.left":
		m.leave(id, func(p *modelMember) bool { return p.fields["member_id"] == member["member_id"] })
	case "layout.changed":
		layout := e["layout"].(map[string]any)
		before := s.layers
		s.layout, s.layers = layout["id"].(string), layout["layers"].([]any)
		for _, p := range m.members {
			if !slices.Contains(p.sessions, id) {
				continue
			}
			if placed(before, p) != nil {
				p.position = nil
			}
			if l := placed(s.layers, p); l != nil {
				p.position = l
			}
		}
	}
}

// placed is the last of the layers that holds p.
func placed(layers []any, p *modelMember) (in any) {
	for _, l := range layers {
		if l.(map[string]any)["member_id"] == p.fields["member_id"] {
			in = l
		}
	}
	return in
}

func (m *roomModel) joined(id string, e map[string]any) {
	room := e["room_session"].(map[string]any)
	s := m.session(id)
	if s == nil {
		s = &modelSession{id: id}
	}
	m.sessions = append(slices.DeleteFunc(m.sessions, func(other *modelSession) bool { return other == s }), s)
	s.facts, s.layout = maps.Clone(room), room["layout_name"].(string)
	if m.self == "" {
		m.self = e["member_id"].(string)
	}
	present := map[any]bool{}
	for _, p := range room["members"].([]any) {
		p := p.(map[string]any)
		present[p["member_id"]] = true
		m.told(id, p)
	}
	m.leave(id, func(p *modelMember) bool { return !present[p.fields["member_id"]] })
	waiting := m.early[id]
	m.early = map[string][]func(){}
	for _, f := range waiting {
		f()
	}
}

func (m *roomModel) told(session string, fields map[string]any) {
	p := m.member(fields["member_id"])
	if p == nil {
		p = &modelMember{fields: map[string]any{}}
		m.members = append(m.members, p)
	}
	if !slices.Contains(p.sessions, session) {
		p.sessions = append(p.sessions, session)
	}
	maps.Copy(p.fields, fields)
	delete(p.fields, "updated")
}

func (m *roomModel) leave(session string, who func(*modelMember) bool) {
	m.members = slices.DeleteFunc(m.members, func(p *modelMember) bool {
		if who(p) && slices.Contains(p.sessions, session) {
			p.sessions = slices.DeleteFunc(p.sessions, func(s string) bool { return s == session })
			return len(p.sessions) == 0
		}
		return false
	})
}

// roomFace is the public state in a form that can be compared.
type roomFace struct {
	Self                                   string
	Layout                                 string
	Layers                                 []session.LayoutLayer
	Locked, Recording, Streaming, Priority bool
	Meta                                   map[string]any
	Members                                []session.Member
	Positions                              []*session.LayoutLayer
}

func (m *roomModel) shown() roomFace {
	var v roomFace
	if n := len(m.sessions); n > 0 {
		s := m.sessions[n-1]
		v.Layout, v.Layers = s.layout, layersOf(s.layers)
		v.Locked, _ = s.facts["locked"].(bool)
		v.Recording, _ = s.facts["recording"].(bool)
		v.Streaming, _ = s.facts["streaming"].(bool)
		v.Priority, _ = s.facts["prioritize_handraise"].(bool)
		v.Meta, _ = s.facts["meta"].(map[string]any)
	}
	for _, p := range m.members {
		if p.fields["member_id"] == m.self {
			v.Self = m.self
		}
		v.Members = append(v.Members, memberFrom(p.fields))
		var at *session.LayoutLayer
		if p.position != nil {
			at = &layersOf([]any{p.position})[0]
		}
		v.Positions = append(v.Positions, at)
	}
	return v
}

func roomShown(k *session.Call) roomFace {
	v := roomFace{
		Layout: k.Layout(), Layers: k.LayoutLayers(), Locked: k.Locked(), Recording: k.Recording(),
		Streaming: k.Streaming(), Priority: k.RaiseHandPriority(), Meta: k.Meta(),
	}
	if k.Self() != nil {
		v.Self = k.Self().ID()
	}
	for _, p := range k.Participants() {
		v.Members = append(v.Members, p.Member())
		v.Positions = append(v.Positions, p.Position())
	}
	return v
}

// layersOf decodes layers as encoding/json would.
func layersOf(layers []any) (out []session.LayoutLayer) {
	for _, l := range layers {
		l := l.(map[string]any)
		member, _ := l["member_id"].(string)
		out = append(out, session.LayoutLayer{MemberID: member, Position: l["position"].(string), X: l["x"].(float64)})
	}
	return out
}

// memberFrom makes the public form of a member's fields.
func memberFrom(f map[string]any) session.Member {
	text := func(key string) string { s, _ := f[key].(string); return s }
	flag := func(key string) bool { b, _ := f[key].(bool); return b }
	level := func(key string) session.Level { n, ok := f[key].(float64); return session.Level{Value: n, Known: ok} }
	meta, _ := f["meta"].(map[string]any)
	if len(meta) == 0 {
		meta = nil
	}
	return session.Member{
		ID: text("member_id"), CallID: text("call_id"), NodeID: text("node_id"), RoomID: text("room_id"),
		RoomSessionID: text("room_session_id"), Name: text("name"), Type: text("type"), ParentID: text("parent_id"),
		SubscriberID: text("subscriber_id"), AddressID: text("address_id"),
		RequestedPosition: session.VideoPosition(text("requested_position")),
		AudioMuted:        flag("audio_muted"), VideoMuted: flag("video_muted"), Deaf: flag("deaf"), Visible: flag("visible"),
		HandRaised: flag("handraised"), Talking: flag("talking"), EchoCancellation: flag("echo_cancellation"),
		AutoGain: flag("auto_gain"), NoiseSuppression: flag("noise_suppression"), LowBitrate: flag("lowbitrate"),
		Denoise: flag("denoise"), Audience: flag("isAudience"),
		InputVolume: level("input_volume"), OutputVolume: level("output_volume"), InputSensitivity: level("input_sensitivity"),
		Meta: meta,
	}
}

// A teller makes events up.
type teller struct{ *rand.Rand }

func (r teller) oneOf(of ...string) string { return of[r.IntN(len(of))] }

func (r teller) room() string { return r.oneOf("rs-1", "rs-1", "rs-1", "rs-2", "rs-3") }

func (r teller) id() string { return r.oneOf("m-ann", "m-bob", "m-cat", "m-dan", "m-eve") }

// fields are some of a member's fields, or all of them.
func (r teller) fields(id string, share int) map[string]any {
	f := map[string]any{"member_id": id}
	for _, key := range []string{"call_id", "node_id", "room_id", "name", "type", "parent_id", "subscriber_id", "address_id", "requested_position"} {
		if r.IntN(100) < share {
			f[key] = r.oneOf("", "x", "y", "é\"\\z")
		}
	}
	for _, key := range []string{
		"audio_muted", "video_muted", "deaf", "visible", "handraised", "talking", "echo_cancellation", "auto_gain",
		"noise_suppression", "lowbitrate", "denoise", "isAudience",
	} {
		if r.IntN(100) < share {
			f[key] = r.IntN(2) == 0
		}
	}
	for _, key := range []string{"input_volume", "output_volume", "input_sensitivity"} {
		if r.IntN(100) < share {
			f[key] = float64(r.IntN(400))/4 - 50
		}
	}
	if r.IntN(100) < share {
		f["meta"] = map[string]any{}
		if r.IntN(2) == 0 {
			f["meta"] = map[string]any{"seat": float64(r.IntN(3))}
		}
	}
	return f
}

func (r teller) roomFacts() map[string]any {
	f := map[string]any{}
	for _, key := range []string{"recording", "streaming", "prioritize_handraise", "locked"} {
		if r.IntN(2) == 0 {
			f[key] = r.IntN(2) == 0
		}
	}
	if r.IntN(2) == 0 {
		f["meta"] = map[string]any{"topic": r.oneOf("tea", "coffee")}
	}
	return f
}

// event makes one up.
func (r teller) event() (kind string, e map[string]any) {
	kind = r.oneOf("call.joined", "call.left", "call.updated", "room.updated", "member.joined", "member.joined", "member.joined",
		"member.updated", "member.updated", "member.updated", "member.talking", "member.talking", "member.left", "layout.changed",
		"layout.changed", "call.state")
	e = map[string]any{"room_session_id": r.room(), "room_id": "room-1"}
	switch kind {
	case "call.joined":
		facts := r.roomFacts()
		facts["layout_name"] = r.oneOf("grid", "6x6")
		members := []any{}
		for _, id := range []string{"m-cat", "m-ann", "m-bob"}[:r.IntN(4)] {
			members = append(members, r.fields(id, 80))
		}
		facts["members"] = members
		e["room_session"], e["call_id"], e["member_id"], e["capabilities"] = facts, "c-ann", "m-ann", []any{"self"}
	case "call.left":
		e["call_id"], e["member_id"] = "c-ann", "m-ann"
	case "call.state":
		e["call_id"] = "c-ann"
	case "call.updated", "room.updated":
		e["room_session"] = r.roomFacts()
	case "layout.changed":
		layers := []any{}
		for i := range r.IntN(4) {
			l := map[string]any{"position": fmt.Sprint("standard-", i), "x": float64(r.IntN(100))}
			if r.IntN(4) > 0 {
				l["member_id"] = r.id()
			}
			layers = append(layers, l)
		}
		e["layout"] = map[string]any{"id": r.oneOf("grid", "6x6", "1x1"), "layers": layers}
	default:
		e["member"] = r.fields(r.id(), map[string]int{"member.joined": 80, "member.updated": 20}[kind])
		if kind == "member.talking" {
			e["member"].(map[string]any)["talking"] = r.IntN(2) == 0
		}
	}
	return kind, e
}

// Whatever the service says, in whatever order, the public state is what a naive
// reading of it gives. The seed of a failure is printed; runs differ.
func TestRoomStateIsWhatANaiveModelSays(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for round := range uint64(50) {
		if !t.Run("", func(t *testing.T) { agreeWithModel(t, seed+round) }) {
			return
		}
	}
}

func agreeWithModel(t *testing.T, seed uint64) {
	c := offlineClient(t)
	k := session.Offline(c, "c-ann")
	var inCall sessiontest.CallOrder
	var inSession sessiontest.SessionOrder
	observed := k.ObserveEvents().Subscribe(context.Background(), func(e *session.Event) { inCall.Saw(e.Sequence, e.Type, e.Payload) })
	c.ObserveSignalingEvents().Subscribe(context.Background(), func(e *session.Event) { inSession.Saw(e.Sequence, e.Type, e.Payload) })
	inState := sessiontest.StateOrder{Read: func(id string) map[string]any { return readMember(k, id) }}
	ready := k.ObserveEvents().Subscribe(context.Background(), func(e *session.Event) { inState.Saw(e.Sequence, e.Type, e.Payload) })
	var inLists sessiontest.ListOrder
	listed := k.ObserveParticipants().Subscribe(context.Background(), func(l []*session.Participant) { inLists.Saw(listedMembers(k, l)) })
	m := &roomModel{early: map[string][]func(){}}
	r := teller{rand.New(rand.NewPCG(seed, 7))}
	var told []string
	for range 120 {
		kind, e := r.event()
		text, _ := json.Marshal(e)
		told = append(told, kind+" "+string(text))
		session.FeedEvent(c, kind, e)
		m.apply(kind, e)
		if diff := cmp.Diff(m.shown(), roomShown(k)); diff != "" {
			t.Fatalf("seed %d, after %d events, the last of which are\n%s\n%s\n(-model +call):\n%s",
				seed, len(told), told[max(0, len(told)-2)], told[len(told)-1], diff)
		}
	}
	session.End(k)
	<-observed.Done()
	<-ready.Done()
	<-listed.Done()
	if err := errors.Join(inCall.Err(), inSession.Err(), inState.Err(), inLists.Err()); err != nil || inCall.Count() == 0 {
		t.Errorf("seed %d, %d events: %v\n%s", seed, inCall.Count(), err, strings.Join(told, "\n"))
	}
}

// offlineClient is a client that never connects.
func offlineClient(tb testing.TB) *session.Client {
	tb.Helper()
	c, err := session.New(session.StaticCredentials(session.Credential{Token: "t"}), session.Options{DPoPKey: sharedKey()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}
