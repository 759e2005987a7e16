package sessiontest_test

import (
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

// takeOver attaches a call to another client of its subscriber, on new media.
func (p *phone) takeOver(c *talk, to string) (*talk, obj) {
	p.t.Helper()
	m := p.newMedia("opus")
	a := p.invite(c.id, to, m, obj{"attach": true, "reattaching": true})
	return &talk{phone: p, id: c.id, member: c.member, media: m}, a
}

// TestCallThatIsTakenOverEndsWhereItWas: the client that had it is told who was
// faster, the call itself goes on, in its state.
func TestCallThatIsTakenOverEndsWhereItWas(t *testing.T) {
	for state, hold := range map[string]bool{"active": false, "held": true} {
		t.Run(state, func(t *testing.T) {
			gw := sessiontest.NewServer(t)
			old := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "opus")
			other := newPhone(t, gw, "noor@example.org").dial("/public/lobby", "opus")
			if hold {
				old.verto(old.id, "verto.modify", obj{"dialogParams": old.dialog(old.id, ""), "action": "hold"})
			}
			now, a := newPhone(t, gw, "mara@example.org").takeOver(old, "/public/lobby")
			if dig(a, "result", "holdState") != state || dig(a, "result", "memberID") != old.member {
				t.Errorf("the invite is answered by %v", a)
			}
			if bye := old.onVerto("verto.bye"); bye["callID"] != old.id || bye["cause"] != "LOSE_RACE" || bye["causeCode"] != 502.0 {
				t.Errorf("the first is told %v", bye)
			}
			now.accept("verto.answer")
			<-now.media.ears[0].connected
			if hold {
				now.verto(now.id, "verto.modify", obj{"dialogParams": now.dialog(now.id, ""), "action": "unhold"})
			}
			other.media.speak(0, 960, marked("noor"))
			now.media.ears[0].wait(t, atLeast(10))
			if info, ok := gw.Call(old.id); !ok || info.State == sessiontest.CallEnded || len(gw.Journal().Sent("member.left")) != 0 {
				t.Errorf("the call is %+v", info)
			}
			if a := now.bye(); dig(a, "result", "message") != "CALL ENDED" {
				t.Errorf("bye: %v", a)
			}
		})
	}
}

// TestResumedSessionIsOfferedTheCallsWithoutMedia once, and not those whose media
// never broke.
func TestResumedSessionIsOfferedTheCallsWithoutMedia(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := &phone{wsClient: dialWS(t, gw), gw: gw, sat: gw.IssueSAT(sessiontest.SATRequest{Reference: "mara@example.org"})}
	a := p.connect(p.sat.Token)
	resume := obj{"protocol": dig(a, "result", "protocol"), "authorization_state": p.state()}
	p.rpc("subscriber.online", obj{})
	broken, well := p.dial("/public/lobby", "opus"), p.dial("/public/stage", "opus")
	gw.Drop("mara@example.org")
	<-p.ended
	broken.media.close()

	next := &phone{wsClient: dialWS(t, gw), gw: gw, sat: p.sat}
	if a := next.connect(p.sat.Token, resume); dig(a, "result", "protocol") != resume["protocol"] {
		t.Fatalf("resume: %v", a)
	}
	if a := next.rpc("subscriber.online", obj{}); code(a) != 0 {
		t.Fatalf("online: %v", a)
	}
	offer := next.onVerto("verto.attach")
	if offer["callID"] != broken.id || offer["display_direction"] != "outbound" || offer["sdp"] == "" || offer["callee_id_number"] != "/public/lobby" {
		t.Errorf("offered %v", offer)
	}
	now, a := next.takeOver(broken, "/public/lobby")
	if dig(a, "result", "memberID") != broken.member {
		t.Fatalf("attach: %v", a)
	}
	now.accept("verto.answer")
	<-now.media.ears[0].connected
	still := &talk{phone: next, id: well.id, member: well.member, media: well.media}
	for _, c := range []*talk{now, still} {
		if a := c.bye(); dig(a, "result", "message") != "CALL ENDED" {
			t.Errorf("bye: %v", a)
		}
	}
	if sent := gw.Journal().Verto("verto.attach"); len(sent) != 1 {
		t.Errorf("%d offers: %v", len(sent), sent)
	}
}

// TestCallThatRingsIsAttachedOnlyByItsCaller, who gets the ringing again; who is
// called has nothing to attach to before the answer.
func TestCallThatRingsIsAttachedOnlyByItsCaller(t *testing.T) {
	gw := sessiontest.NewServer(t)
	noor, callee := newPhone(t, gw, "noor@example.org"), newPhone(t, gw, "noor@example.org")
	out := newPhone(t, gw, "mara@example.org").place("/private/noor", "opus")
	in := noor.rung()
	callee.rung()
	if a := callee.invite(in.id, "/private/noor", callee.newMedia("opus"), obj{"attach": true, "reattaching": true}); dig(a, "error", "code") != -32002.0 {
		t.Errorf("the callee attaches before the answer: %v", a)
	}
	now, a := newPhone(t, gw, "mara@example.org").takeOver(out, "/private/noor")
	if dig(a, "result", "memberID") != out.member {
		t.Fatalf("attach: %v", a)
	}
	if bye := out.onVerto("verto.bye"); bye["cause"] != "LOSE_RACE" {
		t.Errorf("the first is told %v", bye)
	}
	there := in.pickUp("opus")
	now.accept("verto.answer")
	there.media.speak(0, 960, marked("noor"))
	now.media.ears[0].wait(t, atLeast(10))
}
