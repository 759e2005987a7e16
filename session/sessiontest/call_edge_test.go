package sessiontest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"github.com/callrx/callrx/session/sessiontest"
)

// A client whose sections change while it waits for the answer sends its invite again. What counts is that
// an answer to the last one comes, whether or not one to the first was under way.
func TestNewestOfferIsAnswered(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	for n := range 20 {
		id := fmt.Sprint("c-", n)
		m := p.newMedia("opus")
		invite := func(offer string) {
			p.send("webrtc.verto", obj{"callID": id, "message": obj{
				"jsonrpc": "2.0", "id": "v", "method": "verto.invite",
				"params": obj{"dialogParams": p.dialog(id, "/public/echo"), "sdp": offer},
			}})
		}
		first := m.offer()
		m.add(p.newPC(), "vp8", "")
		second := parse(t, first)
		o, err := m.pcs[1].CreateOffer(nil)
		one := m.local(m.pcs[1], o, err)
		invite(first)
		invite(second.with(m.pcs[1], one, 1).text(t))
		answer := p.next("answer to the second offer", func(f obj) bool {
			sdp, _ := dig(f, "params", "params", "params", "sdp").(string)
			return dig(f, "params", "params", "params", "callID") == id && strings.Contains(sdp, "m=video")
		})
		m.accept(dig(answer, "params", "params", "params", "sdp").(string))
		m.up(0)
		m.up(1)
	}
	if n := len(gw.Calls()); n != 20 {
		t.Errorf("%d legs", n)
	}
}

func TestLockedRoomRefusesCallers(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "opus")
	self := obj{"call_id": c.id, "member_id": c.member}
	c.ask("call.lock", obj{"self": self, "target": self})
	p := newPhone(t, gw, "noor@example.org")
	p.place("/public/lobby", "opus")
	if bye := p.onVerto("verto.bye"); bye["cause"] != "CALL_REJECTED" || bye["causeCode"] != 21.0 {
		t.Errorf("bye is %v", bye)
	}
	c.ask("call.unlock", obj{"self": self, "target": self})
	p.dial("/public/lobby", "opus")
}

func TestAddressesAreUnderstoodInEveryForm(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	noor := newPhone(t, gw, "noor@example.org")
	for _, to := range []string{
		"/private/noor", "/private/noor?channel=audio", "noor", "subscriber://noor", "subscriber://noor@example.org",
		"subscriber://" + noor.sat.SubscriberID,
	} {
		c := p.place(to, "opus")
		noor.rung()
		c.bye()
	}
	for _, to := range []string{"echo", "/public/echo", "+4930123456", "555", "sip:desk@example.org", "/public/l%6fbby"} {
		p.dial(to, "opus").bye()
	}
	if a := p.invite("c-x", "/no/such/address", p.newMedia("opus")); dig(a, "error", "cause") != "UNALLOCATED_NUMBER" {
		t.Errorf("three parts: %v", a)
	}
}

func TestKnownRoomsOnly(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{KnownRoomsOnly: true})
	p := newPhone(t, gw, "mara@example.org")
	if a := p.invite("c-1", "/public/lobby", p.newMedia("opus")); dig(a, "error", "causeCode") != 1.0 {
		t.Errorf("invite: %v", a)
	}
	if a := call(t, gw, "POST", "/api/fabric/resources/conference_rooms", project(gw), obj{"name": "lobby"}); a.Status >= 300 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	p.dial("/public/lobby", "opus")
}

func TestCalleeMayLeaveVideoOut(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	caller := mara.place("/private/noor", "opus", "vp8")
	r := noor.rung()
	offer := parse(t, r.invite["sdp"].(string))
	audio := description{offer.SessionDescription}
	audio.MediaDescriptions = offer.MediaDescriptions[:1]
	m, answer := noor.answerTo(audio.text(t), "opus")
	answer += "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\n"
	noor.verto(r.id, "verto.answer", obj{"dialogParams": noor.dialog(r.id, ""), "sdp": answer})
	caller.accept("verto.answer")
	if info, _ := gw.Call(caller.id); len(info.Sections) != 1 {
		t.Errorf("caller has %+v", info.Sections)
	}
	m.speak(0, 960, marked("noor"))
	caller.media.ears[0].wait(t, atLeast(5))
}

func TestCalleeWithoutCommonCodecEndsTheCall(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	mara.place("/private/noor", "opus")
	r := noor.rung()
	_, answer := noor.answerTo(r.invite["sdp"].(string), "opus")
	answer = strings.Replace(answer, "opus/48000/2", "other/48000/2", 1)
	noor.verto(r.id, "verto.answer", obj{"dialogParams": noor.dialog(r.id, ""), "sdp": answer})
	for _, p := range []*phone{mara, noor} {
		if bye := p.onVerto("verto.bye"); bye["cause"] != "INCOMPATIBLE_DESTINATION" || bye["causeCode"] != 88.0 {
			t.Errorf("bye is %v", bye)
		}
	}
}

func TestHangupWhileTheOtherAnswers(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	for range 20 {
		c := mara.place("/private/noor", "opus")
		r := noor.rung()
		_, answer := noor.answerTo(r.invite["sdp"].(string), "opus")
		noor.send("webrtc.verto", obj{"callID": r.id, "message": obj{
			"jsonrpc": "2.0", "id": "v", "method": "verto.answer",
			"params": obj{"dialogParams": noor.dialog(r.id, ""), "sdp": answer},
		}})
		c.bye()
		noor.next("end", func(f obj) bool {
			return dig(f, "params", "params", "method") == "verto.bye" && dig(f, "params", "params", "params", "callID") == r.id
		})
	}
	for _, info := range gw.Calls() {
		if info.State != sessiontest.CallEnded {
			t.Errorf("still there: %+v", info)
		}
	}
}

func TestPositionsAreTold(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "opus", "vp8")
	self := obj{"call_id": c.id, "member_id": c.member}
	reserve := obj{"self": self, "targets": []obj{{"target": self, "position": "reserved-1"}}}
	if a := c.ask("call.member.position.set", reserve); dig(a, "result", "code") != "200" { // no such place in a grid
		t.Errorf("position that the layout lacks: %v", a)
	}
	c.ask("call.layout.set", obj{"self": self, "target": self, "layout": "highlight-1-responsive"})
	if n := len(gw.Journal().Sent("member.updated")); n != 0 {
		t.Errorf("%d updates", n)
	}
	c.ask("call.member.position.set", reserve)
	if m := dig(c.on("member.updated"), "member"); dig(m, "requested_position") != "reserved-1" {
		t.Errorf("member.updated is %v", m)
	}
	c.next("layout", func(f obj) bool {
		layers, _ := dig(f, "params", "params", "layout", "layers").([]any)
		return len(layers) == 1 && dig(layers[0], "reservation") == "reserved-1" && dig(layers[0], "member_id") == c.member
	})
}

func TestSecondScreenOfAnEndedCallIsGone(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	c := p.dial("/public/lobby", "opus")
	m := p.newMedia("vp8:sendonly")
	p.invite("c-screen", "/public/lobby", m, obj{"screenShare": true, "userVariables": obj{"memberCallId": c.id}})
	c.bye()
	p.on("call.left")
	for _, info := range gw.Calls() {
		if info.State != sessiontest.CallEnded {
			t.Errorf("still there: %+v", info)
		}
	}
}

func TestSilenceDoesNotTakeTheFloor(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor", "ida"}, "opus")
	in[1].media.speak(0, 960, opusSilence)
	in[0].media.speak(0, 960, spoken("mara"))
	in[2].media.ears[0].wait(t, func(p []rtp.Packet) bool { return len(p) > 10 && said(p[len(p)-1], "mara") })
	heard := len(in[2].media.ears[0].heard())
	for _, p := range in[2].media.ears[0].wait(t, atLeast(heard+20))[heard:] {
		if !said(p, "mara") {
			t.Fatal("silence was passed on while somebody spoke")
		}
	}
}
