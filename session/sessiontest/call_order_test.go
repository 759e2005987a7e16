package sessiontest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callrx/callrx/session/sessiontest"
)

// The order of what the acting client and another member are told is that of the protocol's table.
func TestEventsComeInTheOrderOfTheProtocol(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu", "vp8")
	mara, noor := in[0], in[1]
	for _, step := range []struct {
		name          string
		act           func()
		acting, other []string
	}{
		{"mute audio", func() { mara.control("call.mute", mara.member, obj{"channels": []string{"audio"}}) },
			[]string{"member.updated"}, []string{"member.updated"}},
		{"mute video", func() { mara.control("call.mute", mara.member, obj{"channels": []string{"video"}}) },
			[]string{"member.updated", "layout.changed"}, []string{"member.updated", "layout.changed"}},
		{"layout", func() { mara.control("call.layout.set", mara.member, obj{"layout": "3x3"}) },
			[]string{"layout.changed"}, []string{"layout.changed"}},
		{"position", func() {
			mara.control("call.member.position.set", "", obj{"targets": []obj{{"target": obj{"member_id": mara.member}, "position": "standard-4"}}})
		}, []string{"member.updated", "layout.changed"}, []string{"member.updated", "layout.changed"}},
		{"lock", func() { mara.control("call.lock", mara.member, nil) },
			[]string{"call.updated", "room.updated"}, []string{"call.updated", "room.updated"}},
		{"audio flags of another", func() {
			mara.control("call.audioflags.set", noor.member, obj{"echo_cancellation": false, "auto_gain": true, "noise_suppression": true})
		}, []string{"member.updated"}, []string{"member.updated", "webrtc.message"}},
		{"removal", func() { mara.control("call.member.remove", "", obj{"targets": []obj{{"member_id": noor.member}}}) },
			[]string{"member.left", "layout.changed"}, []string{"webrtc.message", "call.state", "call.state", "call.left"}},
		{"hang-up", func() { mara.bye() }, []string{"call.state", "call.state", "call.left"}, nil},
	} {
		before := len(gw.Journal())
		step.act()
		mara.ask("signalwire.ping", obj{}) // what follows an answer was sent before the next one
		for l, want := range map[*talk][]string{mara: step.acting, noor: step.other} {
			var got []string
			for _, e := range gw.Journal()[before:].Sent("").Call(l.id) {
				got = append(got, e.Event)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, d)
			}
		}
	}
}

// events lists the types of what was sent about a leg since the journal had so many entries.
func events(gw *sessiontest.Server, since int, callID string) []string {
	var types []string
	for _, e := range gw.Journal()[since:].Sent("").Call(callID) {
		if e.Verto != "" {
			types = append(types, e.Verto)
		} else {
			types = append(types, e.Event)
		}
	}
	return types
}

func TestComingAndGoingComesInTheOrderOfTheProtocol(t *testing.T) {
	gw := sessiontest.NewServer(t)
	check := func(name string, since int, callID string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, events(gw, since, callID)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	mara := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu", "vp8")
	mara.on("layout.changed")
	since := len(gw.Journal())
	noor := newPhone(t, gw, "noor@example.org").dial("/public/lobby", "pcmu", "vp8")
	noor.on("layout.changed") // the last that anybody is told
	check("who comes", since, noor.id, "call.state", "verto.answer", "call.state", "call.joined", "layout.changed")
	check("who is there", since, mara.id, "member.joined", "layout.changed")

	since = len(gw.Journal())
	screen := &talk{phone: noor.phone, id: noor.id + "-screen", media: noor.newMedia("vp8:sendonly")}
	noor.invite(screen.id, "/public/lobby", screen.media, obj{
		"screenShare": true, "userVariables": obj{"memberCallId": noor.id, "memberId": noor.member},
	})
	screen.accept("verto.answer")
	noor.on("layout.changed")
	check("screen", since, screen.id, "verto.answer")
	check("whose screen it is", since, noor.id, "member.joined", "layout.changed")
	check("who sees the screen", since, mara.id, "member.joined", "layout.changed")

	since = len(gw.Journal())
	noor.bye() // takes the screen along
	for range 4 {
		mara.on("layout.changed") // for noor, her screen, and both as they go
	}
	check("who goes", since, noor.id, "call.state", "call.state", "member.left", "layout.changed", "call.left")
	check("who stays", since, mara.id, "member.left", "layout.changed", "member.left", "layout.changed")
}
