package relay_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
)

// A fakeService is the other end of every connection, played by the test: each
// dial of the relay becomes a peer that the test accepts and speaks for. It is
// used inside a synctest bubble only. To play a failure, set refuse, hang or
// socket before the relay starts.
type fakeService struct {
	t     testing.TB
	peers chan *peer
	// refuse, if set, may turn the n-th dial (from 1) away.
	refuse func(n int) (hint time.Duration, err error)
	// hang makes a dial wait for the end of its context.
	hang bool
	// socket, if set, replaces the client's end of a connection.
	socket func(*peer) relay.Socket

	mu    sync.Mutex
	dials []time.Time
}

func newFakeService(t testing.TB) *fakeService {
	return &fakeService{t: t, peers: make(chan *peer, 64)}
}

func (s *fakeService) dial(ctx context.Context, _ string) (relay.Socket, time.Duration, error) {
	s.mu.Lock()
	s.dials = append(s.dials, time.Now())
	n := len(s.dials)
	s.mu.Unlock()
	if s.hang {
		<-ctx.Done()
		return nil, 0, ctx.Err()
	}
	if s.refuse != nil {
		if hint, err := s.refuse(n); err != nil {
			return nil, hint, err
		}
	}
	p := &peer{
		t: s.t, toClient: make(chan string, 1024), fromClient: make(chan string, 4096),
		gone: make(chan struct{}), readerGone: make(chan struct{}),
	}
	s.peers <- p
	if s.socket != nil {
		return s.socket(p), 0, nil
	}
	return p, 0, nil
}

// dialed returns when each dial began.
func (s *fakeService) dialed() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.dials...)
}

// accept returns the connection that the relay has opened by now.
func (s *fakeService) accept() *peer {
	s.t.Helper()
	synctest.Wait() // the relay has dialled if it is going to
	select {
	case p := <-s.peers:
		return p
	default:
		s.t.Fatal("no connection was opened")
		return nil
	}
}

// grantAll makes s answer every request on every connection until the test ends.
func (s *fakeService) grantAll(t *testing.T) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	serve := func(p *peer) {
		for {
			select {
			case text := <-p.fromClient:
				if f, err := wire.Decode(text); err == nil && f.Kind == wire.Request {
					p.grant(f)
				}
			case <-p.gone:
				return
			case <-over:
				return
			}
		}
	}
	go func() {
		for {
			select {
			case p := <-s.peers:
				go serve(p)
			case <-over:
				return
			}
		}
	}()
}

// live accepts a connection and its authentication.
func (s *fakeService) live() *peer {
	s.t.Helper()
	p := s.accept()
	p.grant(p.expect(wire.MethodConnect))
	synctest.Wait() // the relay has adopted the link
	return p
}

// A peer is one connection: the service's end for the test, and the client's
// end, a relay.Socket, for the relay.
type peer struct {
	t                    testing.TB
	toClient, fromClient chan string

	once       sync.Once
	gone       chan struct{} // closed with the connection
	cause      error         // what Read and Write say then
	readOnce   sync.Once
	readerGone chan struct{} // closed when a Read was cancelled

	mu       sync.Mutex
	farewell string // code and reason of the client's close frame
}

// drop ends the connection as seen by the client.
func (p *peer) drop(cause error) {
	p.once.Do(func() {
		p.cause = cause
		close(p.gone)
	})
}

func (p *peer) Read(ctx context.Context, buf []byte) ([]byte, error) {
	select {
	case text := <-p.toClient: // what was sent before the loss arrives
		return append(buf, text...), nil
	default:
	}
	select {
	case text := <-p.toClient:
		return append(buf, text...), nil
	case <-p.gone:
		return buf, p.cause
	case <-ctx.Done():
		p.readOnce.Do(func() { close(p.readerGone) })
		return buf, ctx.Err()
	}
}

func (p *peer) Write(ctx context.Context, message []byte) error {
	select {
	case <-p.gone:
		return p.cause
	default:
	}
	select {
	case p.fromClient <- string(message):
		return nil
	case <-p.gone:
		return p.cause
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *peer) Close(code int, reason string) error {
	p.mu.Lock()
	p.farewell = fmt.Sprintf("%d %s", code, reason)
	p.mu.Unlock()
	p.drop(net.ErrClosed)
	return nil
}

// left returns what the client said when it closed, "" if it has not.
func (p *peer) left() string {
	synctest.Wait() // the client has closed if it is going to
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.farewell
}

// next returns the frame that the client has sent by now.
func (p *peer) next() wire.Frame {
	p.t.Helper()
	synctest.Wait() // the writer has nothing left to write
	select {
	case text := <-p.fromClient:
		f, err := wire.Decode(text)
		if err != nil {
			p.t.Fatal(err)
		}
		return f
	default:
		p.t.Fatal("the client sent nothing")
		return wire.Frame{}
	}
}

// expect returns the next frame, a request of the given method.
func (p *peer) expect(method string) wire.Frame {
	p.t.Helper()
	f := p.next()
	if f.Kind != wire.Request || f.Method != method {
		p.t.Fatalf("the client sent %+v, want a request %s", f, method)
	}
	return f
}

// expectReply returns the next frame, a response to id.
func (p *peer) expectReply(id string) wire.Frame {
	p.t.Helper()
	f := p.next()
	if f.Kind != wire.Response || f.ID != id {
		p.t.Fatalf("the client sent %+v, want a response to %s", f, id)
	}
	return f
}

// silent fails the test if the client has sent anything more.
func (p *peer) silent() {
	p.t.Helper()
	synctest.Wait() // the writer has nothing left to write
	select {
	case text := <-p.fromClient:
		p.t.Fatalf("the client sent %s", text)
	default:
	}
}

func (p *peer) send(text string) { p.toClient <- text }

// grant answers f with an empty success.
func (p *peer) grant(f wire.Frame) { p.send(string(wire.EncodeResult(f.ID, "{}"))) }

// event sends an event of type kind; channel is JSON, or empty for none.
func (p *peer) event(id, kind, channel string) {
	if channel != "" {
		channel = `"event_channel":` + channel + `,`
	}
	p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"signalwire.event","params":{"event_type":%q,%s"params":{}}}`, id, kind, channel))
}

// A stuckWriter is a socket whose peer has stopped reading.
type stuckWriter struct{ *peer }

func (s stuckWriter) Write(ctx context.Context, message []byte) error {
	if strings.Contains(string(message), wire.MethodConnect) {
		return s.peer.Write(ctx, message)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
		return s.cause
	}
}

// A gatedWriter is a socket whose peer reads only while the gate is open, except
// for what is said before authentication.
type gatedWriter struct {
	*peer
	gate chan struct{}
}

func (g gatedWriter) Write(ctx context.Context, message []byte) error {
	if !strings.Contains(string(message), wire.MethodConnect) {
		select {
		case <-g.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return g.peer.Write(ctx, message)
}

// A silentCloser is a socket whose peer does not answer the close frame: Close
// returns only when the pending Read is cancelled.
type silentCloser struct{ *peer }

func (s silentCloser) Close(code int, reason string) error {
	<-s.readerGone
	return s.peer.Close(code, reason)
}
