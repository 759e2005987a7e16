package sessiontest_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"

	"github.com/callrx/callrx/session/sessiontest"
)

func TestRelayOnlyClientIsReached(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			gw := sessiontest.NewServer(t)
			p := newPhone(t, gw, "mara@example.org")
			for _, url := range p.relays[0].URLs {
				if strings.HasSuffix(url, transport) {
					p.relays[0].URLs = []string{url}
				}
			}
			p.engine = func(se *webrtc.SettingEngine) { se.SetIncludeLoopbackCandidate(true) }
			c := p.dial("/public/echo", "opus", "vp8")
			for i := range 2 {
				c.media.speak(i, 960, marked("mara"))
				c.media.ears[i].wait(t, atLeast(5))
				pair, err := c.media.pcs[i].SCTP().Transport().ICETransport().GetSelectedCandidatePair()
				if err != nil || pair.Local.Typ != webrtc.ICECandidateTypeRelay {
					t.Errorf("section %d: %v, %v", i, pair, err)
				}
			}
		})
	}
}

func TestRelayRefusesForgedCredentials(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	p.relays[0].Credential = "forged"
	p.engine = func(se *webrtc.SettingEngine) { se.SetIncludeLoopbackCandidate(true) }
	if offer := p.newMedia("opus").offer(); strings.Contains(offer, "typ relay") {
		t.Errorf("relay was allocated:\n%s", offer)
	}
}

func TestNoRelayIsOffered(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{NoTURN: true})
	if p := newPhone(t, gw, "mara@example.org"); p.relays != nil {
		t.Errorf("relays are %v", p.relays)
	}
}

func TestUpdateMediaAnswersInTheReply(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	c := p.dial("/public/echo", "opus")
	c.media.speak(0, 960, marked("mara"))
	c.media.ears[0].wait(t, atLeast(5))
	before := parse(t, c.media.pcs[0].RemoteDescription().SDP)
	c.media.add(p.newPC(), "vp8", "") // a new section, and new credentials for the old one
	d := description{parse(t, "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n").SessionDescription}
	for i, pc := range c.media.pcs {
		o, err := pc.CreateOffer(&webrtc.OfferOptions{ICERestart: i == 0})
		d = d.with(pc, c.media.local(pc, o, err), i)
	}
	a := c.verto(c.id, "verto.modify", obj{"dialogParams": c.dialog(c.id, ""), "sdp": d.text(t), "action": "updateMedia"})
	answer, _ := dig(a, "result", "sdp").(string)
	if dig(a, "result", "action") != "updateMedia" || dig(a, "result", "holdState") != "active" || answer == "" {
		t.Fatalf("modify: %v", a)
	}
	old, _ := before.one(0).Attribute("ice-ufrag")
	if now, _ := parse(t, answer).one(0).Attribute("ice-ufrag"); now == old {
		t.Error("the answer kept its ICE credentials")
	}
	c.media.accept(answer)
	c.media.speak(1, 3000, marked("mara"))
	c.media.ears[1].wait(t, atLeast(5))
	n := len(c.media.ears[0].heard())
	c.media.ears[0].wait(t, atLeast(n+20))
}

func TestCallsSurviveTheLossOfTheSocket(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	c := p.dial("/public/lobby", "opus")
	other := newPhone(t, gw, "noor@example.org").dial("/public/lobby", "opus")
	gw.Drop("mara@example.org")
	<-p.ended
	other.media.speak(0, 960, marked("noor"))
	c.media.ears[0].wait(t, atLeast(10))
	// a new session of the same subscriber takes the call over
	again := newPhone(t, gw, "mara@example.org")
	m := again.newMedia("opus")
	a := again.invite(c.id, "/public/lobby", m, obj{"attach": true, "reattaching": true})
	if dig(a, "result", "memberID") != c.member || dig(a, "result", "message") != "CALL CREATED" {
		t.Fatalf("reattach: %v", a)
	}
	if joined := again.on("call.joined"); joined["member_id"] != c.member || joined["call_id"] != c.id {
		t.Errorf("call.joined is %v", joined)
	}
	back := &talk{phone: again, id: c.id, member: c.member, media: m}
	back.accept("verto.answer")
	m.ears[0].wait(t, atLeast(10))
	stranger := newPhone(t, gw, "ida@example.org")
	if a := stranger.invite(c.id, "/public/lobby", stranger.newMedia("opus"), obj{"reattaching": true}); dig(a, "error", "code") != -32002.0 {
		t.Errorf("a stranger may attach: %v", a)
	}
	if n := len(gw.Journal().Sent("member.left")); n != 0 {
		t.Errorf("%d members left", n)
	}
}

func TestAbandonedCallsAreReaped(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{CallGrace: 50 * time.Millisecond})
	c := newPhone(t, gw, "mara@example.org").dial("/public/lobby", "opus")
	other := newPhone(t, gw, "noor@example.org").dial("/public/lobby", "opus")
	gw.Drop("mara@example.org")
	if left := other.on("member.left"); dig(left, "member", "member_id") != c.member {
		t.Errorf("member.left is %v", left)
	}
	if info, _ := gw.Call(c.id); info.EndedBy != "timeout" {
		t.Errorf("call is %+v", info)
	}
}

func TestScriptsSpoilCalls(t *testing.T) {
	gw := sessiontest.NewServer(t)
	p := newPhone(t, gw, "mara@example.org")
	remove := gw.ScriptCalls(sessiontest.CallScript{Destination: "/public/echo", AnswerSDP: "broken", AnswerDelay: 100 * time.Millisecond})
	defer remove()
	began := time.Now()
	p.place("/public/echo", "opus")
	if answer := p.onVerto("verto.answer"); answer["sdp"] != "broken" || time.Since(began) < 100*time.Millisecond {
		t.Errorf("answer after %v is %v", time.Since(began), answer)
	}
	gw.ScriptCalls(sessiontest.CallScript{DropMedia: true})
	c := p.dial("/public/echo", "opus")
	c.media.speak(0, 960, marked("mara"))
	for info, _ := gw.Call(c.id); info.Section("audio").PacketsIn < 10; info, _ = gw.Call(c.id) {
		<-time.After(10 * time.Millisecond)
	}
	if info, _ := gw.Call(c.id); info.Section("audio").PacketsOut != 0 {
		t.Errorf("media was not dropped: %+v", info)
	}
	gw.DropMedia(c.id, false)
	c.media.ears[0].wait(t, atLeast(1))
	gw.ScriptCalls(sessiontest.CallScript{NeverAnswer: true})
	c = p.place("/public/echo", "opus")
	if !gw.SendVerto(c.id, "verto.display", obj{"callID": c.id}) || p.onVerto("verto.display")["callID"] != c.id {
		t.Error("message was not sent")
	}
	if info, _ := gw.Call(c.id); info.State != sessiontest.CallCreated {
		t.Errorf("call is %+v", info)
	}
}

func TestFiftyCallsAtOnce(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{NoTURN: true})
	p := newPhone(t, gw, "mara@example.org")
	calls := make([]*talk, 50)
	for i := range calls {
		calls[i] = p.place("/public/echo", "pcmu")
	}
	for _, c := range calls {
		c.accept("verto.answer")
	}
	for _, c := range calls {
		c.media.speak(0, 160, marked("mara"))
	}
	for _, c := range calls {
		c.media.ears[0].wait(t, atLeast(10))
	}
	if n := len(gw.Calls()); n != 50 {
		t.Errorf("%d calls", n)
	}
	var slowest time.Duration
	for _, e := range gw.Journal().RPC("webrtc.verto") {
		slowest = max(slowest, e.Answered.Sub(e.Time))
	}
	if t.Logf("slowest reply took %v", slowest); slowest > 200*time.Millisecond {
		t.Error("an invite waited for its reply longer than a client should")
	}
}

func TestCloseWithLiveCallsLeavesNothing(t *testing.T) {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, gw, "mara@example.org")
	c := p.dial("/public/tone", "pcmu")
	c.media.ears[0].wait(t, atLeast(3))
	p.place("/public/ring", "opus")
	newPhone(t, gw, "noor@example.org")
	p.place("/private/noor", "opus")
	p.place("/public/early", "opus")
	p.place("/public/echo", "opus") // still on its way
	port := relayPort(t, p)
	gw.Close()
	l, err := net.ListenPacket("udp4", port)
	if err != nil {
		t.Fatalf("the relay's port is taken: %v", err)
	}
	_ = l.Close()
}

func relayPort(t *testing.T, p *phone) string {
	t.Helper()
	url, _, _ := strings.Cut(p.relays[0].URLs[0], "?")
	return strings.TrimPrefix(url, "turn:")
}

// network is a virtual network with one host for the gateway and one for each client.
func network(t *testing.T) (host func(ip string) func(*webrtc.SettingEngine), cut func(bool)) {
	t.Helper()
	quiet := &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	router.AddChunkFilter(func(vnet.Chunk) bool { return !down.Load() })
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = router.Stop() })
	return func(ip string) func(*webrtc.SettingEngine) {
		host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
		if err != nil {
			t.Fatal(err)
		}
		if err := router.AddNet(host); err != nil {
			t.Fatal(err)
		}
		return func(se *webrtc.SettingEngine) {
			se.SetNet(host)
			se.SetICETimeouts(5*time.Second, 10*time.Second, time.Second)
		}
	}, down.Store
}

func TestCallsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, cut := network(t)
		gw := sessiontest.NewServer(t, sessiontest.Options{InMemory: true, SettingEngine: host("10.0.0.1")})
		p := newPhone(t, gw, "mara@example.org")
		p.engine = host("10.0.0.2")
		c := p.dial("/public/echo", "opus", "vp8")
		c.media.speak(0, 960, marked("mara"))
		c.media.ears[0].wait(t, func(p []rtp.Packet) bool { return len(p) > 200 })
		wait(61 * time.Second)
		for range 2 {
			if ping := p.onVerto("verto.ping"); ping["callID"] != c.id {
				t.Errorf("ping is %v", ping)
			}
		}
		cut(true)
		wait(16 * time.Second) // failed, but given time to come back
		if info, _ := gw.Call(c.id); info.State != sessiontest.CallAnswered || info.Section("audio").Connected {
			t.Errorf("call is %+v", info)
		}
		wait(15 * time.Second)
		if bye := p.onVerto("verto.bye"); bye["cause"] != "MEDIA_TIMEOUT" || bye["causeCode"] != 804.0 {
			t.Errorf("bye is %v", bye)
		}
	})
}
