package session_test

import (
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/vnet"
)

// A jitteryNet has each packet leave up to so many nanoseconds late, whatever came
// before it: they overtake each other.
type jitteryNet struct {
	*vnet.Net
	most *atomic.Int64
}

func (n jitteryNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, at)
	return jitteryConn{conn, n.most}, err
}

type jitteryConn struct {
	transport.UDPConn
	most *atomic.Int64
}

func (c jitteryConn) WriteTo(p []byte, to net.Addr) (int, error) {
	most := c.most.Load()
	if most == 0 {
		return c.UDPConn.WriteTo(p, to)
	}
	late := slices.Clone(p)
	time.AfterFunc(rand.N(time.Duration(most)), func() { _, _ = c.UDPConn.WriteTo(late, to) }) // lost with the socket
	return len(p), nil
}
