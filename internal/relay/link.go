package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
)

// outBuffer is how many frames may wait for the writer before senders do.
const outBuffer = 64

// A Link is one connection, from open to loss. It never comes back: the next
// connection is a new Link with a higher generation.
type Link struct {
	r      *Relay
	gen    uint64
	where  string // scheme and host
	socket Socket
	out    chan []byte

	ctx    context.Context // ends, with the cause, when the link is lost or left
	cancel context.CancelCauseFunc
	io     context.Context // what the socket works under: outlives ctx by the close handshake
	hangUp context.CancelFunc
	wg     sync.WaitGroup // read and write

	answered atomic.Int64 // unix nanoseconds of the last answered request
	leaving  chan struct{}
	leave    sync.Once

	mu      sync.Mutex
	pending map[string]*call // nil once lost
}

func newLink(r *Relay, gen uint64, where string, s Socket) *Link {
	l := &Link{
		r: r, gen: gen, where: where, socket: s,
		out:     make(chan []byte, outBuffer),
		pending: map[string]*call{},
		leaving: make(chan struct{}),
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.io, l.hangUp = context.WithCancel(context.Background())
	l.answered.Store(time.Now().UnixNano())
	l.wg.Go(l.read)
	l.wg.Go(l.write)
	return l
}

// Generation numbers the connections of a Relay from 1.
func (l *Link) Generation() uint64 { return l.gen }

// Call sends a request on this connection, authenticated or not, and waits for
// its result, for Config.RequestTimeout at most. It is what the owner
// authenticates with; others use Relay.Call.
func (l *Link) Call(ctx context.Context, method string, params any) (wire.Raw, error) {
	c, err := newCall(method, params, l.r.cfg.Secrets)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, l.r.cfg.RequestTimeout)
	defer cancel()
	if err := l.submit(ctx, c); err != nil {
		return "", err
	}
	defer l.forget(c)
	return c.wait(ctx)
}

// submit registers c and hands its frame to the writer. Once registered, c is
// answered exactly once: by its response or by the loss of the link.
func (l *Link) submit(ctx context.Context, c *call) error {
	l.mu.Lock()
	if l.pending == nil {
		l.mu.Unlock()
		return l.lost()
	}
	l.pending[c.id] = c
	l.mu.Unlock()
	select {
	case l.out <- c.frame:
	case <-l.ctx.Done(): // fail has answered c, or will
	case <-ctx.Done():
		l.forget(c)
		return c.expired(ctx)
	}
	return nil
}

func (l *Link) forget(c *call) {
	l.mu.Lock()
	delete(l.pending, c.id)
	l.mu.Unlock()
}

// left reports whether the service has asked to be left.
func (l *Link) left() bool {
	select {
	case <-l.leaving:
		return true
	default:
		return false
	}
}

// reply sends a response. It is dropped with the link, never carried over.
func (l *Link) reply(frame []byte) {
	select {
	case l.out <- frame:
	case <-l.ctx.Done():
	}
}

// fail ends a link whose socket is of no use any more.
func (l *Link) fail(cause error) {
	l.end(cause)
	l.hangUp()
}

// end ends the link for good: requests in flight get the cause. The first cause
// counts.
func (l *Link) end(cause error) {
	l.cancel(cause)
	l.mu.Lock()
	pending := l.pending
	l.pending = nil
	l.mu.Unlock()
	for _, c := range pending {
		c.finish(outcome{err: l.lost()})
	}
}

// lost describes to a request why its connection is gone.
func (l *Link) lost() error {
	cause := context.Cause(l.ctx)
	var known *errs.TransportError
	if errors.As(cause, &known) {
		return known
	}
	return &errs.TransportError{Stage: errs.TransportClosed, URL: l.where, OriginalError: cause}
}

// close ends the link and waits for its goroutines. The peer gets CloseTimeout
// to answer the close frame.
func (l *Link) close(code int, reason string, cause error) {
	l.end(cause)
	impatient := time.AfterFunc(l.r.cfg.CloseTimeout, l.hangUp)
	defer impatient.Stop()
	_ = l.socket.Close(code, reason) // nothing to learn: the link is over either way
	l.hangUp()
	l.wg.Wait()
}

func (l *Link) write() {
	for {
		select {
		case <-l.ctx.Done():
			return
		case frame := <-l.out:
			if err := l.writeOne(frame); err != nil {
				l.fail(&errs.WebSocketError{URL: l.where, OriginalError: fmt.Errorf("write: %w", err)})
				return
			}
		}
	}
}

func (l *Link) writeOne(frame []byte) error {
	if tap := l.r.cfg.Tap; tap != nil {
		tap(l.gen, true, string(frame))
	}
	ctx, cancel := context.WithTimeout(l.io, l.r.cfg.WriteTimeout)
	defer cancel()
	return l.socket.Write(ctx, frame)
}

// maxKeptBuffer is the largest read buffer kept between frames, so that one
// large room does not weigh on an idle connection for ever.
const maxKeptBuffer = 64 << 10

func (l *Link) read() {
	var buf []byte
	for {
		if cap(buf) > maxKeptBuffer {
			buf = nil
		}
		var err error
		buf, err = l.socket.Read(l.io, buf[:0])
		var large *TooLargeError
		switch {
		case err == nil:
			l.receive(string(buf))
		case errors.As(err, &large):
			l.r.reject(int(large.Size), err)
		default:
			l.fail(l.broken(err))
			return
		}
	}
}

// broken tells a socket that the peer closed from one that failed.
func (l *Link) broken(err error) error {
	var closed *ClosedError
	if errors.As(err, &closed) {
		return &errs.TransportError{Stage: errs.TransportClosed, URL: l.where, CloseCode: closed.Code, CloseReason: closed.Reason, OriginalError: err}
	}
	return &errs.WebSocketError{URL: l.where, OriginalError: err}
}

// receive handles one frame in the order the protocol asks for: responses to
// their request, then the acknowledgement, then the event itself.
func (l *Link) receive(text string) {
	if tap := l.r.cfg.Tap; tap != nil {
		tap(l.gen, false, text)
	}
	f, err := wire.Decode(text)
	if err != nil {
		l.r.reject(len(text), syntax(text, err))
		return
	}
	switch {
	case f.Kind == wire.Response:
		l.answer(f)
	case f.Kind == wire.Ignored:
		l.r.ignore("not a message of this protocol")
	case f.IsEvent():
		l.reply(wire.EncodeAck(f.ID))
		l.r.event(&f)
	case f.Method == wire.MethodPing:
		now := float64(time.Now().UnixMilli()) / 1e3
		l.reply(wire.EncodeResult(f.ID, wire.Raw(fmt.Sprintf(`{"timestamp":%.3f}`, now))))
	case f.Method == wire.MethodDisconnect:
		l.reply(wire.EncodeAck(f.ID))
		l.leave.Do(func() { close(l.leaving) })
	default:
		l.r.ignore("unknown request " + f.Method)
	}
}

func (l *Link) answer(f wire.Frame) {
	l.mu.Lock()
	c := l.pending[f.ID]
	delete(l.pending, f.ID)
	l.mu.Unlock()
	if c == nil {
		l.r.ignore("response to no request")
		return
	}
	l.answered.Store(time.Now().UnixNano())
	c.finish(outcome{frame: f})
}
