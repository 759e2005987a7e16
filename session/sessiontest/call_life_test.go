package sessiontest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestDialFollowsTheOrderOfARoom(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	c := p.place("/public/lobby?channel=audio", "opus")
	c.onVerto("verto.answer")
	joined := p.on("call.joined")
	var order []string
	for _, e := range gw.Journal().Call(c.id) {
		order = append(order, e.Event+e.Verto)
	}
	want := []string{"verto.invite", "call.state", "webrtc.messageverto.answer", "call.state", "call.joined"}
	if d := cmp.Diff(want, order[:5]); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
	if joined["call_id"] != c.id || joined["member_id"] != c.member || joined["node_id"] == "" {
		t.Errorf("call.joined is %v", joined)
	}
	members, _ := dig(joined, "room_session", "members").([]any)
	if caps, _ := joined["capabilities"].([]any); len(members) != 1 || len(caps) != 9 {
		t.Errorf("call.joined has members %v and capabilities %v", members, caps)
	}
	if self := members[0].(obj); self["subscriber_id"] != p.sat.SubscriberID || self["input_sensitivity"] != 44.0 || self["type"] != "member" {
		t.Errorf("self is %v", self)
	}
	if n := len(gw.Journal().Sent("signalwire.authorization.state")); n != 2 {
		t.Errorf("%d authorization states were sent, want one for the connect and one for the call", n)
	}
}

func TestInviteIsRefused(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	for name, c := range map[string]struct {
		to, cause string
		extra     obj
		code      float64
		causeCode any
	}{
		"no such person":          {"/private/nobody", "UNALLOCATED_NUMBER", nil, -32002, 1.0},
		"no such context":         {"/secret/lobby", "UNALLOCATED_NUMBER", nil, -32002, 1.0},
		"failing address":         {"/public/fail", "NORMAL_TEMPORARY_FAILURE", nil, -32000, 41.0},
		"unknown reattach":        {"/public/echo", "INVALID_MSG_UNSPECIFIED", obj{"attach": true, "reattaching": true}, -32002, 95.0},
		"screen without its call": {"/public/echo", "", obj{"screenShare": true}, -32002, nil},
	} {
		a := p.invite("c-"+name, c.to, p.newMedia("opus"), c.extra)
		if dig(a, "error", "code") != c.code || dig(a, "error", "causeCode") != c.causeCode || c.cause != "" && dig(a, "error", "cause") != c.cause {
			t.Errorf("%s: %v", name, a)
		}
	}
	if a := p.verto("c-1", "verto.invite", obj{"dialogParams": p.dialog("c-1", "/public/echo"), "sdp": "nonsense"}); dig(a, "error", "code") != -32602.0 {
		t.Errorf("bad description: %v", a)
	}
	if calls := gw.Calls(); len(calls) != 0 {
		t.Errorf("calls are left: %v", calls)
	}
}

func TestDestinationsEndCalls(t *testing.T) {
	gw := sessiontest.NewServer(t)
	gw.IssueSAT(sessiontest.SATRequest{Reference: "offline@example.org"})
	p := newPhone(t, gw, "mara@example.org")
	for to, want := range map[string]obj{
		"/public/busy":          {"cause": "USER_BUSY", "causeCode": 17.0},
		"/public/gone":          {"cause": "UNALLOCATED_NUMBER", "causeCode": 1.0},
		"subscriber://offline":  {"cause": "USER_NOT_REGISTERED", "causeCode": 20.0},
		"/private/offline":      {"cause": "USER_NOT_REGISTERED", "causeCode": 20.0},
		"/public/lobby?x=nopcm": {"cause": "INCOMPATIBLE_DESTINATION", "causeCode": 88.0},
	} {
		section := "opus"
		if to == "/public/lobby?x=nopcm" {
			newPhone(t, gw, "first@example.org").dial("/public/lobby", "pcmu")
		}
		c := p.place(to, section)
		bye := p.onVerto("verto.bye")
		want["callID"] = c.id
		if d := cmp.Diff(want, bye); d != "" {
			t.Errorf("%s (-want +got):\n%s", to, d)
		}
		if info, _ := gw.Call(c.id); info.State != sessiontest.CallEnded || info.Cause != want["cause"] {
			t.Errorf("%s: %+v", to, info)
		}
	}
}

func TestRingingIsNeverAnswered(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").place("/public/ring", "opus")
	c.next("ringing", func(f obj) bool { return dig(f, "params", "params", "call_state") == "ringing" })
	if info, _ := gw.Call(c.id); info.State != sessiontest.CallRinging {
		t.Errorf("call is %+v", info)
	}
	if a := c.bye(); dig(a, "result", "cause") != "NORMAL_CLEARING" {
		t.Errorf("bye: %v", a)
	}
	if n := len(gw.Journal().Verto("verto.answer")) + len(gw.Journal().Verto("verto.media")); n != 0 {
		t.Errorf("%d answers were sent", n)
	}
}

func TestEarlyMediaComesBeforeTheAnswer(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{EarlyMedia: 300 * time.Millisecond})
	c := newPhone(t, gw, "mara@example.org").place("/public/early", "pcmu")
	c.accept("verto.media")
	c.media.ears[0].wait(t, atLeast(3))
	if answer := c.onVerto("verto.answer"); answer["sdp"] != nil {
		t.Errorf("the answer has a second description: %v", answer)
	}
	c.on("call.joined")
}

func TestNumbersGoToTheDefaultDestination(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{DefaultDestination: "/public/busy"})
	p := newPhone(t, gw, "mara@example.org")
	for _, to := range []string{"+4930123456", "sip:desk@example.org"} {
		p.place(to, "pcmu")
		if bye := p.onVerto("verto.bye"); bye["cause"] != "USER_BUSY" {
			t.Errorf("%s: %v", to, bye)
		}
	}
}

func TestByeEndsCallsBothWays(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	c := p.dial("/public/echo", "opus")
	want := obj{"callID": c.id, "message": "CALL ENDED", "causeCode": 16.0, "cause": "NORMAL_CLEARING"}
	if d := cmp.Diff(want, c.bye()["result"]); d != "" {
		t.Errorf("bye (-want +got):\n%s", d)
	}
	if left := p.on("call.left"); left["reason"] != "hangup" || left["capabilities"] != nil {
		t.Errorf("call.left is %v", left)
	}
	if a := c.bye(); dig(a, "error", "code") != -32002.0 || dig(a, "error", "message") != "CALL DOES NOT EXIST" {
		t.Errorf("second bye: %v", a)
	}
	c = p.dial("/public/echo", "opus")
	if !gw.HangupCall(c.id, "MEDIA_TIMEOUT", 0) {
		t.Error("call was not there")
	}
	if bye := p.onVerto("verto.bye"); bye["callID"] != c.id || bye["cause"] != "MEDIA_TIMEOUT" || bye["causeCode"] != 804.0 {
		t.Errorf("bye is %v", bye)
	}
	if gw.HangupCall(c.id, "", 0) {
		t.Error("call was ended twice")
	}
	if n := len(gw.Journal().Verto("verto.bye")); n != 3 {
		t.Errorf("%d byes, want two from the client and one to it", n)
	}
}
