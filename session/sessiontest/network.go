package sessiontest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
)

// NetworkConditions is how a [Network] treats packets, those that go and those that come alike. The zero
// value lets them pass.
type NetworkConditions struct {
	Loss   float64       // share of packets that are lost, 0 to 1, each by a throw of its own
	Delay  time.Duration // of every packet, so that a round trip takes twice that
	Jitter time.Duration // up to so much more, evenly spread: packets overtake each other
	Cut    bool          // nothing gets through
}

// NetworkCounts is what became of the packets of one direction so far.
type NetworkCounts struct {
	Passed, Lost uint64
}

// A Network is a bad one, within the process and without privileges: the media of every call whose
// MediaOptions.SettingEngine calls its SettingEngine goes over real UDP sockets, where packets are lost, late
// or overtaken as Set says. It works against any peer, this gateway or another.
//
// Candidates, DTLS, RTP and RTCP are treated alike, and so is what goes to a relay. There is no TCP on it, so
// that nothing gets around it. Signaling is left alone: [Server.Stall], [Server.Drop] and
// [Server.RefuseConnections] are for that. A packet that the operating system refuses to send is a lost one.
//
// All methods may be called from any goroutine. There is nothing to close: what belongs to a socket ends with
// it, and packets that are still under way then are lost.
type Network struct {
	over transport.Net

	mu         sync.Mutex // guards the rest
	conditions NetworkConditions
	out, in    direction
}

// A direction is the dice and the counts of one.
type direction struct {
	random *rand.Rand
	counts NetworkCounts
}

// NewNetwork makes a network that lets everything pass. The seed fixes the throws, not which packet meets
// which: that depends on time.
func NewNetwork(seed uint64) (*Network, error) {
	real, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	return newNetwork(real, seed), nil
}

func newNetwork(over transport.Net, seed uint64) *Network {
	return &Network{
		over: over,
		out:  direction{random: rand.New(rand.NewPCG(seed, 0))},
		in:   direction{random: rand.New(rand.NewPCG(seed, 1))},
	}
}

// SettingEngine puts the media of a call on the network.
func (n *Network) SettingEngine(e *webrtc.SettingEngine) { e.SetNet(shapedNet{n.over, n}) }

// Set changes the conditions, for packets from now on.
func (n *Network) Set(c NetworkConditions) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conditions = c
}

// Conditions are those in force.
func (n *Network) Conditions() NetworkConditions {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conditions
}

// Counts are of the packets that went and of those that came.
func (n *Network) Counts() (out, in NetworkCounts) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.out.counts, n.in.counts
}

// fate decides about a packet of d. It throws the same number of dice whatever the conditions are.
func (n *Network) fate(d *direction) (delay time.Duration, passes bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.conditions
	loss, late := d.random.Float64(), d.random.Float64()
	if c.Cut || loss < c.Loss {
		d.counts.Lost++
		return 0, false
	}
	d.counts.Passed++
	return c.Delay + time.Duration(late*float64(c.Jitter)), true
}

var (
	errNotUDP = errors.New("not a UDP socket")
	errNoTCP  = errors.New("this network carries UDP only")
)

// A shapedNet is a Network as pion wants to have it.
type shapedNet struct {
	transport.Net
	network *Network
}

func (n shapedNet) ListenPacket(network, address string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	udp, ok := conn.(transport.UDPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("shape %s %s: %w", network, address, errNotUDP), conn.Close())
	}
	return newShapedConn(n.network, udp), nil
}

func (n shapedNet) ListenUDP(network string, here *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, here)
	if err != nil {
		return nil, err
	}
	return newShapedConn(n.network, conn), nil
}

func (n shapedNet) DialUDP(network string, here, there *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.DialUDP(network, here, there)
	if err != nil {
		return nil, err
	}
	return newShapedConn(n.network, conn), nil
}

func (n shapedNet) DialTCP(network string, _, there *net.TCPAddr) (transport.TCPConn, error) {
	return nil, &net.OpError{Op: "dial", Net: network, Addr: there, Err: errNoTCP}
}
