package interop

import "testing"

// A shared screen is a further leg and a further participant; the call outlives it. (The SDK lets the messages of the
// further leg move the status of the call, which it leaves at "connecting"; callrx's stays connected.)
func TestOfficialSDKSharesItsScreen(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	k := p.connect("/public/"+unique(t, "room"), "{}")
	p.holds(k.js()+".participants.length", 1)
	p.gesture("%s.self.startScreenShare()", k.js())
	p.holds(k.js()+".self.screenShareStatus", "started")
	p.holds(k.js()+".participants.map((p) => p.type).sort().join()", "member,screen")
	p.do(nil, "%s.self.stopScreenShare()", k.js())
	p.holds(k.js()+".participants.length", 1)
	p.sends(k, "audio")
	p.hangUp(k)
	p.isQuiet()
}
