package sessiontest_test

import (
	"math"
	"testing"

	"github.com/pion/rtp"

	"github.com/callrx/callrx/session/sessiontest"
)

// Three speak at once in both laws of G.711: everybody hears the two others and not itself.
func TestEverybodyHearsAllOthers(t *testing.T) {
	gw := sessiontest.NewServer(t)
	pitch := []float64{500, 900, 1700}
	var in []*talk
	for i, codec := range []string{"pcmu", "pcma", "pcmu"} {
		name := []string{"mara", "noor", "ida"}[i]
		in = append(in, newPhone(t, gw, name+"@example.org").dial("/public/lobby", codec))
	}
	for i, l := range in {
		l.media.sing(0, pitch[i])
	}
	for i, l := range in {
		l.media.hears(t, []float64{pitch[(i+1)%3], pitch[(i+2)%3]}, []float64{pitch[i]})
	}
	for who, l := range in {
		heard := l.media.ears[0].heard()
		for n := 1; n < len(heard); n++ {
			if d := int16(heard[n].SequenceNumber - heard[n-1].SequenceNumber); d < 1 || d > 2 {
				t.Errorf("leg %d: packet %d comes %d numbers after the one before", who, n, d)
			}
			if d := int32(heard[n].Timestamp - heard[n-1].Timestamp); d <= 0 || d%160 != 0 && !heard[n].Marker {
				t.Errorf("leg %d: packet %d comes %d ticks after the one before", who, n, d)
			}
		}
	}
}

func TestMutedAndDeafMembersAreOutOfTheMix(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor", "ida"}, "pcmu")
	for i, hertz := range []float64{500, 900, 1700} {
		in[i].media.sing(0, hertz)
	}
	in[2].media.hears(t, []float64{500, 900}, []float64{1700})
	in[0].control("call.mute", in[1].member, obj{"channels": []string{"audio"}})
	in[2].media.hears(t, []float64{500}, []float64{900, 1700})
	in[0].control("call.unmute", in[1].member, obj{"channels": []string{"audio"}})
	in[2].media.hears(t, []float64{500, 900}, []float64{1700})

	in[2].control("call.deaf", in[2].member, nil)
	count := func() uint64 { info, _ := gw.Call(in[2].id); return info.Section("audio").PacketsOut }
	before := count()
	in[0].media.ears[0].wait(t, atLeast(len(in[0].media.ears[0].heard())+20))
	if sent := count() - before; sent > 1 { // one may have been under way
		t.Errorf("a deaf member was sent %d packets", sent)
	}
	in[2].control("call.undeaf", in[2].member, nil)
	heard := len(in[2].media.ears[0].heard())
	in[2].media.ears[0].wait(t, atLeast(heard+5))
}

// A volume of 50 doubles and one of -50 silences, at the microphone and at the speaker.
func TestVolumesChangeTheMix(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	in[0].media.sing(0, 500)
	in[1].media.hears(t, []float64{500}, nil)
	for _, c := range []struct {
		method string
		who    int
		volume float64
		want   float64
	}{
		{"call.microphone.volume.set", 0, 50, -6},
		{"call.microphone.volume.set", 0, -25, -18},
		{"call.microphone.volume.set", 0, 0, -12},
		{"call.speaker.volume.set", 1, 50, -6},
		{"call.speaker.volume.set", 1, -50, -127},
	} {
		if a := in[c.who].control(c.method, in[c.who].member, obj{"volume": c.volume}); dig(a, "result", "code") != "200" {
			t.Fatalf("%s: %v", c.method, a)
		}
		in[1].media.ears[0].wait(t, func(p []rtp.Packet) bool {
			level := math.Max(-127, levelAt(decoded(p[max(0, len(p)-10):]), 500))
			return math.Abs(level-c.want) < 1.5
		})
	}
}

func TestMixCanBeMadeOfOpus(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	caller, callee := meet(t, gw, "opus") // a call that is transferred keeps its codec
	callee.verto(callee.id, "verto.modify", obj{
		"destination": "/public/lobby", "dialogParams": callee.dialog(callee.id, ""), "action": "transfer",
	})
	caller.on("call.joined")
	caller.media.speakEvery(0, 20e6, 960, sessiontest.ToneOpus)
	mara.media.ears[0].wait(t, func(p []rtp.Packet) bool {
		return len(p) >= 25 && math.Abs(levelAt(decoded(p[len(p)-25:]), 440)+6) < 1.5
	})
}

// Who shares a screen with sound does not hear it back.
func TestScreenIsHeardByOthersOnly(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	screen := &talk{phone: in[0].phone, id: in[0].id + "-screen", media: in[0].newMedia("pcmu:sendonly", "vp8:sendonly")}
	in[0].invite(screen.id, "/public/lobby", screen.media, obj{
		"screenShare": true, "userVariables": obj{"memberCallId": in[0].id, "memberId": in[0].member},
	})
	screen.accept("verto.answer")
	in[1].media.sing(0, 900)
	screen.media.sing(0, 1700)
	in[1].media.hears(t, []float64{1700}, []float64{900})
	in[0].media.hears(t, []float64{900}, []float64{1700})
}
