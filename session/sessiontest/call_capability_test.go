package sessiontest_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/callrx/callrx/session/sessiontest"
)

// request is one call.* method with parameters that are good.
type request struct {
	method string
	extra  obj
}

// allowance says what a capability is for: a method about oneself, or with "member." about another.
var allowances = map[string][]request{
	".mute.audio.on":              {{"call.mute", obj{"channels": []string{"audio"}}}},
	".mute.audio.off":             {{"call.unmute", obj{"channels": []string{"audio"}}}},
	".mute.video.on":              {{"call.mute", obj{"channels": []string{"video"}}}},
	".mute.video.off":             {{"call.unmute", obj{"channels": []string{"video"}}}},
	".deaf.on":                    {{"call.deaf", nil}},
	".deaf.off":                   {{"call.undeaf", nil}},
	".raisehand.on":               {{"call.raisehand", nil}},
	".raisehand.off":              {{"call.lowerhand", nil}},
	".lowbitrate":                 {{"call.lowbitrate.set", obj{"lowbitrate": true}}},
	".microphone.volume.set":      {{"call.microphone.volume.set", obj{"volume": 10}}},
	".microphone.sensitivity.set": {{"call.microphone.sensitivity.set", obj{"sensitivity": 50}}},
	".speaker.volume.set":         {{"call.speaker.volume.set", obj{"volume": 10}}},
	".audioflags.set":             {{"call.audioflags.set", obj{"echo_cancellation": true, "auto_gain": true, "noise_suppression": true}}},
}

// Each capability allows its own method and refuses all the others, of oneself and of others alike.
func TestEachCapabilityAllowsItsMethodOnly(t *testing.T) {
	gw := sessiontest.NewServer(t)
	in := guests(t, gw, []string{"mara", "noor"}, "pcmu")
	mara, noor := in[0], in[1]
	for granted := range allowances {
		for _, who := range []string{"self", "member"} {
			gw.SetCapabilities(mara.id, who+granted)
			for needed, requests := range allowances {
				for _, target := range []string{"self", "member"} {
					member := mara.member
					if target == "member" {
						member = noor.member
					}
					want := "-32001"
					if target+needed == who+granted {
						want = "200"
					}
					for _, r := range requests {
						if a := mara.control(r.method, member, r.extra); dig(a, "result", "code") != want {
							t.Errorf("%s about %s with %s: %v", r.method, target, who+granted, a)
						}
					}
				}
			}
		}
	}
}

func TestRoomCapabilitiesAllowTheirMethods(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	position := obj{"targets": []obj{{"target": obj{"member_id": c.member}, "position": "auto"}}}
	for _, r := range []struct {
		granted string
		request
		want string
	}{
		{"lock.on", request{"call.lock", nil}, "200"},
		{"lock.on", request{"call.unlock", nil}, "-32001"},
		{"lock.off", request{"call.unlock", nil}, "200"},
		{"lock.off", request{"call.lock", nil}, "-32001"},
		{"lock", request{"call.lock", nil}, "200"},
		{"layout", request{"call.layout.set", obj{"layout": "2x2"}}, "200"},
		{"layout.set", request{"call.layout.set", obj{"layout": "2x2"}}, "200"},
		{"layout.set", request{"call.layout.list", nil}, "200"},
		{"layouts", request{"call.layout.set", obj{"layout": "2x2"}}, "-32001"},
		{"self", request{"call.layout.list", nil}, "-32001"},
		{"self.position.set", request{"call.member.position.set", position}, "200"},
		{"member", request{"call.member.position.set", position}, "-32001"},
		{"self", request{"call.member.list", nil}, "200"},
		{"self", request{"call.end", nil}, "-32001"},
		{"self.mute", request{"call.mute", obj{"channels": []string{"audio", "video"}}}, "200"},
		{"self.mute.audio", request{"call.mute", obj{"channels": []string{"audio", "video"}}}, "-32001"},
	} {
		gw.SetCapabilities(c.id, r.granted)
		if a := c.control(r.method, c.member, r.extra); dig(a, "result", "code") != r.want {
			t.Errorf("%s with %s: %v", r.method, r.granted, a)
		}
	}
	if gw.SetCapabilities(c.id); dig(c.control("call.deaf", c.member, nil), "result", "code") != "-32001" {
		t.Error("nothing granted allows something")
	}
	if gw.SetCapabilities("nobody", "self") {
		t.Error("an unknown call was reached")
	}
}

func TestNewCapabilitiesAreTold(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	gw.SetCapabilities(c.id, "self", "lock.on")
	granted, _ := c.on("call.joined")["capabilities"].([]any)
	if len(granted) != 2 || granted[1] != "lock.on" {
		t.Errorf("capabilities are %v", granted)
	}
}

func TestRolesDecideWhatMembersMayDo(t *testing.T) {
	gw := sessiontest.NewServer(t)
	gw.SetRole("/public/lobby", "", sessiontest.RoleParticipant)
	gw.SetRole("/public/lobby", "mara@example.org", sessiontest.RoleModerator)
	gw.SetRole("/public/lobby", "ida@example.org", sessiontest.RoleAudience)
	in := guests(t, gw, []string{"mara", "noor", "ida"}, "pcmu")
	for i, want := range []map[string]string{
		{"call.lock": "200", "call.mute": "200", "call.raisehand": "200", "call.layout.list": "200"},
		{"call.lock": "-32001", "call.mute": "200", "call.raisehand": "200", "call.layout.list": "-32001"},
		{"call.lock": "-32001", "call.mute": "-32001", "call.raisehand": "200", "call.layout.list": "-32001"},
	} {
		for method, code := range want {
			if a := in[i].control(method, in[i].member, nil); dig(a, "result", "code") != code {
				t.Errorf("%s by %d: %v", method, i, a)
			}
		}
	}
	for _, victim := range in[1:] {
		if a := in[1].control("call.deaf", victim.member, nil); dig(a, "result", "code") != map[bool]string{true: "200", false: "-32001"}[victim == in[1]] {
			t.Errorf("deaf by a participant: %v", a)
		}
	}
}

// The audience hears and is not heard, and everybody knows who is audience.
func TestAudienceIsNotHeard(t *testing.T) {
	gw := sessiontest.NewServer(t)
	gw.SetRole("/public/lobby", "ida@example.org", sessiontest.RoleAudience)
	in := guests(t, gw, []string{"mara", "noor", "ida"}, "pcmu", "vp8")
	for i, hertz := range []float64{500, 900, 1700} {
		in[i].media.sing(0, hertz)
	}
	in[0].media.hears(t, []float64{900}, []float64{500, 1700})
	in[2].media.hears(t, []float64{500, 900}, []float64{1700})
	joined := in[0].next("ida", func(f obj) bool { return dig(f, "params", "params", "member", "member_id") == in[2].member })
	if dig(joined, "params", "params", "member", "isAudience") != true {
		t.Errorf("member is %v", joined)
	}
	in[0].control("call.layout.set", in[0].member, obj{"layout": "2x2"})
	layout := in[0].next("layout", func(f obj) bool { return dig(f, "params", "params", "layout", "id") == "2x2" })
	for _, l := range dig(layout, "params", "params", "layout", "layers").([]any) {
		if dig(l, "member_id") == in[2].member {
			t.Errorf("the audience is shown: %v", l)
		}
	}
}

func TestScreenAndDigitsTakeACapability(t *testing.T) {
	gw := sessiontest.NewServer(t)
	c := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "pcmu")
	auxiliary := func(kind string) any {
		a := c.invite(uuid.NewString(), "/public/lobby", c.newMedia("vp8:sendonly"), obj{
			kind: true, "userVariables": obj{"memberCallId": c.id, "memberId": c.member},
		})
		return dig(a, "error", "cause")
	}
	digits := func() any {
		return dig(c.verto(c.id, "verto.info", obj{"dialogParams": obj{"callID": c.id}, "dtmf": "1"}), "error", "cause")
	}
	gw.SetCapabilities(c.id, "self", "screenshare")
	if auxiliary("screenShare") != nil || auxiliary("additionalDevice") != "CALL_REJECTED" || digits() != "CALL_REJECTED" {
		t.Error("screenshare alone allows something else")
	}
	gw.SetCapabilities(c.id, "device", "digit.send")
	if auxiliary("screenShare") != "CALL_REJECTED" || auxiliary("additionalDevice") != nil || digits() != nil {
		t.Error("device and digit do not allow what they should")
	}
}
