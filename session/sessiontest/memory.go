package sessiontest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memoryBuffer is how much one direction of an in-memory connection holds before a write waits,
// about what two kernel socket buffers would.
const memoryBuffer = 256 << 10

// memoryListener is a [net.Listener] whose connections never leave the process. Everything in it
// waits on condition variables and channels, so a synctest bubble can tell when it is idle.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := newMemoryPipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: memoryAddr{}, Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: memoryAddr{}, Err: ctx.Err()}
	}
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }

// memoryConn is one end of a buffered, in-memory, full-duplex connection.
type memoryConn struct{ in, out *memoryHalf }

func newMemoryPipe() (a, b *memoryConn) {
	x, y := newMemoryHalf(), newMemoryHalf()
	return &memoryConn{in: x, out: y}, &memoryConn{in: y, out: x}
}

func (c *memoryConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *memoryConn) LocalAddr() net.Addr         { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr        { return memoryAddr{} }

func (c *memoryConn) Close() error {
	c.in.closeReader()
	c.out.closeWriter()
	return nil
}

// reset breaks both directions at once, as a TCP RST does.
func (c *memoryConn) reset() {
	c.in.fail(syscall.ECONNRESET)
	c.out.fail(syscall.ECONNRESET)
}

func (c *memoryConn) SetDeadline(t time.Time) error {
	c.in.setReadDeadline(t)
	c.out.setWriteDeadline(t)
	return nil
}

func (c *memoryConn) SetReadDeadline(t time.Time) error  { c.in.setReadDeadline(t); return nil }
func (c *memoryConn) SetWriteDeadline(t time.Time) error { c.out.setWriteDeadline(t); return nil }

// memoryHalf carries bytes one way.
type memoryHalf struct {
	mu       sync.Mutex
	changed  *sync.Cond
	buf      []byte
	readGone bool // the reading end was closed
	sendGone bool // the writing end was closed
	broken   error
	readBy   memoryDeadline
	writeBy  memoryDeadline
}

func newMemoryHalf() *memoryHalf {
	h := &memoryHalf{}
	h.changed = sync.NewCond(&h.mu)
	return h
}

func (h *memoryHalf) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.broken != nil:
			return 0, h.broken
		case h.readGone:
			return 0, net.ErrClosed
		case h.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			h.buf = h.buf[n:]
			h.changed.Broadcast()
			return n, nil
		case h.sendGone:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *memoryHalf) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.broken != nil:
			return n, h.broken
		case h.sendGone:
			return n, net.ErrClosed
		case h.readGone:
			return n, syscall.EPIPE
		case h.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		case len(p) == 0:
			return n, nil
		}
		if room := memoryBuffer - len(h.buf); room > 0 {
			k := min(room, len(p))
			h.buf = append(h.buf, p[:k]...)
			p, n = p[k:], n+k
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
}

func (h *memoryHalf) closeReader() {
	h.update(func() { h.readGone = true; h.buf = nil; h.readBy.stop() })
}

func (h *memoryHalf) closeWriter() {
	h.update(func() { h.sendGone = true; h.writeBy.stop() })
}

func (h *memoryHalf) fail(err error) {
	h.update(func() { h.broken = err; h.buf = nil; h.readBy.stop(); h.writeBy.stop() })
}

func (h *memoryHalf) setReadDeadline(t time.Time)  { h.update(func() { h.readBy.set(t, h.wake) }) }
func (h *memoryHalf) setWriteDeadline(t time.Time) { h.update(func() { h.writeBy.set(t, h.wake) }) }

func (h *memoryHalf) wake() { h.update(func() {}) }

func (h *memoryHalf) update(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	h.changed.Broadcast()
}

// memoryDeadline is a point in time that wakes the waiters when it passes.
type memoryDeadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *memoryDeadline) set(at time.Time, wake func()) {
	d.stop()
	d.at = at
	if wait := time.Until(at); !at.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, wake)
	}
}

func (d *memoryDeadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *memoryDeadline) passed() bool {
	return !d.at.IsZero() && !time.Now().Before(d.at)
}
