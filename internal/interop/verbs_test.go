package interop

import (
	"math"
	"strconv"
	"testing"
)

// signIn makes the SDK's client with the page's token and waits until it is ready and registered.
func (p *Page) signIn() {
	p.t.Helper()
	p.make(p.sat.Token, "{}")
	p.online()
}

// make makes the SDK's client, which connects by itself; the options are those of proof.make.
func (p *Page) make(token, options string) {
	p.t.Helper()
	if p.cable != nil {
		p.do(nil, "new SignalWire.ClientPreferences().relayHost = %s", quote(p.cable.url()))
	}
	p.do(nil, "proof.make(%s, %s)", quote(token), options)
}

// online waits until the client is registered, and notes the calls that come in from then on. It waits as well until the
// SDK has chosen its devices, some 1.5 s after its start: calls that are under way then have their microphone stopped and
// opened again, and one that ends meanwhile leaves an error.
func (p *Page) online() {
	p.t.Helper()
	p.wait("registered", true)
	p.holds("proof.client.selectedAudioInputDevice !== null", true)
	p.do(nil, "proof.hearIncoming()")
}

// isQuiet fails when the SDK reported an error.
func (p *Page) isQuiet() {
	p.t.Helper()
	for _, o := range p.seen("errors", "unhandled rejection") {
		p.t.Errorf("%s: %s %s", p.who, o.What, o.Value)
	}
}

// A pageCall is a call of a page, by its number in it.
type pageCall int

func (k pageCall) on(what string) string { return "call" + strconv.Itoa(int(k)) + "." + what }

// js is the SDK's call object.
func (k pageCall) js() string { return "proof.calls[" + strconv.Itoa(int(k)) + "]" }

// dial places a call with options written in JavaScript.
func (p *Page) dial(to, options string) (k pageCall) {
	p.t.Helper()
	p.do(&k, "proof.dial(%s, %s)", quote(to), options)
	return k
}

// connect places a call and waits until its media flows.
func (p *Page) connect(to, options string) pageCall {
	p.t.Helper()
	k := p.dial(to, options)
	p.wait(k.on("status"), "connected")
	return k
}

// hangUp ends a call and waits until the SDK has let go of it.
func (p *Page) hangUp(k pageCall) {
	p.t.Helper()
	p.do(nil, "%s.hangup()", k.js())
	p.wait(k.on("status"), "destroyed")
}

// A sound is what is heard: its loudest frequency, and its level as a part of full scale.
type sound struct {
	Hz    float64 `json:"hz"`
	Level float64 `json:"level"`
}

// hear measures what a call of the page receives.
func (p *Page) hear(k pageCall) (s sound) {
	p.t.Helper()
	p.do(&s, "proof.hear(%d)", k)
	return s
}

// is reports whether s is a tone of that frequency that one can hear.
func (s sound) is(hz float64) bool { return math.Abs(s.Hz-hz) <= 5 && s.Level >= 0.05 }

// isTone fails unless s is a tone of that frequency that one can hear.
func isTone(t *testing.T, s sound, hz float64) {
	t.Helper()
	if !s.is(hz) {
		t.Errorf("heard %.1f Hz at level %.3f, want %g Hz", s.Hz, s.Level, hz)
	}
}

// A picture is what is seen of a call: the size of its video, how many different pictures were sampled, and the mean
// colours of the last one in a grid of four by four, as bytes of red, green, blue and alpha.
type picture struct {
	Width    int   `json:"width"`
	Height   int   `json:"height"`
	Distinct int   `json:"distinct"`
	Grid     []int `json:"grid"`
}

// see samples the video that a call of the page receives.
func (p *Page) see(k pageCall) (v picture) {
	p.t.Helper()
	p.do(&v, "proof.see(%d)", k)
	return v
}

// isMoving fails unless v shows a video in which something moves.
func isMoving(t *testing.T, v picture) {
	t.Helper()
	if v.Width < 64 || v.Height < 48 || v.Distinct < 3 {
		t.Errorf("seen were %d different pictures of %dx%d", v.Distinct, v.Width, v.Height)
	}
}
