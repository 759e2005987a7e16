package media_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
)

// A network is a virtual one, for tests in a bubble. It has one host for each side.
type network struct {
	router *vnet.Router
	cut    atomic.Bool  // nothing gets through
	loss   atomic.Int64 // one packet in so many is lost, if not 0
	count  atomic.Int64
	hosts  map[string]*vnet.Net
}

func newNetwork(t testing.TB, delay time.Duration, addresses ...string) *network {
	t.Helper()
	cidr := "10.0.0.0/24"
	if strings.Contains(addresses[0], ":") {
		cidr = "fd00::/64"
	}
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: cidr, MinDelay: delay, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &network{router: router, hosts: map[string]*vnet.Net{}}
	for _, address := range addresses {
		host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{address}})
		if err != nil {
			t.Fatal(err)
		}
		if err := router.AddNet(host); err != nil {
			t.Fatal(err)
		}
		n.hosts[address] = host
	}
	router.AddChunkFilter(n.passes)
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := router.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// passes loses packets as the test wants, the same ones each time.
func (n *network) passes(vnet.Chunk) bool {
	every := n.loss.Load()
	return !n.cut.Load() && (every == 0 || n.count.Add(1)%every != 0)
}

const (
	here  = "10.0.0.1"
	there = "10.0.0.2"
)

// at puts a leg on a host.
func (n *network) at(address string) func(*webrtc.SettingEngine) {
	return func(s *webrtc.SettingEngine) { s.SetNet(n.hosts[address]) }
}

// inBubble runs a test in virtual time with two hosts.
func inBubble(t *testing.T, f func(t *testing.T, n *network)) {
	t.Helper()
	inSlowBubble(t, 0, f)
}

// inSlowBubble has a network that takes its time.
func inSlowBubble(t *testing.T, delay time.Duration, f func(t *testing.T, n *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newNetwork(t, delay, here, there)) })
}

// pairIn connects two legs in a bubble.
func pairIn(t testing.TB, n *network, caller, callee media.LegConfig) (*media.Leg, *media.Leg) {
	t.Helper()
	states := newStates()
	caller.SettingEngine, callee.SettingEngine = n.at(here), n.at(there)
	caller.OnState = states.note
	a, b := newLeg(t, caller), newLeg(t, callee)
	exchange(t, a, b)
	states.await(t, media.StateConnected)
	synctest.Wait() // sources and sinks run on both sides
	return a, b
}
