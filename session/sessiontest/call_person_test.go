package sessiontest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"

	"github.com/callrx/callrx/session/sessiontest"
)

// ringing is a call at the one who is called.
type ringing struct {
	*phone
	id     string
	invite obj
}

func (p *phone) rung() *ringing {
	p.t.Helper()
	invite := p.onVerto("verto.invite")
	return &ringing{p, invite["callID"].(string), invite}
}

// pickUp answers with the given codecs.
func (r *ringing) pickUp(sections ...string) *talk {
	r.t.Helper()
	m, answer := r.answerTo(r.invite["sdp"].(string), sections...)
	a := r.verto(r.id, "verto.answer", obj{"dialogParams": r.dialog(r.id, "/private/noor"), "sdp": answer})
	if a["error"] != nil {
		r.t.Fatalf("answer: %v", a)
	}
	return &talk{phone: r.phone, id: r.id, media: m}
}

// meet connects two subscribers.
func meet(t *testing.T, gw *sessiontest.Server, sections ...string) (caller, callee *talk) {
	t.Helper()
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	caller = mara.place("/private/noor", sections...)
	callee = noor.rung().pickUp(sections...)
	caller.accept("verto.answer")
	caller.on("call.joined")
	callee.on("call.joined")
	return caller, callee
}

func TestTwoSubscribersHearEachOther(t *testing.T) {
	gw := sessiontest.NewServer(t)
	caller, callee := meet(t, gw, "opus", "vp8")
	for i := range 2 {
		caller.media.speak(i, 960, marked("mara"))
		callee.media.speak(i, 960, marked("noor"))
	}
	for i := range 2 {
		for _, p := range callee.media.ears[i].wait(t, atLeast(10)) {
			if !from(p, "mara") {
				t.Fatalf("noor hears %q", p.Payload)
			}
		}
		for _, p := range caller.media.ears[i].wait(t, atLeast(10)) {
			if !from(p, "noor") {
				t.Fatalf("mara hears %q", p.Payload)
			}
		}
	}
}

func TestInviteToTheOneCalledTellsWhoCalls(t *testing.T) {
	gw := sessiontest.NewServer(t)
	gw.IssueSAT(sessiontest.SATRequest{Reference: "mara@example.org", DisplayName: "Mara"})
	gw.IssueSAT(sessiontest.SATRequest{Reference: "noor@example.org", DisplayName: "Noor"})
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	m := mara.newMedia("opus", "vp8")
	mara.invite("c-1", "/private/noor?channel=video", m, obj{"userVariables": obj{"memberCallId": "c-1", "ticket": "42"}})
	r := noor.rung()
	offer := parse(t, r.invite["sdp"].(string))
	if len(offer.MediaDescriptions) != 2 || isBundle(offer) {
		t.Errorf("offer is\n%s", r.invite["sdp"])
	}
	delete(r.invite, "sdp")
	want := obj{
		"callID": r.id, "display_direction": "outbound", "caller_id_name": "Mara", "caller_id_number": "/private/mara",
		"callee_id_name": "Noor", "callee_id_number": "/private/noor", "userVariables": obj{"ticket": "42"},
	}
	if d := cmp.Diff(want, r.invite); d != "" {
		t.Errorf("invite (-want +got):\n%s", d)
	}
}

func isBundle(d description) bool {
	_, ok := d.Attribute("group")
	return ok
}

func TestRejectReachesTheCaller(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	c := mara.place("/private/noor", "opus")
	r := noor.rung()
	a := r.verto(r.id, "verto.bye", obj{"dialogParams": r.dialog(r.id, "/private/noor"), "cause": "USER_BUSY", "causeCode": "17"})
	if dig(a, "result", "causeCode") != 17.0 || dig(a, "result", "cause") != "USER_BUSY" {
		t.Errorf("bye: %v", a)
	}
	if bye := mara.onVerto("verto.bye"); bye["callID"] != c.id || bye["cause"] != "USER_BUSY" || bye["causeCode"] != 17.0 {
		t.Errorf("caller gets %v", bye)
	}
}

func TestFirstAnswerWins(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, desk, mobile := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org"), newPhone(t, gw, "noor@example.org")
	c := mara.place("/private/noor", "opus")
	r, loser := desk.rung(), mobile.rung()
	if r.id == loser.id {
		t.Error("both sessions were rung with one call id")
	}
	callee := r.pickUp("opus")
	if a := desk.verto(r.id, "verto.answer", obj{"dialogParams": desk.dialog(r.id, ""), "sdp": r.invite["sdp"]}); a["error"] == nil {
		t.Errorf("second answer: %v", a)
	}
	if bye := mobile.onVerto("verto.bye"); bye["callID"] != loser.id || bye["cause"] != "LOSE_RACE" {
		t.Errorf("loser gets %v", bye)
	}
	_, answer := mobile.answerTo(loser.invite["sdp"].(string), "opus")
	if a := mobile.verto(loser.id, "verto.answer", obj{"dialogParams": mobile.dialog(loser.id, ""), "sdp": answer}); dig(a, "error", "message") != "CALL DOES NOT EXIST" {
		t.Errorf("late answer: %v", a)
	}
	c.accept("verto.answer")
	callee.media.speak(0, 960, marked("noor"))
	c.media.ears[0].wait(t, atLeast(3))
}

func TestCancelledRingingIsToldTwice(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	c := mara.place("/private/noor", "opus")
	r := noor.rung()
	c.bye()
	for range 2 {
		if bye := noor.onVerto("verto.bye"); bye["callID"] != r.id || bye["cause"] != "ORIGINATOR_CANCEL" || bye["causeCode"] != 487.0 {
			t.Errorf("bye is %v", bye)
		}
	}
}

func TestUnansweredCallEnds(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{RingTimeout: 200 * time.Millisecond})
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	mara.place("/private/noor", "opus")
	for _, p := range []*phone{mara, noor} {
		if bye := p.onVerto("verto.bye"); bye["cause"] != "NO_ANSWER" || bye["causeCode"] != 19.0 {
			t.Errorf("bye is %v", bye)
		}
	}
}

func TestEitherEndHangsUpBoth(t *testing.T) {
	for _, first := range []string{"caller", "callee"} {
		t.Run(first, func(t *testing.T) {
			gw := sessiontest.NewServer(t)
			a, b := meet(t, gw, "opus")
			if first == "callee" {
				a, b = b, a
			}
			a.bye()
			if bye := b.onVerto("verto.bye"); bye["callID"] != b.id || bye["cause"] != "NORMAL_CLEARING" {
				t.Errorf("bye is %v", bye)
			}
			b.on("call.left")
			for _, info := range gw.Calls() {
				if info.State != sessiontest.CallEnded {
					t.Errorf("still there: %+v", info)
				}
			}
		})
	}
}

func TestDigitsReachTheOtherEnd(t *testing.T) {
	gw := sessiontest.NewServer(t)
	caller, callee := meet(t, gw, "pcmu")
	caller.media.speak(0, 160, marked("mara"))
	callee.media.ears[0].wait(t, atLeast(5))
	caller.verto(caller.id, "verto.info", obj{"sessid": caller.id, "dialogParams": obj{"callID": caller.id}, "dtmf": "9"})
	var digit []rtp.Packet
	callee.media.ears[0].wait(t, func(heard []rtp.Packet) bool {
		digit = nil
		for n, p := range heard {
			if p.PayloadType == 126 {
				digit = append(digit, p)
			} else if len(digit) > 0 && len(digit) < 7 {
				t.Fatalf("packet %d is speech in the middle of the digit", n)
			}
		}
		return len(digit) == 7
	})
	for n, p := range digit {
		if p.Payload[0] != 9 || p.Payload[1]&0x80 != 0 != (n >= 4) || p.Timestamp != digit[0].Timestamp || p.Marker != (n == 0) {
			t.Errorf("packet %d is %v", n, p)
		}
	}
	events := eventTrack(t, callee)
	events(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 126, Marker: true}, Payload: []byte{3, 10, 0, 160}})
	p := caller.media.ears[0].wait(t, atLeast(1))[0]
	if p.PayloadType != 126 || p.Payload[0] != 3 {
		t.Errorf("caller hears %v", p)
	}
}

func TestTransferMovesTheOtherEnd(t *testing.T) {
	gw := sessiontest.NewServer(t)
	caller, callee := meet(t, gw, "pcmu")
	a := callee.verto(callee.id, "verto.modify", obj{
		"destination": "/public/tone", "dialogParams": callee.dialog(callee.id, ""), "action": "transfer",
	})
	if d := cmp.Diff(any(obj{"action": "transfer", "callID": callee.id, "message": "CALL TRANSFERRED"}), a["result"]); d != "" {
		t.Errorf("transfer (-want +got):\n%s", d)
	}
	if bye := callee.onVerto("verto.bye"); bye["callID"] != callee.id {
		t.Errorf("bye is %v", bye)
	}
	if joined := caller.on("call.joined"); joined["call_id"] != caller.id || joined["member_id"] != caller.member {
		t.Errorf("call.joined is %v", joined)
	}
	caller.media.ears[0].wait(t, atLeast(10))
	if info, _ := gw.Call(caller.id); info.State != sessiontest.CallAnswered || info.Destination != "/public/tone" {
		t.Errorf("call is %+v", info)
	}
}

func TestTransferRingsAThird(t *testing.T) {
	gw := sessiontest.NewServer(t)
	caller, callee := meet(t, gw, "pcmu")
	ida := newPhone(t, gw, "ida@example.org")
	callee.verto(callee.id, "verto.modify", obj{
		"destination": "/private/ida", "dialogParams": callee.dialog(callee.id, ""), "action": "transfer",
	})
	third := ida.rung().pickUp("pcmu")
	caller.on("call.joined")
	third.media.speak(0, 160, marked("ida"))
	caller.media.ears[0].wait(t, func(packets []rtp.Packet) bool {
		return len(packets) > 0 && from(packets[len(packets)-1], "ida")
	})
}
