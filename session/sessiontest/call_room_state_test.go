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
	late.place("/public/lobby", "pcmu")
	if bye := late.onVerto("verto.bye"); bye["cause"] != "CALL_REJECTED" || bye["causeCode"] != 21.0 {
		t.Errorf("bye is %v", bye)
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
