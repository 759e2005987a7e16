package interop

import (
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

// What a call sends and receives, by what its destination hints at and its options say.
func TestOfficialSDKDials(t *testing.T) {
	for _, c := range []struct {
		name, to, options string
		local             string // kinds of its own tracks
		directions        string
		sound, picture    bool // it receives
	}{
		{"by default", "/public/echo", "{}", "audio", `{"audio":"sendrecv","video":"inactive"}`, true, false},
		{"with the audio channel", "/public/echo?channel=audio", "{}", "audio", `{"audio":"sendrecv","video":"inactive"}`, true, false},
		{"with the video channel", "/public/echo?channel=video", "{}", "audio video", `{"audio":"sendrecv","video":"sendrecv"}`, true, true},
		{"overriding the channel", "/public/echo?channel=video", "{video: false, receiveVideo: false}", "audio", `{"audio":"sendrecv","video":"inactive"}`, true, false},
		{"sending a picture only", "/public/echo", "{audio: false, receiveAudio: false, video: true, receiveVideo: true}", "video", `{"audio":"recvonly","video":"sendrecv"}`, false, true}, // beta.12 always asks for sound
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			p := open(t, "ann")
			p.signIn()
			k := p.connect(c.to, c.options)
			if c.sound {
				isTone(t, p.hear(k), MicrophoneHz)
			}
			if c.picture {
				isMoving(t, p.see(k))
			}
			p.has(k, c.local, c.directions)
			p.hangUp(k)
			p.isQuiet()
		})
	}
}

func TestOfficialSDKReceivesSoundThatItDoesNotSend(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	k := p.connect("/public/tone", "{audio: false, video: true}")
	isTone(t, p.hear(k), 440)
	p.has(k, "video", `{"audio":"recvonly","video":"sendonly"}`)
	if sound := p.leg(k).Section("audio"); sound.PacketsIn != 0 || sound.PacketsOut == 0 {
		t.Errorf("the gateway has %+v", sound)
	}
	p.hangUp(k)
	p.isQuiet()
}

// The SDK cannot only receive: when neither kind is sent it asks the browser for nothing, which refuses that, and no
// message reaches the gateway. callrx can; see the documentation of the suite.
func TestOfficialSDKCannotOnlyReceive(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	if err := p.try("proof.dial('/public/tone', {audio: false, video: false, receiveAudio: true})", nil); err == nil {
		t.Fatal("it can after all: move this scenario to those that must work")
	}
	if n := p.accepted("webrtc.verto", ""); n != 0 {
		t.Errorf("%d messages reached the gateway", n)
	}
}

// A destination that does not exist, or refuses, is told at once; the SDK's own limit is 6 s.
func TestOfficialSDKIsToldThatACallCannotBe(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	for _, to := range []string{"/private/nobody", "/context/nowhere", "/public/fail"} {
		n, start := p.mark(), time.Now()
		if err := p.try("proof.dial("+quote(to)+")", nil); err == nil || !strings.Contains(err.Error(), "CallCreateError") {
			t.Errorf("%s: %v", to, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: only after %v", to, d)
		}
		if o := p.waitFrom(n, "errors", nil); !strings.Contains(string(o.Value), "CallCreateError") {
			t.Errorf("%s: errors$ has %s", to, o.Value)
		}
	}
}

// The SDK resolves a call that is refused later, and ends it.
func TestOfficialSDKSeesACallTurnedDown(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	k := p.dial("/public/busy", "{}")
	p.wait(k.on("status"), "destroyed")
	p.isQuiet()
}

// Without a connection a call waits for one, and for as long as it takes.
func TestOfficialSDKDialsOnceItIsConnected(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.make(p.sat.Token, "{options: {skipConnection: true, skipRegister: true}}")
	p.do(nil, "void proof.dial('/public/echo').then((k) => proof.note('dialled', k), (e) => proof.note('dialled', e))")
	p.settle(3 * time.Second)
	if got := p.seen("dialled", "errors"); len(got) > 0 || p.asked("socket") > 0 {
		t.Fatalf("without a connection: %v, %d sockets", got, p.asked("socket"))
	}
	p.do(nil, "proof.client.connect()")
	p.wait("dialled", 0)
	p.wait(pageCall(0).on("status"), "connected")
	p.hangUp(0)
}

// has compares what a call of the page has: the kinds of its own tracks, and its directions.
func (p *Page) has(k pageCall, local, directions string) {
	p.t.Helper()
	var got struct{ Local, Directions string }
	p.do(&got, `({local: (%[1]s.localStream?.getTracks() ?? []).filter((t) => t.readyState === 'live').map((t) => t.kind).sort().join(' '),
		directions: JSON.stringify(%[1]s.mediaDirections)})`, k.js())
	if got.Local != local || got.Directions != directions {
		p.t.Errorf("it has %q %s, want %q %s", got.Local, got.Directions, local, directions)
	}
}

// leg is what the gateway knows of a call of the page.
func (p *Page) leg(k pageCall) sessiontest.CallInfo {
	p.t.Helper()
	var id string
	p.do(&id, "%s.id", k.js())
	info, ok := stage.gw.Call(id)
	if !ok {
		p.t.Fatalf("the gateway has no leg %s", id)
	}
	return info
}
