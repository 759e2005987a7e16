package sessiontest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestHoldStopsMediaToTheClient(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/echo", "opus")
	c.media.speak(0, 960, marked("mara"))
	c.media.ears[0].wait(t, atLeast(10))
	modify := func(action string) any {
		return c.verto(c.id, "verto.modify", obj{"sessid": c.id, "dialogParams": obj{"callID": c.id}, "action": action})["result"]
	}
	if d := cmp.Diff(any(obj{"action": "hold", "callID": c.id, "holdState": "held"}), modify("hold")); d != "" {
		t.Errorf("hold (-want +got):\n%s", d)
	}
	held, _ := gw.Call(c.id)
	for arrived := held; arrived.Section("audio").PacketsIn < held.Section("audio").PacketsIn+50; arrived, _ = gw.Call(c.id) {
		if sent := arrived.Section("audio").PacketsOut - held.Section("audio").PacketsOut; !arrived.Held || sent > 1 {
			t.Fatalf("%d packets were sent while on hold: %+v", sent, arrived)
		}
		<-time.After(10 * time.Millisecond)
	}
	before := len(c.media.ears[0].heard())
	if state := dig(modify("unhold"), "holdState"); state != "active" {
		t.Errorf("unhold leaves it %v", state)
	}
	heard := c.media.ears[0].wait(t, atLeast(before+10))
	for n := 1; n < len(heard); n++ {
		if d := heard[n].SequenceNumber - heard[n-1].SequenceNumber; d != 1 {
			t.Errorf("packet %d comes %d numbers after the one before", n, d)
		}
	}
}

func TestDigitsAreRecordedHoweverTheyCome(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/echo", "pcmu")
	if a := c.verto(c.id, "verto.info", obj{"sessid": c.id, "dialogParams": obj{"callID": c.id}, "dtmf": "12#"}); dig(a, "result", "message") != "SENT" {
		t.Errorf("info: %v", a)
	}
	events := eventTrack(t, c)
	for n, digit := range []byte{5, 11} {
		for i := range 6 {
			events(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n*6 + i), Timestamp: uint32(n * 4000), PayloadType: 126, Marker: i == 0},
				Payload: []byte{digit, 10 | 0x80*byte(i/4), 0, byte(160)},
			})
		}
	}
	e, err := gw.WaitFor(t.Context(), func(e sessiontest.Entry) bool { return e.Transport == "rtp" && e.DTMF == "#" })
	if err != nil || e.Call != c.id {
		t.Fatalf("%+v, %v", e, err)
	}
	if info, _ := gw.Call(c.id); info.DTMF != "12#5#" {
		t.Errorf("digits are %q", info.DTMF)
	}
	if n := len(gw.Journal().Filter(func(e sessiontest.Entry) bool { return e.Verto == "verto.info" && e.DTMF == "12#" })); n != 1 {
		t.Errorf("%d entries for the info", n)
	}
	c.media.ears[0].wait(t, atLeast(12)) // the echo
	if !gw.SendDTMF(c.id, "7D") {
		t.Error("digits cannot be sent")
	}
	var got []byte
	c.media.ears[0].wait(t, func(packets []rtp.Packet) bool {
		got = nil
		for _, p := range packets {
			if p.PayloadType == 126 && p.Marker {
				got = append(got, p.Payload[0])
			}
		}
		return len(got) > 3
	})
	if d := cmp.Diff([]byte{5, 11, 7, 15}, got); d != "" {
		t.Errorf("digits heard (-want +got):\n%s", d)
	}
}

// eventTrack returns a function that sends packets in the telephone-event format of a call.
func eventTrack(t *testing.T, c *talk) func(*rtp.Packet) {
	t.Helper()
	c.media.up(0)
	sender := c.media.pcs[0].GetSenders()[0]
	track, err := webrtc.NewTrackLocalStaticRTP(testCodecs[2].RTPCodecCapability, "dtmf", "phone")
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.ReplaceTrack(track); err != nil {
		t.Fatal(err)
	}
	return func(p *rtp.Packet) {
		if err := track.WriteRTP(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSmallVertoMethods(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/echo", "opus")
	if a := c.verto(c.id, "verto.subscribe", obj{"sessid": c.id, "eventChannel": []string{"user_event"}}); cmp.Diff(any([]any{"user_event"}), dig(a, "result", "subscribedChannels")) != "" {
		t.Errorf("subscribe: %v", a)
	}
	if a := c.verto(c.id, "verto.pong", obj{"callID": c.id, "dialogParams": obj{"callID": c.id}}); a["result"] == nil {
		t.Errorf("pong: %v", a)
	}
	if a := c.verto(c.id, "verto.fly", obj{"callID": c.id}); dig(a, "error", "code") != -32601.0 {
		t.Errorf("unknown method: %v", a)
	}
	if a := c.verto(c.id, "verto.modify", obj{"dialogParams": obj{"callID": c.id}, "destination": "/public/tone", "action": "transfer"}); dig(a, "error", "code") != -32002.0 {
		t.Errorf("transfer of a call that is not between two: %v", a)
	}
	a := c.ask("webrtc.verto", obj{"callID": c.id, "message": obj{"jsonrpc": "2.0", "id": "9", "result": obj{"method": "verto.answer"}}})
	if code(a) != 0 {
		t.Errorf("stray response: %v", a)
	}
}

func TestVertoMethodsAreRefusedOneByOne(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/echo", "opus")
	gw.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{Verto: "verto.info"},
		Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32002, Message: "NOT NOW"},
	})
	if a := c.verto(c.id, "verto.pong", obj{"callID": c.id}); a["error"] != nil {
		t.Errorf("pong: %v", a)
	}
	info := obj{"sessid": c.id, "dialogParams": obj{"callID": c.id}, "dtmf": "1"}
	if a := c.verto(c.id, "verto.info", info); dig(a, "error", "message") != "NOT NOW" || dig(a, "error", "code") != -32002.0 {
		t.Errorf("info: %v", a)
	}
	if a := c.verto(c.id, "verto.info", info); a["error"] != nil {
		t.Errorf("second info: %v", a)
	}
}

func TestDirectoryKnowsWhatCanBeCalled(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	lookup := func(name string) []any {
		data, _ := call(t, gw, "GET", "/api/fabric/addresses?name="+name, bearer(p.sat.Token), nil).JSON["data"].([]any)
		return data
	}
	if found := lookup("/public/echo"); len(found) != 1 || dig(found[0], "name") != "echo" {
		t.Errorf("echo is %v", found)
	}
	if found := lookup("/public/lobby"); len(found) != 0 {
		t.Errorf("closed room is %v", found)
	}
	c := p.dial("/public/lobby", "opus")
	if found := lookup("/public/lobby"); len(found) != 1 || dig(found[0], "type") != "room" {
		t.Errorf("open room is %v", found)
	}
	c.bye()
	p.on("call.left")
	if found := lookup("/public/lobby"); len(found) != 0 {
		t.Errorf("left room is %v", found)
	}
}
