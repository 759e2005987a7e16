package interop

import (
	"fmt"
	"strings"
	"testing"
)

// Two official SDKs meet in a room, each sees both, which of them itself is, and where both are. What either does to itself
// or to the other, both show; and so it is with callrx, who comes then.
func TestPartyMembersChange(t *testing.T) {
	t.Parallel()
	y := throwParty(t)
	y.meet()
	for _, object := range []string{y.self(0), y.js(0, "bea")} {
		y.pages[0].listed(object)
	}
	y.officials(0, y.self(0), "ann", true)
	y.officials(1, y.js(1, "ann"), "ann", false)
	y.refusals()
	y.ofTheBrowser()
	y.invite()
	y.theSame()
	y.ours(y.call.Self(), "bob", true)
	y.ours(y.of("ann"), "ann", false)
	y.officials(0, y.js(0, "bob"), "bob", false)
	y.end()
}

// meet waits until both pages have what the first acceptance check asks for.
func (y *party) meet() {
	y.t.Helper()
	y.everyPage("%s.participants.map((p) => p.name).sort().join()", "ann,bea")
	for i, name := range []string{"ann", "bea"} {
		y.pages[i].holds(y.self(i)+".name", name)
		y.pages[i].holds(y.self(i)+".id === "+y.js(i, name)+".id", true)
	}
	y.everyPage("%s.participants.map((p) => p.position?.position).sort().join()", "standard-1,standard-2")
}

// officials has a page do every deed to a participant, whom everybody then shows so.
func (y *party) officials(page int, to, name string, itself bool) {
	y.t.Helper()
	for _, d := range deeds() {
		if d.official == "" || d.alone && !itself {
			continue
		}
		y.asks(page, "%s", d.js(to))
		y.shows(name, d)
	}
}

// ours has bob do every deed.
func (y *party) ours(to any, name string, itself bool) {
	y.t.Helper()
	for _, d := range deeds() {
		if d.alone && !itself {
			continue
		}
		ctx, cancel := y.within()
		y.does(fmt.Sprintf("bob: %s of %s", d.ours, name), d.do(ctx, to))
		cancel()
		y.shows(name, d)
	}
}

// shows waits until everybody shows what a deed has done.
func (y *party) shows(name string, d deed) {
	y.t.Helper()
	for i, p := range y.pages {
		p.holds(fmt.Sprintf("proof.shows(%s, %s)", y.js(i, name), quote(d.shows)), d.want)
	}
	if y.call == nil {
		return
	}
	ctx, cancel := y.within()
	defer cancel()
	if err := facts()[d.shows](ctx, y.of(name), d.want); err != nil {
		y.t.Fatalf("%s of %s after %s is never %v in callrx: %v", d.shows, name, d.ours, d.want, err)
	}
}

// refusals are what the official SDK cannot do: what it has not implemented, and what it asks for in a form that the
// service refuses.
func (y *party) refusals() {
	y.t.Helper()
	for ask, want := range map[string]string{
		"toggleLowbitrate()": "UnimplementedError", "setMeta({})": "UnimplementedError", "updateMeta({})": "UnimplementedError",
		"setPosition('standard-2')": "JSONRPCError: Error response from method call.member.position.set: -32602",
	} {
		for _, to := range []string{y.self(0), y.js(0, "bea")} {
			if err := y.pages[0].try(to+"."+ask, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
				y.t.Errorf("%s: %v, want %s", ask, err, want)
			}
		}
	}
}

// ofTheBrowser is what a page does to its own devices, which nobody else is told.
func (y *party) ofTheBrowser() {
	y.t.Helper()
	p, self := y.pages[0], y.self(0)
	track := func(kind string) string {
		return fmt.Sprintf("%s.localStream.getTracks().find((t) => t.kind === '%s')?.getSettings()", y.calls[0].js(), kind)
	}
	for _, step := range []struct {
		ask, shows string
		want       any
	}{
		{"enableStudioAudio()", "proof.shows(" + self + ", 'studioAudio')", true},
		{"disableStudioAudio()", "proof.shows(" + self + ", 'studioAudio')", false},
		{"setAudioInputDeviceConstraints({echoCancellation: false})", track("audio") + "?.echoCancellation", false},
		{"setVideoInputDeviceConstraints({width: 320})", track("video") + "?.width", 320},
		{"setInputDevicesConstraints({audio: {echoCancellation: true}, video: {width: 640}})", track("video") + "?.width", 640},
		{"addAudioInputDevice()", track("audio") + "?.echoCancellation !== undefined", true},
		{"addInputDevices({audio: true})", track("audio") + "?.echoCancellation !== undefined", true},
	} {
		y.asks(0, "%s.%s", self, step.ask)
		p.holds(step.shows, step.want)
	}
	for _, kind := range []string{"AudioInput", "VideoInput", "AudioOutput"} {
		list := "proof.client." + strings.ToLower(kind[:1]) + kind[1:] + "Devices"
		y.asks(0, "void %s.select%sDevice(%s.at(-1))", self, kind, list)
		p.holds(fmt.Sprintf("proof.client.selected%sDevice?.deviceId === %s.at(-1)?.deviceId", kind, list), true)
	}
	p.sends(y.calls[0], "audio")
	p.sends(y.calls[0], "video")
}

// theSame is what does not change about a member.
func (y *party) theSame() {
	y.t.Helper()
	for _, name := range []string{"ann", "bea", "bob"} {
		p := y.of(name)
		want := quote([]any{p.Name(), p.UserID(), p.AddressID(), p.NodeID(), p.CallID(), len(p.Meta()), p.Denoise()})
		for i, page := range y.pages {
			m := y.js(i, name)
			fact := func(name string) string { return "proof.shows(" + m + ", '" + name + "')" }
			page.holds("JSON.stringify(["+strings.Join([]string{fact("name"), fact("userId"), fact("addressId"), fact("nodeId"),
				m + ".value.call_id", "Object.keys(" + fact("meta") + ").length", fact("denoise")}, ", ")+"])", want)
		}
	}
}

// end leaves, with nothing amiss on any side.
func (y *party) end() {
	y.t.Helper()
	for i, p := range y.pages {
		p.hangUp(y.calls[i])
		p.isQuiet()
	}
	ctx, cancel := y.within()
	defer cancel()
	y.does("bob hangs up", y.call.Hangup(ctx))
	y.bob.isQuiet()
}
