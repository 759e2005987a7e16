package media_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"github.com/pion/webrtc/v4"
)

// stunServer answers binding requests with another address, after a delay, as one
// in front of a NAT would. It returns its URL.
func stunServer(t testing.TB, n *network, address string, delay time.Duration) string {
	t.Helper()
	conn, err := n.hosts[address].ListenPacket("udp4", address+":3478")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			request := &stun.Message{Raw: append([]byte(nil), buf[:size]...)}
			if request.Decode() != nil {
				continue
			}
			time.Sleep(delay)
			answer, err := stun.Build(request, stun.BindingSuccess,
				&stun.XORMappedAddress{IP: net.IPv4(192, 0, 2, 1), Port: 4711}, stun.Fingerprint)
			if err == nil {
				_, _ = conn.WriteTo(answer.Raw, from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return "stun:" + address + ":3478"
}

func TestOfferWaitsForCandidatesButNotForEver(t *testing.T) {
	for name, test := range map[string]struct {
		servers func(testing.TB, *network) []string
		want    time.Duration
		srflx   bool
	}{
		"no servers":     {func(testing.TB, *network) []string { return nil }, 0, false},
		"a quick server": {func(t testing.TB, n *network) []string { return []string{stunServer(t, n, there, 0)} }, 0, true},
		"a slow server":  {func(t testing.TB, n *network) []string { return []string{stunServer(t, n, there, time.Second)} }, time.Second, true},
		"a dead server":  {func(testing.TB, *network) []string { return []string{"stun:" + there + ":9"} }, 1800 * time.Millisecond, false},
		"a quick and a dead server": {func(t testing.TB, n *network) []string {
			return []string{"stun:" + there + ":9", stunServer(t, n, there, 0)}
		}, 600 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cfg := media.LegConfig{Directions: audioOnly, SettingEngine: n.at(here)}
				if urls := test.servers(t, n); urls != nil {
					cfg.ICEServers = []media.ICEServer{{URLs: urls}}
				}
				leg := newLeg(t, cfg)
				start := time.Now()
				offer, err := leg.Offer(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < test.want || took > test.want+100*time.Millisecond {
					t.Errorf("it took %v, want %v", took, test.want)
				}
				if got := strings.Contains(offer, "typ srflx"); got != test.srflx {
					t.Errorf("a candidate from the server: %v", got)
				}
				if test.srflx && !strings.Contains(offer, "c=IN IP4 192.0.2.1") {
					t.Error("the default candidate is not the one that reaches furthest")
				}
			})
		})
	}
}

func TestRelayOnlyWithoutARelayFailsInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		leg := newLeg(t, media.LegConfig{
			Directions: audioOnly, SettingEngine: n.at(here), RelayOnly: true,
			ICEServers: []media.ICEServer{{URLs: []string{"turn:" + there + ":9"}, Username: "u", Credential: "p"}},
		})
		start := time.Now()
		_, err := leg.Offer(t.Context())
		var track *errs.MediaTrackError
		if !errors.As(err, &track) || time.Since(start) != 6*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := leg.Offer(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestRelayOnlyMediaGoesThroughTURN(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.NewServer(turn.ServerConfig{
		Realm:         "test",
		LoggerFactory: logging.NewDefaultLoggerFactory(),
		AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
			return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, "secret"), true
		},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: conn,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{
				RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1",
			},
			PermissionHandler: func(net.Addr, net.IP) bool { return true },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	servers := []media.ICEServer{{
		URLs: []string{"turn:" + conn.LocalAddr().String() + "?transport=udp"}, Username: "ann", Credential: "secret",
	}}
	states, got := newStates(), newPackets()
	caller := newLeg(t, media.LegConfig{Directions: bothKinds, ICEServers: servers, RelayOnly: true, OnState: states.note})
	callee := newLeg(t, media.LegConfig{Directions: bothKinds, AudioSink: got.sink()})
	offer, _ := exchange(t, caller, callee)
	if strings.Contains(offer, "typ host") || strings.Count(offer, "typ relay") < 2 {
		t.Errorf("not only relayed candidates: %s", offer)
	}
	states.await(t, media.StateConnected)
	got.await(t, 10)
}

// TestLegsConnectOverIPv6Alone as in a network that has nothing else.
func TestLegsConnectOverIPv6Alone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 0, "fd00::1", "fd00::2")
		states, got := newStates(), newPackets()
		caller := newLeg(t, media.LegConfig{Directions: bothKinds, OnState: states.note, SettingEngine: n.at("fd00::1")})
		callee := newLeg(t, media.LegConfig{Directions: bothKinds, AudioSink: got.sink(), SettingEngine: n.at("fd00::2")})
		offer, answer := exchange(t, caller, callee)
		if strings.Count(offer, "c=IN IP6 fd00::1") != 2 || strings.Count(answer, "c=IN IP6 fd00::2") != 2 || strings.Contains(offer+answer, "c=IN IP4 10.") {
			t.Errorf("not two sections with an address of IPv6:\n%s\n%s", offer, answer)
		}
		states.await(t, media.StateConnected)
		got.await(t, 10)
	})
}

func TestLegReportsThatItsFarEndIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		states := newStates()
		caller := newLeg(t, media.LegConfig{
			Directions: bothKinds, OnState: states.note,
			SettingEngine: func(s *webrtc.SettingEngine) {
				n.at(here)(s)
				s.SetICETimeouts(5*time.Second, 10*time.Second, time.Second)
			},
		})
		callee := newLeg(t, media.LegConfig{Directions: bothKinds, SettingEngine: n.at(there)})
		exchange(t, caller, callee)
		states.await(t, media.StateConnected)
		n.cut.Store(true)
		start := time.Now()
		states.await(t, media.StateDisconnected)
		if caller.FarEndClosed() {
			t.Error("nobody has closed anything")
		}
		if took := time.Since(start); took < 5*time.Second || took > 7*time.Second {
			t.Errorf("disconnected after %v", took)
		}
		states.await(t, media.StateFailed)
		n.cut.Store(false)
		offer, err := caller.Restart(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		answerOffer(t, caller, callee, offer)
		time.Sleep(2 * time.Second)
		synctest.Wait() // ICE has found its way
		if caller.State() != media.StateConnected {
			t.Errorf("after the restart: %v", caller.State())
		}
	})
}

func TestFarEndThatClosesIsADisconnection(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly})
		if caller.FarEndClosed() {
			t.Error("it has not closed yet")
		}
		if err := callee.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait() // the goodbye has arrived
		if caller.State() != media.StateDisconnected || !caller.FarEndClosed() {
			t.Errorf("%v, closed: %v", caller.State(), caller.FarEndClosed())
		}
	})
}
