package interop

import "testing"

func TestOfficialSDKAnswersACall(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), open(t, "bob")
	ann.signIn()
	bob.signIn()
	out := ann.dial("/private/"+bob.who, "{}")
	in := bob.incoming()
	bob.do(nil, "%s.answer(proof.quiet({audio: true, video: false}))", in.js())
	ann.wait(out.on("status"), "connected")
	bob.wait(in.on("status"), "connected")
	isTone(t, ann.hear(out), MicrophoneHz)
	isTone(t, bob.hear(in), MicrophoneHz)
	bob.hangUp(in)
	ann.wait(out.on("status"), "destroyed")
	ann.isQuiet()
	bob.isQuiet()
}

func TestOfficialSDKRejectsACall(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), open(t, "bob")
	ann.signIn()
	bob.signIn()
	out := ann.dial("/private/"+bob.who, "{}")
	in := bob.incoming()
	bob.do(nil, "%s.reject()", in.js())
	ann.wait(out.on("status"), "destroyed")
	bob.wait(in.on("status"), "destroyed")
	if leg := ann.leg(out); leg.Cause != "USER_BUSY" || leg.CauseCode != 17 {
		t.Errorf("the caller was told %s %d", leg.Cause, leg.CauseCode)
	}
	ann.isQuiet()
	bob.isQuiet()
}

func TestOfficialSDKSeesItsCallerGiveUp(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), open(t, "bob")
	ann.signIn()
	bob.signIn()
	out := ann.dial("/private/"+bob.who, "{}")
	in := bob.incoming()
	ann.hangUp(out)
	bob.wait(in.on("status"), "destroyed")
	ann.isQuiet()
	bob.isQuiet()
}

// incoming waits for the first call that comes in.
func (p *Page) incoming() (k pageCall) {
	p.t.Helper()
	o := p.wait("incoming", nil)
	p.do(&k, "%s", o.Value)
	p.wait(k.on("status"), "ringing")
	return k
}
