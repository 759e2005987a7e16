package sessiontest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestRoomStateIsToldInFull(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	err := gw.UpdateRoom("/public/lobby", func(r *sessiontest.RoomState) {
		r.Recording, r.Streaming, r.PrioritizeHandRaise, r.Locked = true, true, true, true
		r.Meta = map[string]any{"topic": "bees"}
		r.Recordings = []map[string]any{{"id": "rec-1", "state": "recording"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range in {
		for _, event := range []string{"call.updated", "room.updated"} {
			s := p.on(event)["room_session"].(obj)
			for key, want := range (obj{
				"recording": true, "streaming": true, "prioritize_handraise": true, "locked": true, "hide_video_muted": false,
				"meta": obj{"topic": "bees"}, "recordings": []any{obj{"id": "rec-1", "state": "recording"}},
				"streams": []any{}, "playbacks": []any{}, "layout_name": "grid-responsive",
			}) {
				if d := cmp.Diff(want, s[key]); d != "" {
					t.Errorf("%s: %s (-want +got):\n%s", event, key, d)
				}
			}
			if members, _ := s["members"].([]any); len(members) != 2 || s["event_channel"] == "" {
				t.Errorf("%s is %v", event, s)
			}
		}
	}
}

func TestLockedRoomTurnsEverybodyAway(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	mara.control("call.lock", mara.member, nil)
	mara.on("call.updated")
	late := newPhone(t, gw, "noor@example.org")
	refused := late.place("/public/lobby", "pcmu")
	if bye := late.onVerto("verto.bye"); bye["cause"] != "CALL_REJECTED" || bye["causeCode"] != 21.0 {
		t.Errorf("bye is %v", bye)
	}
	if n := len(gw.Journal().Call(refused.id).Verto("verto.answer")); n != 0 {
		t.Error("the call was answered before it was turned away")
	}
	if _, err := gw.Join("/public/lobby", sessiontest.BotOptions{}); err == nil {
		t.Error("a bot came in")
	}
	mara.control("call.unlock", mara.member, nil)
	late.dial("/public/lobby", "pcmu")
	if joined := mara.on("member.joined"); dig(joined, "member", "type") != "member" {
		t.Errorf("member.joined is %v", joined)
	}
}

// A state that is decided while nobody is there is the one the room opens with, again and again.
func TestRoomOpensAsItWasDecided(t *testing.T) {
	gw := sessiontest.NewServer(t)
	decide := func(change func(*sessiontest.RoomState)) {
		t.Helper()
		if err := gw.UpdateRoom("/public/lobby", change); err != nil {
			t.Fatal(err)
		}
	}
	decide(func(r *sessiontest.RoomState) { r.Layout = "3x3" })
	decide(func(r *sessiontest.RoomState) { r.Streaming = true })
	for range 2 {
		c := newPhone(t, gw, "mara@example.org").place("/public/lobby", "pcmu")
		s := c.on("call.joined")["room_session"].(obj)
		if s["layout_name"] != "3x3" || s["streaming"] != true || s["recording"] != false {
			t.Errorf("room is %v", s)
		}
		decide(func(r *sessiontest.RoomState) { r.Recording = true }) // of this session only
		c.on("call.updated")
		c.bye()
	}
	for address, layout := range map[string]string{"/public/echo": "3x3", "/public/lobby": "7x1", "nonsense/": "3x3"} {
		if err := gw.UpdateRoom(address, func(r *sessiontest.RoomState) { r.Layout = layout }); err == nil {
			t.Errorf("%s with %s is no error", address, layout)
		}
	}
}

func TestRoomOfABackendOpensAsItWasCreated(t *testing.T) {
	gw := sessiontest.NewServer(t)
	call(t, gw, "POST", "/api/fabric/resources/conference_rooms", project(gw), obj{
		"name": "hall", "layout": "highlight-1-responsive", "prioritize_handraise": true, "meta": obj{"floor": "2"},
	})
	c := newPhone(t, gw, "mara@example.org").place("/public/hall", "pcmu")
	s := c.on("call.joined")["room_session"].(obj)
	if s["layout_name"] != "highlight-1-responsive" || s["prioritize_handraise"] != true || dig(s, "meta", "floor") != "2" {
		t.Errorf("room is %v", s)
	}
}

func TestMembersAreListed(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	list, _ := dig(in[0].control("call.member.list", in[0].member, nil), "result", "members").([]any)
	if len(list) != 2 || dig(list[0], "member_id") != in[0].member || dig(list[1], "member_id") != in[1].member {
		t.Errorf("members are %v", list)
	}
}

func TestAdminAPIChangesRooms(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{AdminAddr: "127.0.0.1:0"})
	admin := adminOf(t, gw)
	mara := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	calls := "/calls/" + mara.id
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/roles", `{"address":"/public/lobby","who":"noor@example.org","role":"audience"}`, 204},
		{"POST", calls + "/capabilities", `["self","lock.on"]`, 204},
		{"POST", "/calls/none/capabilities", `[]`, 404},
		{"POST", calls + "/capabilities", `{`, 400},
		{"POST", calls + "/connect?to=/public/side", "", 204},
		{"POST", calls + "/connect?to=/public/echo", "", 400},
		{"POST", calls + "/return", "", 204},
		{"POST", calls + "/return", "", 404},
		{"POST", "/bots", `{"address":"/public/lobby","name":"Echo","hertz":500,"ms":200}`, 201},
		{"POST", "/bots", `{"address":"/public/echo"}`, 400},
		{"PATCH", "/rooms?address=/public/lobby", `{"locked":"yes"}`, 400},
		{"PATCH", "/rooms?address=/public/echo", `{}`, 400},
		{"PATCH", "/rooms?address=/public/lobby", `{"locked":true,"meta":{"a":1}}`, 204},
		{"POST", "/bots", `{"address":"/public/lobby"}`, 400},
	} {
		if status, _, text := admin(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, status, text)
		}
	}
	if m := mara.on("member.joined"); dig(m, "member", "name") != "Echo" {
		t.Errorf("member.joined is %v", m)
	}
	mara.on("member.left")
	if s := mara.on("call.updated")["room_session"].(obj); s["locked"] != true || dig(s, "meta", "a") != 1.0 {
		t.Errorf("room is %v", s)
	}
	if a := mara.control("call.unlock", mara.member, nil); dig(a, "result", "code") != "200" { // the way back restored what the room gives
		t.Errorf("unlock: %v", a)
	}
	noor := newPhone(t, gw, "noor@example.org").place("/public/lobby", "pcmu")
	if granted, _ := noor.on("call.joined")["capabilities"].([]any); len(granted) != 4 {
		t.Errorf("capabilities are %v", granted)
	}
}

func TestVideoMutedMembersCanBeHidden(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu", "vp8")
	in[0].control("call.layout.set", in[0].member, obj{"layout": "2x2"})
	in[0].layers("2x2")
	in[0].control("call.mute", in[1].member, obj{"channels": []string{"video"}})
	if l := at(in[0].layers("2x2"), in[1].member); l == nil || l["visible"] != false {
		t.Errorf("muted it is at %v", l)
	}
	if err := gw.UpdateRoom("/public/lobby", func(r *sessiontest.RoomState) { r.HideVideoMuted = true }); err != nil {
		t.Fatal(err)
	}
	if l := at(in[0].layers("2x2"), in[1].member); l != nil {
		t.Errorf("hidden it is at %v", l)
	}
	in[0].control("call.unmute", in[1].member, obj{"channels": []string{"video"}})
	if l := at(in[0].layers("2x2"), in[1].member); l == nil || l["visible"] != true {
		t.Errorf("unmuted it is at %v", l)
	}
}
