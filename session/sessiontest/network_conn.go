package sessiontest

import (
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/deadline"
)

// inboxSize is how many packets wait for a reader; more are lost, as they are on any socket.
const inboxSize = 512

// A shapedConn is a UDP socket on a Network.
type shapedConn struct {
	transport.UDPConn
	network *Network
	out, in *delayLine
	inbox   chan datagram
	readBy  *deadline.Deadline

	closing sync.Once
	closed  chan struct{}
	working sync.WaitGroup
}

type datagram struct {
	data []byte
	addr net.Addr // nil: where the socket is connected to
	due  time.Time
	err  error // in the place of data
}

func newShapedConn(n *Network, conn transport.UDPConn) *shapedConn {
	c := &shapedConn{
		UDPConn: conn, network: n, inbox: make(chan datagram, inboxSize),
		readBy: deadline.New(), closed: make(chan struct{}),
	}
	c.out, c.in = newDelayLine(c.send), newDelayLine(c.receive)
	c.working.Go(func() { c.out.run(c.closed) })
	c.working.Go(func() { c.in.run(c.closed) })
	c.working.Go(c.readLoop)
	return c
}

// Close closes the socket and waits for what works for it.
func (c *shapedConn) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		close(c.closed)
		err = c.UDPConn.Close()
		c.working.Wait()
	})
	return err
}

// readLoop takes what arrives, until the socket is closed.
func (c *shapedConn) readLoop() {
	buf := make([]byte, 1<<16)
	for {
		size, addr, err := c.UDPConn.ReadFrom(buf)
		if err != nil {
			select {
			case c.inbox <- datagram{err: err}: // such as a port that nobody listens on
				continue
			case <-c.closed:
				return
			}
		}
		if delay, passes := c.network.fate(&c.network.in); passes {
			c.in.add(datagram{data: slices.Clone(buf[:size]), addr: addr, due: time.Now().Add(delay)})
		}
	}
}

func (c *shapedConn) receive(d datagram) {
	select {
	case c.inbox <- d:
	default:
	}
}

func (c *shapedConn) send(d datagram) {
	if d.addr == nil {
		_, _ = c.UDPConn.Write(d.data)
		return
	}
	_, _ = c.UDPConn.WriteTo(d.data, d.addr)
}

func (c *shapedConn) write(data []byte, addr net.Addr) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	if delay, passes := c.network.fate(&c.network.out); passes {
		c.out.add(datagram{data: slices.Clone(data), addr: addr, due: time.Now().Add(delay)})
	}
	return len(data), nil
}

func (c *shapedConn) read(buf []byte) (int, net.Addr, error) {
	select {
	case d := <-c.inbox:
		return copy(buf, d.data), d.addr, d.err
	case <-c.readBy.Done():
		return 0, nil, os.ErrDeadlineExceeded
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

// The methods of a socket, in terms of those.

func (c *shapedConn) Read(b []byte) (int, error) {
	size, _, err := c.read(b)
	return size, err
}

func (c *shapedConn) ReadFrom(b []byte) (int, net.Addr, error) { return c.read(b) }

func (c *shapedConn) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	size, addr, err := c.read(b)
	udp, _ := addr.(*net.UDPAddr)
	return size, udp, err
}

func (c *shapedConn) ReadMsgUDP(b, _ []byte) (size, oob, flags int, addr *net.UDPAddr, err error) {
	size, addr, err = c.ReadFromUDP(b)
	return size, 0, 0, addr, err
}

func (c *shapedConn) Write(b []byte) (int, error) { return c.write(b, nil) }

func (c *shapedConn) WriteTo(b []byte, addr net.Addr) (int, error) { return c.write(b, addr) }

func (c *shapedConn) WriteToUDP(b []byte, addr *net.UDPAddr) (int, error) { return c.write(b, addr) }

func (c *shapedConn) WriteMsgUDP(b, _ []byte, addr *net.UDPAddr) (size, oob int, err error) {
	size, err = c.write(b, addr)
	return size, 0, err
}

func (c *shapedConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

func (c *shapedConn) SetReadDeadline(t time.Time) error {
	c.readBy.Set(t)
	return nil
}

func (c *shapedConn) SetWriteDeadline(time.Time) error { return nil } // nothing waits

// A delayLine hands datagrams on when they are due, those due at the same time in the order they came.
type delayLine struct {
	handOn func(datagram)
	sooner chan struct{} // the first one is another

	mu      sync.Mutex
	waiting []datagram // by when they are due
}

func newDelayLine(handOn func(datagram)) *delayLine {
	return &delayLine{handOn: handOn, sooner: make(chan struct{}, 1)}
}

func (l *delayLine) add(d datagram) {
	l.mu.Lock()
	at := len(l.waiting)
	for at > 0 && l.waiting[at-1].due.After(d.due) {
		at--
	}
	l.waiting = slices.Insert(l.waiting, at, d)
	l.mu.Unlock()
	if at == 0 {
		select {
		case l.sooner <- struct{}{}:
		default:
		}
	}
}

// run hands on until stop is closed. The timer is only set while there is something to wait for.
func (l *delayLine) run(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-l.sooner:
		case <-stop:
			return
		}
		for {
			d, wait, ok := l.next()
			if !ok {
				break
			}
			if wait > 0 {
				timer.Reset(wait)
				break
			}
			l.handOn(d)
		}
	}
}

// next takes the first datagram out if it is due, or says how long that takes.
func (l *delayLine) next() (d datagram, wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return datagram{}, 0, false
	}
	d = l.waiting[0]
	if wait = time.Until(d.due); wait <= 0 {
		l.waiting = l.waiting[1:]
	}
	return d, wait, true
}
