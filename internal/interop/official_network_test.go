package interop

import (
	"testing"
	"time"
)

// The socket is lost for a while and the call is not: its media goes on, the session is resumed, nobody dials again.
func TestOfficialSDKOutlivesALostSocket(t *testing.T) {
	for name, outages := range map[string][]time.Duration{
		"for 0.8 s":     {800 * time.Millisecond},
		"for 5 s":       {5 * time.Second},
		"for 30 s":      {30 * time.Second},
		"several times": {500 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, "ann")
			p.cable = newCable(t)
			p.signIn()
			k := p.connect("/public/echo", "{}")
			before := sessionOf(t, p.sat.SubscriberID)
			for _, outage := range outages {
				n := p.mark()
				p.cable.pull()
				p.waitFrom(n, "ready", false)
				p.settle(outage)
				isTone(t, p.hear(k), MicrophoneHz)
				p.cable.plug()
				p.waitFrom(n, "ready", true)
			}
			p.eventually("it is registered again", func() bool { return sessionOf(t, p.sat.SubscriberID).Registered })
			if after := sessionOf(t, p.sat.SubscriberID); after.Protocol != before.Protocol {
				t.Error("the session was not resumed")
			}
			isTone(t, p.hear(k), MicrophoneHz)
			p.holds(k.js()+".status", "connected")
			p.hangUp(k)
			p.eventually("the call is over", func() bool { return !p.leg(k).Ended.IsZero() })
			if n := len(p.seen(k.on("status"))); n != 6 { // new, trying, connecting, connected, disconnecting, destroyed
				t.Errorf("the call went through %v", p.values(k.on("status")))
			}
		})
	}
}
