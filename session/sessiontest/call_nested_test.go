package sessiontest_test

import (
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestCallIsTakenOnIntoAnotherRoomAndBack(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	ida := newPhone(t, gw, "ida@example.org").dial("/public/side", "pcmu")
	for i, l := range append(in, ida) {
		l.media.sing(0, []float64{500, 900, 1700}[i])
	}
	mara, noor := in[0], in[1]
	mara.media.hears(t, []float64{900}, []float64{1700})
	if err := gw.ConnectCall(mara.id, "/public/side"); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"connecting", "connected"} {
		if c := mara.on("call.connect"); c["connect_state"] != state || c["call_id"] != mara.id {
			t.Errorf("call.connect is %v", c)
		}
	}
	joined := mara.on("call.joined")
	if joined["call_id"] != mara.id || joined["origin_call_id"] != mara.id || joined["member_id"] != mara.member || joined["room_session_id"] == "" {
		t.Errorf("call.joined is %v", joined)
	}
	if members, _ := dig(joined, "room_session", "members").([]any); len(members) != 2 || dig(joined, "room_session", "name") != "side" {
		t.Errorf("room is %v", joined["room_session"])
	}
	if m := ida.on("member.joined"); dig(m, "member", "member_id") != mara.member || m["room_session_id"] != joined["room_session_id"] {
		t.Errorf("member.joined is %v", m)
	}
	mara.media.hears(t, []float64{1700}, []float64{900})

	// both rooms hear of what changes, and members of both can be meant
	mara.control("call.raisehand", mara.member, nil)
	for _, l := range []*talk{noor, ida} {
		if m := l.on("member.updated"); dig(m, "member", "handraised") != true {
			t.Errorf("member.updated is %v", m)
		}
	}
	for _, l := range []*talk{noor, ida} {
		mara.control("call.deaf", l.member, nil)
		if m := l.on("member.updated"); dig(m, "member", "member_id") != l.member {
			t.Errorf("member.updated is %v", m)
		}
		mara.control("call.undeaf", l.member, nil)
	}

	if !gw.ReturnCall(mara.id) || gw.ReturnCall(mara.id) {
		t.Error("the way back is not one step")
	}
	if left := mara.on("call.left"); left["room_session_id"] != joined["room_session_id"] || left["reason"] != "returned" {
		t.Errorf("call.left is %v", left)
	}
	if left := ida.on("member.left"); dig(left, "member", "member_id") != mara.member {
		t.Errorf("member.left is %v", left)
	}
	if again := mara.on("call.joined"); again["room_session_id"] == joined["room_session_id"] {
		t.Errorf("call.joined is %v", again)
	}
	mara.media.hears(t, []float64{900}, []float64{1700})
	if n := len(gw.Journal().Verto("verto.bye")); n != 0 {
		t.Errorf("%d byes", n)
	}
}

func TestNestedCallLeavesEveryRoomWhenItEnds(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	ida := newPhone(t, gw, "ida@example.org").dial("/public/side", "pcmu")
	if err := gw.ConnectCall(in[0].id, "/public/side"); err != nil {
		t.Fatal(err)
	}
	in[0].bye()
	for _, l := range []*talk{in[1], ida} {
		if left := l.on("member.left"); dig(left, "member", "member_id") != in[0].member {
			t.Errorf("member.left is %v", left)
		}
	}
	first, second := in[0].on("call.left"), in[0].on("call.left")
	if first["room_session_id"] == second["room_session_id"] || dig(first, "room_session", "name") != "side" {
		t.Errorf("left %v and %v", first, second)
	}
}

func TestConnectCallRefusesWhatCannotBe(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara"}, "pcmu")
	ida := newPhone(t, gw, "ida@example.org").dial("/public/side", "pcmu")
	ida.control("call.lock", ida.member, nil)
	for _, c := range [][2]string{{"nobody", "/public/side"}, {in[0].id, "/public/echo"}, {in[0].id, "/public/side"}, {in[0].id, "/public/lobby"}} {
		if err := gw.ConnectCall(c[0], c[1]); err == nil {
			t.Errorf("%v is no error", c)
		}
	}
	if n := len(gw.Journal().Sent("call.connect")); n != 0 {
		t.Errorf("%d connects", n)
	}
}
