package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callrx/callrx/internal/wire"
	"github.com/google/go-cmp/cmp"
)

func TestDecodeCallEventReadsWhereItBelongs(t *testing.T) {
	for text, want := range map[wire.Raw]wire.CallEvent{
		`{"call_id":"c","origin_call_id":"o","room_session_id":"r","member_id":"m","node_id":"n","room_id":"x","reason":"hangup"}`: {
			CallID: "c", OriginCallID: "o", RoomSessionID: "r", MemberID: "m", NodeID: "n", RoomID: "x", Reason: "hangup"},
		`{"room_session":{"room_session_id":"deep"},"layout":{"id":"l"},"capabilities":["self"]}`: {
			RoomSession: `{"room_session_id":"deep"}`, Layout: `{"id":"l"}`, Capabilities: `["self"]`},
		`{"call_id":7,"room_session_id":null,"room_session":[],"layout":"l","capabilities":{}}`: {},
		`{}`: {},
		`[]`: {},
	} {
		got, err := wire.DecodeCallEvent(text)
		if got != want || err != nil {
			t.Errorf("%s: %v, got %+v", text, err, got)
		}
	}
}

// The names of a member's fields on the wire.
var (
	memberTexts = map[string]wire.MemberField{
		"member_id": wire.MemberID, "call_id": wire.MemberCallID, "node_id": wire.MemberNodeID, "room_id": wire.MemberRoomID,
		"room_session_id": wire.MemberRoomSessionID, "name": wire.MemberName, "type": wire.MemberType,
		"parent_id": wire.MemberParentID, "subscriber_id": wire.MemberSubscriberID, "address_id": wire.MemberAddressID,
		"requested_position": wire.MemberRequestedPosition,
	}
	memberFlags = map[string]wire.MemberField{
		"audio_muted": wire.MemberAudioMuted, "video_muted": wire.MemberVideoMuted, "deaf": wire.MemberDeaf,
		"visible": wire.MemberVisible, "handraised": wire.MemberHandRaised, "talking": wire.MemberTalking,
		"echo_cancellation": wire.MemberEchoCancellation, "auto_gain": wire.MemberAutoGain,
		"noise_suppression": wire.MemberNoiseSuppression, "lowbitrate": wire.MemberLowBitrate, "denoise": wire.MemberDenoise,
		"isAudience": wire.MemberAudience, "is_audience": wire.MemberAudience,
	}
	memberNumbers = map[string]wire.MemberField{
		"input_volume": wire.MemberInputVolume, "output_volume": wire.MemberOutputVolume,
		"input_sensitivity": wire.MemberInputSensitivity,
	}
)

func memberOf(t *testing.T, text string) wire.Member {
	t.Helper()
	e, err := wire.DecodeCallEvent(wire.Raw(`{"member":` + text + `}`))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e.Member
}

func TestEachFieldOfAMemberIsReadAloneAndKnownAlone(t *testing.T) {
	all := map[string]wire.MemberField{}
	check := func(text string, f wire.MemberField, right func(*wire.Member) bool) {
		t.Helper()
		m := memberOf(t, text)
		if !right(&m) {
			t.Errorf("%s gives %+v", text, m)
		}
		for name, other := range all {
			if m.Known(other) != (other == f) {
				t.Errorf("%s: known(%s) = %t", text, name, m.Known(other))
			}
		}
	}
	for _, fields := range []map[string]wire.MemberField{memberTexts, memberFlags, memberNumbers} {
		for name, f := range fields {
			all[name] = f
		}
	}
	none := wire.MemberField(31)
	for name, f := range memberTexts {
		check(fmt.Sprintf(`{%q:"é\n"}`, name), f, func(m *wire.Member) bool { return m.Texts[f] == "é\n" })
		check(fmt.Sprintf(`{%q:7}`, name), none, func(m *wire.Member) bool { return m.Texts[f] == "" })
	}
	for name, f := range memberFlags {
		check(fmt.Sprintf(`{%q:true}`, name), f, func(m *wire.Member) bool { return m.Flag(f) })
		check(fmt.Sprintf(`{%q:false}`, name), f, func(m *wire.Member) bool { return !m.Flag(f) })
		check(fmt.Sprintf(`{%q:null}`, name), none, func(m *wire.Member) bool { return !m.Flag(f) })
	}
	for name, f := range memberNumbers {
		check(fmt.Sprintf(`{%q:-12.5}`, name), f, func(m *wire.Member) bool { return m.Number(f) == -12.5 })
		check(fmt.Sprintf(`{%q:1e999}`, name), none, func(m *wire.Member) bool { return m.Number(f) == 0 })
	}
	check(`{"meta":{"a":[1]},"updated":["x"],"later":{}}`, none, func(m *wire.Member) bool {
		return m.Meta == `{"a":[1]}` && m.Updated == `["x"]`
	})
}

func TestAPartialMemberChangesWhatItTellsOnly(t *testing.T) {
	m := memberOf(t, `{"member_id":"m","name":"Ann","audio_muted":true,"deaf":true,"input_volume":4,"meta":{"a":1}}`)
	update := memberOf(t, `{"member_id":"m","name":"","audio_muted":false,"visible":true,"output_volume":2,"updated":["name"]}`)
	var kept []string
	m.Merge(&update, func(_ wire.MemberField, old, new string) string {
		kept = append(kept, old+">"+new)
		return new
	})
	if diff := cmp.Diff([]string{"m>m", "Ann>"}, kept); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	want := memberOf(t, `{"member_id":"m","name":"","audio_muted":false,"deaf":true,"visible":true,"input_volume":4,"output_volume":2,"meta":{"a":1}}`)
	if m != want {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

func TestDecodeRoomSessionGivesMembersInOrder(t *testing.T) {
	var names []string
	r, err := wire.DecodeRoomSession(`{"room_session_id":"rs","members":[{"member_id":"a","deaf":true},7,{"member_id":"b"}],"locked":true,"streaming":false,
		"layout_name":"grid","meta":{"k":1},"recordings":[1],"name":"lobby","display_name":"Lobby","room_id":"r","event_channel":"c","hide_video_muted":1}`,
		func(m *wire.Member) { names = append(names, fmt.Sprint(m.ID(), m.Flag(wire.MemberDeaf))) })
	want := wire.RoomSession{
		ID: "rs", RoomID: "r", EventChannel: "c", Name: "lobby", DisplayName: "Lobby", LayoutName: "grid",
		Known: wire.RoomLocked | wire.RoomStreaming, Flags: wire.RoomLocked, Meta: `{"k":1}`, Recordings: `[1]`,
	}
	if r != want || err != nil {
		t.Errorf("%v\n got %+v\nwant %+v", err, r, want)
	}
	if diff := cmp.Diff([]string{"atrue", "bfalse"}, names); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestDecodeLayoutReadsEveryLayer(t *testing.T) {
	got, err := wire.DecodeLayout(`{"id":"grid","name":"Grid","layers":[null,
		{"layer_index":1,"z_index":2,"member_id":"m","playing_file":true,"position":"standard-1","reservation":"r","visible":true,"x":1.5,"y":2,"width":50,"height":25},{}]}`)
	want := wire.Layout{ID: "grid", Name: "Grid", Layers: []wire.LayoutLayer{
		{LayerIndex: 1, ZIndex: 2, MemberID: "m", PlayingFile: true, Position: "standard-1", Reservation: "r", Visible: true, X: 1.5, Y: 2, Width: 50, Height: 25},
		{},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestDecodeTextsLeavesOutWhatIsNone(t *testing.T) {
	for text, want := range map[wire.Raw][]string{"": nil, "[]": nil, `{"a":"b"}`: nil, `["a",1,["c"],"b"]`: {"a", "b"}} {
		got, err := wire.DecodeTexts(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

// FuzzDecodeCallEvent: the decoders of room events accept whatever is JSON, and
// find what encoding/json finds.
func FuzzDecodeCallEvent(f *testing.F) {
	for _, name := range []string{"member_updated", "member_talking", "call_joined_100"} {
		frame, err := wire.Decode(string(frameBytes(f, name)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(frame.Event.Params))
	}
	f.Add(`{"layout":{"layers":[{"x":1},[]]},"capabilities":["a",{}],"room_session":{"members":[{}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := wire.DecodeCallEvent(wire.Raw(text))
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		_, roomErr := wire.DecodeRoomSession(e.RoomSession, func(m *wire.Member) { m.ID() })
		_, layoutErr := wire.DecodeLayout(e.Layout)
		_, textsErr := wire.DecodeTexts(e.Capabilities)
		for _, err := range []error{roomErr, layoutErr, textsErr} {
			if err != nil && !strings.Contains(err.Error(), "at byte 0") { // an empty text
				t.Fatal(err)
			}
		}
		var want struct {
			CallID any `json:"call_id"`
		}
		var top map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &top) == nil && json.Unmarshal(top["call_id"], &want.CallID) == nil {
			if id, ok := want.CallID.(string); ok && strings.Count(text, "call_id") == 1 && e.CallID != id {
				t.Errorf("call id %q, want %q", e.CallID, id)
			}
		}
	})
}
