package interop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

const (
	askProfile     = "GET /api/fabric/subscriber/info"
	askDeviceToken = "POST /api/fabric/subscriber/devices/token"
	askDeviceFresh = "POST /api/fabric/subscriber/devices/refresh"
)

func TestOfficialSDKSignsInWithAStaticToken(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	p.isQuiet()
	for what, want := range map[string]string{"ready": "false true", "connected": "false true", "registered": "false true"} {
		if got := strings.Join(p.values(what), " "); got != want {
			t.Errorf("%s was %s, want %s", what, got, want)
		}
	}
	s := sessionOf(t, p.sat.SubscriberID)
	if !s.Registered || !s.Connected || s.ClientBound {
		t.Errorf("the gateway has %+v, want it connected and registered, and not bound", s)
	}
	if n := p.asked(askDeviceToken); n != 0 {
		t.Errorf("a token without scope made %d requests for a bound one", n)
	}
	if n := p.asked("socket"); n != 1 {
		t.Errorf("there were %d sockets", n)
	}
}

// A token that is refused ends in one error, and nothing is tried again by itself.
func TestOfficialSDKReportsARefusedTokenOnce(t *testing.T) {
	for name, token := range map[string]func(p *Page) string{
		"altered": func(p *Page) string { return p.sat.Token[:len(p.sat.Token)-8] + "AAAAAAAA" },
		"expired": func(p *Page) string { return issue(p.who, sessiontest.SATRequest{TTL: -time.Minute}).Token },
		"revoked": func(p *Page) string { stage.gw.Revoke(p.sat.JTI); return p.sat.Token },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, "ann")
			p.make(token(p), "{}")
			p.wait("errors", nil)
			p.settle(4 * time.Second)
			if got := p.seen("errors"); len(got) != 1 || !strings.Contains(string(got[0].Value), "Error fetching user information") {
				t.Errorf("errors: %v", p.values("errors"))
			}
			if p.asked(askProfile) != 1 || p.asked("socket") != 0 {
				t.Errorf("the profile was asked for %d times, and %d sockets were opened", p.asked(askProfile), p.asked("socket"))
			}
			if slices.Contains(p.values("ready"), "true") {
				t.Error("it was ready")
			}
		})
	}
}

// A token that the API takes and the socket does not: the error of the RPC comes first; the SDK's own limit of 15 s for
// signing in follows. The socket stays open, and no other is opened.
func TestOfficialSDKReportsARefusedSocketWithoutAStorm(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	stage.gw.Inject(sessiontest.Fault{
		Match: sessiontest.Match{RPC: "signalwire.connect", Subscriber: p.sat.SubscriberID}, Times: -1,
		Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32002, Message: "CREDENTIALS_REFUSED"},
	})
	p.make(p.sat.Token, "{}")
	first := p.wait("errors", nil)
	if !strings.Contains(string(first.Value), "CREDENTIALS_REFUSED") {
		t.Errorf("the error is %s", first.Value)
	}
	p.waitFrom(first.N+1, "errors", nil)
	if n := p.asked("socket"); n != 1 {
		t.Errorf("there were %d sockets", n)
	}
	if n := len(p.seen("errors")); n != 2 {
		t.Errorf("there were %d errors: %v", n, p.values("errors"))
	}
}

// A session whose resumption is refused is replaced by a fresh one, and nobody hears of it.
func TestOfficialSDKHealsARefusedResumption(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	before := sessionOf(t, p.sat.SubscriberID)
	n := p.mark()
	if stage.gw.Expire(p.who) != 1 {
		t.Fatal("there is no session to end")
	}
	p.waitFrom(n, "ready", false)
	p.waitFrom(n, "ready", true)
	p.eventually("registered again", func() bool { return sessionOf(t, p.sat.SubscriberID).Registered })
	if after := sessionOf(t, p.sat.SubscriberID); after.Protocol == before.Protocol {
		t.Error("the session that had ended was resumed")
	}
	p.isQuiet()
}

func TestOfficialSDKLeavesWhenToldTo(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.signIn()
	n := p.mark()
	p.do(nil, "proof.client.disconnect()")
	p.waitFrom(n, "connected", false)
	p.eventually("the gateway sees no socket", func() bool { return !sessionOf(t, p.sat.SubscriberID).Connected })
	p.settle(2 * time.Second)
	if n := p.asked("socket"); n != 1 {
		t.Errorf("there were %d sockets", n)
	}
	p.isQuiet()
}

// sessionOf is the newest session of a subscriber, the zero one if there is none.
func sessionOf(t *testing.T, subscriber string) (s sessiontest.SessionInfo) {
	t.Helper()
	for _, info := range stage.gw.Sessions() {
		if info.SubscriberID == subscriber && (s.Protocol == "" || info.Connected) {
			s = info
		}
	}
	return s
}
