package session_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
)

// A callBubble is a gateway and its clients where neither time nor the network
// is real: an hour of a call takes seconds, and nothing disturbs it.
type callBubble struct {
	srv   *sessiontest.Server
	hosts []*vnet.Net // the gateway's, then one for each client
	world *vnet.Router
	used  int
	loss  atomic.Int64     // of a hundred packets to the clients, so many are lost
	cut   atomic.Bool      // nothing gets through, either way
	gone  sync.Map         // addresses of hosts that nothing comes from or gets to any more
	lost  [16]atomic.Int64 // media packets to each host that were lost by loss
}

// inCallBubble runs a test in a bubble.
func inCallBubble(t *testing.T, o sessiontest.Options, test func(t *testing.T, b *callBubble)) {
	t.Helper()
	inSlowCallBubble(t, vnet.RouterConfig{}, o, test)
}

// inSlowCallBubble has a network that takes its time.
func inSlowCallBubble(t *testing.T, network vnet.RouterConfig, o sessiontest.Options, test func(t *testing.T, b *callBubble)) {
	t.Helper()
	sharedKey() // made outside, where it is good for all
	synctest.Test(t, func(t *testing.T) {
		network.CIDR, network.LoggerFactory = "10.0.0.0/24", logging.NewDefaultLoggerFactory()
		router, err := vnet.NewRouter(&network)
		if err != nil {
			t.Fatal(err)
		}
		b := &callBubble{world: router}
		for i := range 4 {
			host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{fmt.Sprintf("10.0.0.%d", i+1)}})
			if err == nil {
				err = router.AddNet(host)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.hosts = append(b.hosts, host)
		}
		router.AddChunkFilter(b.lossy())
		if err := router.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = router.Stop() })
		o.InMemory = true
		o.SettingEngine = func(s *webrtc.SettingEngine) { s.SetNet(b.hosts[0]) }
		b.srv = sessiontest.NewServer(t, o)
		test(t, b)
	})
}

// lossy loses packets on their way to the clients. Each host has dice of its own:
// what one of them loses does not depend on when the others are sent something.
func (b *callBubble) lossy() vnet.ChunkFilter {
	var random [16]*rand.Rand // the router asks for one chunk after the other
	for host := range random {
		random[host] = rand.New(rand.NewPCG(1, uint64(host)))
	}
	return func(c vnet.Chunk) bool {
		for _, end := range []net.Addr{c.SourceAddr(), c.DestinationAddr()} {
			host, _, _ := strings.Cut(end.String(), ":")
			if _, gone := b.gone.Load(host); gone || b.cut.Load() {
				return false
			}
		}
		to := hostOf(c.DestinationAddr())
		if to <= 0 || to >= len(random) || random[to].Int64N(100) >= b.loss.Load() {
			return true
		}
		if p := c.UserData(); len(p) > 1 && p[0]>>6 == 2 && (p[1] < 192 || p[1] > 223) { // RTP, not RTCP (RFC 5761)
			b.lost[to].Add(1)
		}
		return false
	}
}

// hostOf is the place of an address among the hosts of a bubble: zero is the
// gateway.
func hostOf(a net.Addr) int {
	host, _, _ := net.SplitHostPort(a.String())
	n, err := strconv.Atoi(strings.TrimPrefix(host, "10.0.0."))
	if err != nil {
		return -1
	}
	return n - 1
}

// A lineOf is a client and the way its media goes.
type lineOf struct {
	*session.Client
	host *vnet.Net
}

// client opens a client on a host of its own.
func (b *callBubble) client(t *testing.T, name string) lineOf {
	t.Helper()
	b.used++
	return lineOf{onLoopback(t, b.srv, name), b.hosts[b.used]}
}

// open is client with options of the client's own.
func (b *callBubble) open(t *testing.T, name string, o session.Options) lineOf {
	t.Helper()
	sat := b.srv.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: time.Hour})
	o.APIURL, o.RelayURL, o.HTTPClient, o.DPoPKey = b.srv.APIURL(), b.srv.RelayURL(), b.srv.Client(), sharedKey()
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	b.used++
	return lineOf{c, b.hosts[b.used]}
}

// media puts options on the client's host.
func (l lineOf) media(o session.MediaOptions) session.MediaOptions {
	o.SettingEngine = func(s *webrtc.SettingEngine) { s.SetNet(l.host) }
	return o
}

// unreachable puts media on a network of its own, where nobody answers.
func (b *callBubble) unreachable(t *testing.T) func(*webrtc.SettingEngine) {
	t.Helper()
	host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{"10.1.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.1.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
	if err == nil {
		err = router.AddNet(host)
	}
	if err == nil {
		err = router.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = router.Stop() })
	return func(s *webrtc.SettingEngine) { s.SetNet(host) }
}

// dialing is DialOptions with that media.
func (l lineOf) dialing(o session.MediaOptions) session.DialOptions {
	return session.DialOptions{MediaOptions: l.media(o)}
}

// call has ann dial bob at an address, and bob answer.
func (b *callBubble) call(t *testing.T, to string, from, at session.MediaOptions) (ann, bob lineOf, out, in *session.Call) {
	t.Helper()
	ann, bob = b.client(t, "ann"), b.client(t, "bob")
	incoming := bob.ObserveIncoming()
	out = mustDial(t, ann.Client, to, ann.dialing(from))
	in = next(t, incoming)
	if err := in.Answer(t.Context(), bob.media(at)); err != nil {
		t.Fatalf("Answer: %v", err)
	}
	awaitStatus(t, in, session.CallStatusConnected)
	awaitStatus(t, out, session.CallStatusConnected)
	return ann, bob, out, in
}

// over hangs up and checks that nothing is left.
func (b *callBubble) over(t *testing.T, l lineOf, k *session.Call) {
	t.Helper()
	if err := k.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
	wantOver(t, b.srv, l.Client, k)
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	time.Sleep(d) // in a bubble
	synctest.Wait()
}
