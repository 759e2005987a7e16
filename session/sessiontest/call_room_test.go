package sessiontest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/callrx/callrx/session/sessiontest"
)

// guests dials a room with one subscriber per name.
func guests(t *testing.T, gw *sessiontest.Server, names []string, sections ...string) []*talk {
	t.Helper()
	var in []*talk
	for _, name := range names {
		in = append(in, newPhone(t, gw, name+"@example.org").dial("/public/lobby", sections...))
	}
	return in
}

func TestMembersLearnOfEachOther(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "opus")
	joined := in[0].next("noor", func(f obj) bool {
		return dig(f, "params", "event_type") == "member.joined" && dig(f, "params", "params", "member", "member_id") == in[1].member
	})
	if channel, _ := dig(joined, "params", "event_channel").([]any); len(channel) != 2 {
		t.Errorf("channel is %v", channel)
	}
	in[1].bye()
	if left := in[0].on("member.left"); dig(left, "member", "member_id") != in[1].member || left["reason"] != "hangup" {
		t.Errorf("member.left is %v", left)
	}
	// whoever comes learns of everybody at once, and not by member.joined
	third := newPhone(t, gw, "ida@example.org").place("/public/lobby", "opus")
	if members, _ := dig(third.on("call.joined"), "room_session", "members").([]any); len(members) != 2 {
		t.Errorf("members are %v", members)
	}
}

func TestRoomPassesOnWhoSpeaks(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor", "ida"}, "opus")
	stop := in[0].media.speak(0, 960, spoken("mara"))
	for _, l := range in[1:] {
		l.media.ears[0].wait(t, func(p []rtp.Packet) bool { return len(p) > 10 && said(p[len(p)-1], "mara") })
	}
	stop()
	in[1].media.speak(0, 960, spoken("noor"))
	for _, l := range []*talk{in[0], in[2]} {
		l.media.ears[0].wait(t, func(p []rtp.Packet) bool { return len(p) > 10 && said(p[len(p)-1], "noor") })
	}
	for who, l := range in {
		heard := l.media.ears[0].heard()
		for n := 1; n < len(heard); n++ {
			if d := int16(heard[n].SequenceNumber - heard[n-1].SequenceNumber); d < 1 || d > 2 {
				t.Errorf("leg %d: packet %d comes %d numbers after the one before", who, n, d)
			}
			if d := int32(heard[n].Timestamp - heard[n-1].Timestamp); d <= 0 {
				t.Errorf("leg %d: packet %d comes %d ticks after the one before", who, n, d)
			}
		}
	}
	talking := in[2].next("talking", func(f obj) bool { return dig(f, "params", "event_type") == "member.talking" })
	if dig(talking, "params", "params", "member", "member_id") != in[0].member {
		t.Errorf("member.talking is %v", talking)
	}
	in[2].next("silence", func(f obj) bool { return dig(f, "params", "params", "member", "talking") == false })
}

func TestVideoStartsWithARequestForAKeyFrame(t *testing.T) {
	gw := sessiontest.NewServer(t)
	first := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "opus", "vp8")
	asked := make(chan struct{}, 64)
	go func() {
		for {
			packets, _, err := first.media.pcs[1].GetSenders()[0].ReadRTCP()
			if err != nil {
				return
			}
			if slices.ContainsFunc(packets, func(p rtcp.Packet) bool { _, ok := p.(*rtcp.PictureLossIndication); return ok }) {
				asked <- struct{}{}
			}
		}
	}()
	first.media.speak(1, 3000, marked("mara"))
	second := newPhone(t, gw, "noor@example.org").dial("/public/lobby", "opus", "vp8")
	second.media.ears[1].wait(t, atLeast(5))
	<-asked
	for len(asked) > 0 {
		<-asked
	}
	// the receiver's own request is passed on
	ssrc := second.media.ears[1].heard()[0].SSRC
	if err := second.media.pcs[1].WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}); err != nil {
		t.Fatal(err)
	}
	<-asked
}

func TestScreenIsAMemberOfItsOwn(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "opus", "vp8")
	mara, noor := in[0], in[1]
	screen := &talk{phone: mara.phone, id: mara.id + "-screen", media: mara.newMedia("vp8:sendonly")}
	a := mara.invite(screen.id, "/public/lobby", screen.media, obj{
		"screenShare": true, "userVariables": obj{"memberCallId": mara.id, "memberId": mara.member},
	})
	if a["error"] != nil {
		t.Fatalf("invite: %v", a)
	}
	screen.member, _ = dig(a, "result", "memberID").(string)
	screen.accept("verto.answer")
	for _, p := range in {
		joined := p.next("screen", func(f obj) bool { return dig(f, "params", "params", "member", "member_id") == screen.member })
		m := dig(joined, "params", "params", "member").(obj)
		if m["type"] != "screen" || m["parent_id"] != mara.member || m["call_id"] != screen.id {
			t.Errorf("screen is %v", m)
		}
	}
	noor.media.up(1)
	screen.media.speak(0, 3000, marked("screen"))
	noor.media.ears[1].wait(t, func(p []rtp.Packet) bool { return len(p) > 0 && from(p[len(p)-1], "screen") })
	// the bye of a screen names its call in the envelope
	a = mara.ask("webrtc.verto", obj{"callID": mara.id, "message": obj{
		"jsonrpc": "2.0", "id": "v", "method": "verto.bye", "params": obj{"dialogParams": mara.dialog(screen.id, "", obj{"screenShare": true})},
	}})
	if dig(a, "result", "result", "result", "callID") != screen.id {
		t.Errorf("bye: %v", a)
	}
	for _, p := range in {
		if left := p.on("member.left"); dig(left, "member", "member_id") != screen.member {
			t.Errorf("member.left is %v", left)
		}
	}
	if info, _ := gw.Call(mara.id); info.State != sessiontest.CallAnswered {
		t.Errorf("call is %+v", info)
	}
	if n := len(gw.Journal().Verto("verto.bye")); n != 1 {
		t.Errorf("%d byes", n)
	}
}

func TestControlsChangeMembersForEverybody(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "opus", "vp8")
	mara, noor := in[0], in[1]
	self := obj{"node_id": "n", "call_id": mara.id, "member_id": mara.member}
	other := obj{"node_id": "n", "call_id": mara.id, "member_id": noor.member}
	for _, c := range []struct {
		method string
		target obj
		extra  obj
		field  string
		want   any
	}{
		{"call.mute", self, obj{"channels": []string{"audio"}}, "audio_muted", true},
		{"call.unmute", self, obj{"channels": []string{"audio"}}, "audio_muted", false},
		{"call.mute", other, obj{"channels": []string{"video"}}, "video_muted", true},
		{"call.deaf", self, nil, "deaf", true},
		{"call.undeaf", self, nil, "deaf", false},
		{"call.raisehand", other, nil, "handraised", true},
		{"call.lowerhand", other, nil, "handraised", false},
		{"call.microphone.volume.set", self, obj{"volume": 40}, "input_volume", 40.0},
		{"call.speaker.volume.set", self, obj{"volume": 10}, "output_volume", 10.0},
		{"call.microphone.sensitivity.set", self, obj{"sensitivity": 50}, "input_sensitivity", 50.0},
		{"call.lowbitrate.set", self, obj{"lowbitrate": true}, "lowbitrate", true},
		{"call.audioflags.set", self, obj{"echo_cancellation": false, "auto_gain": true, "noise_suppression": true}, "echo_cancellation", false},
	} {
		p := obj{"self": self, "target": c.target}
		for k, v := range c.extra {
			p[k] = v
		}
		if a := mara.ask(c.method, p); dig(a, "result", "code") != "200" {
			t.Errorf("%s: %v", c.method, a)
		}
		for _, l := range in {
			m := dig(l.on("member.updated"), "member").(obj)
			if m["member_id"] != c.target["member_id"] || m[c.field] != c.want || !slices.Contains(m["updated"].([]any), any(c.field)) {
				t.Errorf("%s: %v", c.method, m)
			}
		}
	}
	if a := mara.ask("call.layout.list", obj{"self": self, "target": self}); len(dig(a, "result", "layouts").([]any)) == 0 {
		t.Errorf("layouts: %v", a)
	}
	mara.ask("call.layout.set", obj{"self": self, "target": self, "layout": "3x3"})
	for _, l := range in {
		l.next("layout", func(f obj) bool { return dig(f, "params", "params", "layout", "id") == "3x3" })
	}
	mara.ask("call.lock", obj{"self": self, "target": self})
	for _, event := range []string{"call.updated", "room.updated"} {
		if e := noor.on(event); dig(e, "room_session", "locked") != true {
			t.Errorf("%s is %v", event, e)
		}
	}
	for name, c := range map[string]struct {
		method string
		target obj
		code   string
	}{
		"unknown member": {"call.deaf", obj{"member_id": "nobody"}, "404"},
		"no number":      {"call.speaker.volume.set", self, "-32602"},
		"unknown layout": {"call.layout.set", self, "404"},
	} {
		if a := mara.ask(c.method, obj{"self": self, "target": c.target}); dig(a, "result", "code") != c.code {
			t.Errorf("%s: %v", name, a)
		}
	}
	mara.ask("call.member.remove", obj{"self": self, "targets": []obj{other}})
	if bye := noor.onVerto("verto.bye"); bye["callID"] != noor.id {
		t.Errorf("bye is %v", bye)
	}
	if left := mara.on("member.left"); dig(left, "member", "member_id") != noor.member || left["reason"] != "removed" {
		t.Errorf("member.left is %v", left)
	}
}

func TestMutedMemberIsNotHeard(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "opus")
	self := obj{"call_id": in[0].id, "member_id": in[0].member}
	in[0].media.speak(0, 960, marked("mara"))
	in[1].media.ears[0].wait(t, atLeast(5))
	in[0].ask("call.mute", obj{"self": self, "target": self, "channels": []string{"audio"}})
	before, _ := gw.Call(in[1].id)
	for {
		source, _ := gw.Call(in[0].id)
		if after, _ := gw.Call(in[1].id); after.Section("audio").PacketsOut > before.Section("audio").PacketsOut+1 {
			t.Fatalf("heard while muted: %+v", after)
		}
		if source.Section("audio").PacketsIn > before.Section("audio").PacketsOut+60 {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestCapabilitiesAreEnforced(t *testing.T) {
	gw := sessiontest.NewServer(t)
	caller, callee := meet(t, gw, "opus")
	self := obj{"call_id": caller.id, "member_id": caller.member}
	info, _ := gw.Call(callee.id)
	if a := caller.ask("call.mute", obj{"self": self, "target": obj{"member_id": info.MemberID}, "channels": []string{"audio"}}); dig(a, "result", "code") != "-32001" {
		t.Errorf("muting the other end: %v", a)
	}
	if a := caller.ask("call.lock", obj{"self": self, "target": self}); dig(a, "result", "code") != "-32001" {
		t.Errorf("lock: %v", a)
	}
	if a := caller.ask("call.mute", obj{"self": self, "target": self, "channels": []string{"audio"}}); dig(a, "result", "code") != "200" {
		t.Errorf("muting oneself: %v", a)
	}
}
