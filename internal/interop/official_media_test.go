package interop

import (
	"testing"
	"time"
)

// Muting stops what is sent and tells the room; unmuting starts it again.
func TestOfficialSDKMutesAndUnmutes(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	k := p.connect("/public/echo?channel=video", "{}")
	isTone(t, p.hear(k), MicrophoneHz)
	self := k.js() + ".self"
	for _, m := range []struct{ kind, mute, unmute, muted string }{
		{"audio", "mute", "unmute", "audioMuted"},
		{"video", "muteVideo", "unmuteVideo", "videoMuted"},
	} {
		p.do(nil, "%s.%s()", self, m.mute)
		p.holds(self+"."+m.muted, true)
		p.stopsSending(k, m.kind)
		p.do(nil, "%s.%s()", self, m.unmute)
		p.holds(self+"."+m.muted, false)
		p.sends(k, m.kind)
	}
	isTone(t, p.hear(k), MicrophoneHz)
	isMoving(t, p.see(k))
	p.hangUp(k)
	p.isQuiet()
}

// renegotiable are options of a client whose calls can make new offers. With the pool of candidates that the SDK asks for
// this Chromium gathers none for a second offer, which the SDK then never sends; so the browser is asked for no pool, at
// the place where the SDK lets an application put its own WebRTC.
const renegotiable = `{options: {webRTCApiProvider: {mediaDevices: navigator.mediaDevices, RTCPeerConnection:
	class extends RTCPeerConnection { constructor(c) { super({...c, iceCandidatePoolSize: 0}); } }}}}`

// A camera that is added to a call in progress makes a new offer, which the gateway answers.
func TestOfficialSDKAddsTheCamera(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.make(p.sat.Token, renegotiable)
	p.online()
	k := p.connect("/public/echo", "{receiveVideo: true}")
	p.has(k, "audio", `{"audio":"sendrecv","video":"recvonly"}`)
	p.do(nil, "%s.self.addVideoInputDevice()", k.js())
	p.sends(k, "video")
	isMoving(t, p.see(k))
	isTone(t, p.hear(k), MicrophoneHz)
	p.hangUp(k)
	p.isQuiet()
}

func TestOfficialSDKHoldsACall(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	k := p.connect("/public/echo", "{}")
	p.do(nil, "%s.toggleHold()", k.js())
	p.eventually("the gateway holds the call", func() bool { return p.leg(k).Held })
	p.do(nil, "%s.toggleHold()", k.js())
	p.eventually("the gateway goes on with the call", func() bool { return !p.leg(k).Held })
	isTone(t, p.hear(k), MicrophoneHz)
	p.hangUp(k)
	p.isQuiet()
}

func TestOfficialSDKSendsDigits(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	k := p.connect("/public/echo", "{}")
	p.do(nil, "%s.sendDigits('12#')", k.js())
	p.eventually("the digits arrive", func() bool { return p.leg(k).DTMF == "12#" })
	p.hangUp(k)
	p.isQuiet()
}

// The media path is renewed on request, and the sound goes on.
func TestOfficialSDKRestartsICE(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.make(p.sat.Token, renegotiable)
	p.online()
	k := p.connect("/public/echo", "{}")
	p.do(nil, "%s.requestIceRestart()", k.js())
	p.eventually("the gateway has answered a new offer", func() bool { return p.accepted("webrtc.verto", "") >= 2 })
	isTone(t, p.hear(k), MicrophoneHz)
	p.hangUp(k)
	p.isQuiet()
}

// The far end's hang-up ends the call without an error.
func TestOfficialSDKSeesTheFarEndHangUp(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	k := p.connect("/public/echo", "{}")
	stage.gw.HangupCall(p.leg(k).CallID, "", 0)
	p.wait(k.on("status"), "destroyed")
	p.isQuiet()
}

// holds waits until an expression of the page has a value.
func (p *Page) holds(expression string, value any) {
	p.t.Helper()
	p.eventually(expression+" is "+quote(value), func() bool {
		var same bool
		p.do(&same, "(await (%s)) === %s", expression, quote(value))
		return same
	})
}

// sends waits until the gateway receives more of a kind from a call of the page.
func (p *Page) sends(k pageCall, kind string) {
	p.t.Helper()
	before := p.leg(k).Section(kind).PacketsIn
	defer func() {
		if p.t.Failed() {
			var flow map[string]int
			_ = p.try("proof.flow("+quote(k)+")", &flow)
			p.t.Logf("the page counts %v, the gateway %+v", flow, p.leg(k).Sections)
		}
	}()
	p.eventually(kind+" is sent", func() bool { return p.leg(k).Section(kind).PacketsIn > before+10 })
}

// stopsSending waits until the gateway receives no more of a kind for half a second.
func (p *Page) stopsSending(k pageCall, kind string) {
	p.t.Helper()
	last, since := uint64(0), time.Now()
	p.eventually(kind+" is not sent", func() bool {
		if n := p.leg(k).Section(kind).PacketsIn; n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	})
}
