package sessiontest

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// conn is an accepted connection whose two directions can be stalled separately, below TLS, HTTP
// and WebSocket: that is what a half-open connection looks like to a client.
type conn struct {
	net.Conn
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex // guards what follows
	deaf    bool
	mute    bool
	changed chan struct{} // closed and replaced when deaf changes
	held    []byte        // written while mute
}

func newConn(c net.Conn) *conn {
	return &conn{Conn: c, closed: make(chan struct{}), changed: make(chan struct{})}
}

// Read hands out nothing while the connection is deaf.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for {
		c.mu.Lock()
		deaf, changed := c.deaf, c.changed
		c.mu.Unlock()
		if !deaf {
			return n, err
		}
		select {
		case <-changed:
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
}

// Write keeps what it is given while the connection is mute.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.mute {
		c.held = append(c.held, p...)
		c.mu.Unlock()
		return len(p), nil
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// reset ends the connection without a farewell.
func (c *conn) reset() {
	c.once.Do(func() { close(c.closed) })
	switch inner := c.Conn.(type) {
	case *memoryConn:
		inner.reset()
	case *net.TCPConn:
		_ = inner.SetLinger(0)
	}
	_ = c.Conn.Close()
}

// stall sets both gates. What was held back by a mute connection is written when it may speak again;
// the connection stays mute until the last held byte is out, so the order is kept.
func (c *conn) stall(deaf, mute bool) {
	c.mu.Lock()
	if c.deaf != deaf {
		c.deaf = deaf
		close(c.changed)
		c.changed = make(chan struct{})
	}
	for !mute && len(c.held) > 0 {
		held := c.held
		c.held = nil
		c.mu.Unlock()
		_, err := c.Conn.Write(held)
		c.mu.Lock()
		if err != nil {
			break
		}
	}
	c.mute = mute
	c.mu.Unlock()
}

func (c *conn) isDeaf() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deaf
}

// gatedListener wraps what it accepts in a *conn.
type gatedListener struct{ net.Listener }

func (l gatedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(c), nil
}

type connKey struct{}

// withConn is the http.Server hook that lets a handler find the connection below its request.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}
