package interop

import "testing"

func TestOfficialSDKHearsItselfFromTheEcho(t *testing.T) {
	p := open(t, "ann")
	p.signIn()
	k := p.connect("/public/echo", `{audio: true}`)
	isTone(t, p.hear(k), MicrophoneHz)
	p.hangUp(k)
}
