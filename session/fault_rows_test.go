package session_test

import (
	"net"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// A fault is one thing that goes wrong.
type fault struct {
	name     string
	gateway  sessiontest.Options
	tokens   time.Duration // how long they live; zero: an hour
	prepare  func(v *victim, b *callBubble, o *session.DialOptions)
	happens  func(v *victim) // returns when it is over, or the call
	replaced bool            // the session is, so that events between the two are nobody's
	mics     bool            // the call speaks from a microphone, headset, and there is another
}

// faults are the rows of docs/faults.md.
var faults = []fault{
	{name: "socket cut for 0.8 s", happens: cutOff(800 * time.Millisecond)},
	{name: "socket cut for 5 s", happens: cutOff(5 * second)},
	{name: "socket cut for 30 s", happens: cutOff(30 * second)},
	{name: "socket cut for longer than anybody waits, 6 min", happens: cutOff(6 * time.Minute), replaced: true},
	{name: "server restarts, and has forgotten the session", happens: restart, replaced: true},
	{name: "gateway silent, its socket half-open", gateway: sessiontest.Options{PingTimeout: -1}, happens: func(v *victim) {
		v.b.srv.Stall("ann", sessiontest.StallDeaf)
		pass(40 * second)
	}},
	{name: "UDP blackhole of 3 s", happens: blackhole(3 * second)},
	{name: "UDP blackhole of 15 s", happens: blackhole(15 * second)},
	{name: "UDP blackhole for good", gateway: sessiontest.Options{MediaTimeout: time.Hour}, happens: func(v *victim) {
		v.b.cut.Store(true)
		<-v.Done()
	}},
	{name: "another address, of which Options.Network tells", gateway: sessiontest.Options{PingTimeout: -1}, happens: func(v *victim) {
		v.move(v.t)
	}},
	{name: "another address, of which nobody tells", gateway: sessiontest.Options{PingTimeout: -1}, happens: func(v *victim) {
		pass(4 * second) // else a ping and an offer are given up at the same moment
		v.arrive(v.b, elsewhere)
		v.b.srv.Stall("ann", sessiontest.StallDeaf)
		pass(40 * second)
	}},
	{name: "5 % loss for 20 s", happens: loss(5)},
	{name: "20 % loss for 20 s", happens: loss(20)},
	{name: "300 ms jitter for 20 s", happens: func(v *victim) {
		v.jitter.Store(int64(300 * time.Millisecond))
		pass(20 * second)
		v.jitter.Store(0)
	}},
	{name: "TURN server, the only way, gone for 15 s", gateway: sessiontest.Options{MediaTimeout: time.Hour}, prepare: throughRelay, happens: func(v *victim) {
		v.b.gone.Store(relayHost, true)
		pass(15 * second)
		v.b.gone.Delete(relayHost)
	}},
	{name: "TURN server, the only way, gone for good", gateway: sessiontest.Options{MediaTimeout: time.Hour}, prepare: throughRelay, happens: func(v *victim) {
		v.b.gone.Store(relayHost, true)
		<-v.Done()
	}},
	{name: "microphone unplugged for 10 s, where there is another", mics: true, happens: func(v *victim) {
		v.mics.Remove(media.DeviceAudioInput, headset.ID)
		pass(10 * second)
		if n := v.mics.InUse(media.DeviceAudioInput, desk.ID); n != 1 {
			v.t.Errorf("the other one is in use %d times", n)
		}
		plug(v.t, v.mics, plugged(v.t, headset))
		pass(10 * second)
		if n := v.mics.InUse(media.DeviceAudioInput, headset.ID); n != 1 {
			v.t.Errorf("that which is back is in use %d times", n)
		}
	}},
	{name: "clock jumps to just before the token expires, then Resume", happens: jump(time.Hour - 35*second)},
	{name: "clock jumps past the token's expiry, then Resume", happens: jump(2 * time.Hour), replaced: true},
	{name: "refresh fails while a blackhole of 15 s is recovered from", tokens: time.Minute, happens: func(v *victim) {
		v.provider.fail(true) // the token is to be refreshed 30 s before its end, which is in 12 s
		blackhole(15 * second)(v)
		v.provider.fail(false)
	}},
}

func cutOff(d time.Duration) func(*victim) {
	return func(v *victim) {
		refused := v.b.srv.RefuseConnections(503, 0)
		v.b.srv.Drop("ann")
		select {
		case <-time.After(d):
		case <-v.Done():
		}
		refused.Remove()
	}
}

// restart closes every socket as a server does that goes down, and comes back
// after three seconds without knowing the session.
func restart(v *victim) {
	refuseResume(v.b.srv)
	refused := v.b.srv.RefuseConnections(503, 0)
	v.b.srv.CloseSockets("ann", 1012, "service restart")
	pass(3 * second)
	refused.Remove()
}

func blackhole(d time.Duration) func(*victim) { return func(v *victim) { v.cutFor(d) } }

func loss(percent int64) func(*victim) {
	return func(v *victim) {
		v.b.loss.Store(percent)
		pass(20 * second)
		v.b.loss.Store(0)
	}
}

// jump is what sleep does to a clock; timers and the service's world have stood
// still, but for its clock.
func jump(d time.Duration) func(*victim) {
	return func(v *victim) {
		session.Sleep(v.line.Client, d)
		v.b.srv.SetClockSkew(d)
		if err := v.line.Resume(v.t.Context()); err != nil {
			v.t.Errorf("Resume: %v", err)
		}
	}
}

// relayHost is where the TURN server is.
const relayHost = "10.0.0.4"

// throughRelay has a call go through a real TURN server, and no other way.
func throughRelay(v *victim, b *callBubble, o *session.DialOptions) {
	o.ICEServers, o.RelayOnly = []media.ICEServer{b.turn(v.t)}, media.On
}

// turn starts a TURN server at relayHost.
func (b *callBubble) turn(t *testing.T) media.ICEServer {
	t.Helper()
	host := b.hosts[3]
	conn, err := host.ListenPacket("udp4", relayHost+":3478")
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "callrx.test", LoggerFactory: logging.NewDefaultLoggerFactory(),
		AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
			return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, "secret"), true
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
			RelayAddress: net.ParseIP(relayHost), Address: relayHost, Net: host,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return media.ICEServer{URLs: []string{"turn:" + relayHost + ":3478?transport=udp"}, Username: "ann", Credential: "secret"}
}
