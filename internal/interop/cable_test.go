package interop

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// A cable is what a test can pull: a piece of network between one client and the gateway, for its WebSocket alone.
type cable struct {
	listener net.Listener
	gateway  string // address that it leads to
	host     string // name that the gateway's certificate is for
	work     sync.WaitGroup

	mu     sync.Mutex
	pulled bool
	ends   map[net.Conn]struct{} // of live connections, both
}

func newCable(t *testing.T) *cable {
	t.Helper()
	host, port, _ := strings.Cut(stage.gw.ClusterHost(), ":")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, gateway: net.JoinHostPort("127.0.0.1", port), host: host, ends: map[net.Conn]struct{}{}}
	c.work.Go(c.acceptLoop)
	t.Cleanup(func() {
		l.Close()
		c.pull()
		c.work.Wait()
	})
	return c
}

// url is where a client finds the gateway's WebSocket through the cable.
func (c *cable) url() string {
	_, port, _ := net.SplitHostPort(c.listener.Addr().String())
	return "wss://" + net.JoinHostPort(c.host, port)
}

// pull cuts what is connected, without farewell, and lets nothing connect.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = true
	for end := range c.ends {
		reset(end)
	}
}

// plug lets clients connect again.
func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = false
}

func (c *cable) acceptLoop() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.work.Go(func() { c.carry(client) })
	}
}

// carry copies both ways until either end is closed.
func (c *cable) carry(client net.Conn) {
	defer reset(client)
	gateway, err := net.Dial("tcp", c.gateway)
	if err != nil {
		return
	}
	defer reset(gateway)
	defer c.release(client, gateway)
	if !c.hold(client, gateway) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, gateway}, {gateway, client}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			client.Close()
			gateway.Close()
		})
	}
	both.Wait()
}

func (c *cable) hold(ends ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		c.ends[end] = struct{}{}
	}
	return !c.pulled
}

func (c *cable) release(ends ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		delete(c.ends, end)
	}
}

// reset closes a connection as a network does that is no more.
func reset(end net.Conn) {
	if tcp, ok := end.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = end.Close()
}
