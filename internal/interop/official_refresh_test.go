package interop

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

// A token that may be bound is bound, and the bound one is renewed twice; the session and its call live on.
func TestOfficialSDKBindsAndRefreshesItsToken(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.make(issue(p.who, sessiontest.SATRequest{Scope: "sat:refresh", TTL: time.Minute}).Token, "{}")
	p.online()
	before := sessionOf(t, p.sat.SubscriberID)
	if !before.ClientBound {
		t.Error("the session is not bound to the page's key")
	}
	k := p.connect("/public/echo", "{audio: true}")
	for n := 1; n <= 2; n++ {
		p.eventually("a refresh", func() bool { return p.accepted("POST", "/api/fabric/subscriber/devices/refresh") >= n })
	}
	p.eventually("the session has the newest token", func() bool { return p.accepted("signalwire.reauthenticate", "") >= 3 })
	isTone(t, p.hear(k), MicrophoneHz)
	p.hangUp(k)
	after := sessionOf(t, p.sat.SubscriberID)
	if after.Protocol != before.Protocol || !after.Deadline.After(before.Deadline) {
		t.Errorf("the session was %+v and is %+v", before, after)
	}
	if got := strings.Join(p.values("ready"), " "); got != "false true" {
		t.Errorf("ready was %s", got)
	}
	if p.asked(askDeviceToken) != 1 || p.asked("socket") != 1 {
		t.Errorf("%d bound tokens were asked for, over %d sockets", p.asked(askDeviceToken), p.asked("socket"))
	}
	p.isQuiet()
}

// A page that was offline until its bound token had expired resumes its session with it. It cannot bind a new one with the
// expired one, and says so; when the gateway's patience ends, it signs in afresh with what its application provides.
func TestOfficialSDKReauthenticatesWhenItsTokenExpiredOffline(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.cable = newCable(t)
	p.make("", renewing(p, "scope=sat:refresh"))
	p.online()
	before := sessionOf(t, p.sat.SubscriberID)
	n := p.mark()
	p.cable.pull()
	p.waitFrom(n, "ready", false)
	p.settle(time.Until(before.Deadline) + time.Second)
	p.cable.plug()
	p.waitFrom(n, "ready", true)
	if resumed := sessionOf(t, p.sat.SubscriberID); resumed.Protocol != before.Protocol {
		t.Error("the session was not resumed")
	}
	p.waitFrom(n, "token fetched", nil)
	p.eventually("a fresh session, bound again", func() bool {
		s := sessionOf(t, p.sat.SubscriberID)
		return s.Connected && s.Registered && s.ClientBound && s.Protocol != before.Protocol
	})
}

// renewing are the options of proof.make with a token endpoint.
func renewing(p *Page, query string) string {
	return "{tokens: " + quote("/token/"+url.PathEscape(p.who)+"?"+query) + "}"
}

// accepted counts the page's requests that the gateway granted, by HTTP or RPC method and path.
func (p *Page) accepted(method, path string) (n int) {
	for _, e := range stage.gw.Journal() {
		granted := e.Status/100 == 2 || e.Transport == "ws" && e.Code == 0 && !e.Answered.IsZero()
		if e.Direction == "in" && e.Method == method && e.Path == path && e.Subscriber == p.sat.SubscriberID && granted {
			n++
		}
	}
	return n
}
