package relay_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
	"nhooyr.io/websocket"
)

// A pipeNet carries HTTP over net.Pipe, so that a real WebSocket can live in a
// bubble.
type pipeNet struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (n pipeNet) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n pipeNet) Close() error   { close(n.closed); return nil }
func (n pipeNet) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// serve runs handler for WebSockets and returns a client that reaches it.
func serve(t *testing.T, handler func(*websocket.Conn)) *http.Client {
	n := pipeNet{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		handler(c)
	})}
	go server.Serve(n) // ends with server.Close
	t.Cleanup(func() { server.Close() })
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			client, service := net.Pipe()
			select {
			case n.conns <- service:
				return client, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	}}
}

// dialWith makes a relay dial real WebSockets.
func dialWith(client *http.Client, limit int64) func(*relay.Config) {
	return func(c *relay.Config) {
		c.URL = func() string { return "ws://service.test" }
		c.Dial = func(ctx context.Context, url string) (relay.Socket, time.Duration, error) {
			s, _, err := relay.DialWebSocket(ctx, client, url, limit)
			return s, 0, err
		}
	}
}

// grantAll answers every request until the socket ends, after saying first.
func grantAll(c *websocket.Conn, first ...string) {
	for _, text := range first {
		if c.Write(context.Background(), websocket.MessageText, []byte(text)) != nil {
			return
		}
	}
	c.SetReadLimit(-1)
	for {
		_, text, err := c.Read(context.Background())
		if err != nil {
			return
		}
		f, err := wire.Decode(string(text))
		if err != nil || f.Kind != wire.Request {
			continue
		}
		if c.Write(context.Background(), websocket.MessageText, wire.EncodeResult(f.ID, wire.Raw(text))) != nil {
			return
		}
	}
}

func TestWebSocketCarriesRequestsAndEvents(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		client := serve(t, func(c *websocket.Conn) {
			grantAll(c, `{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":{"event_type":"hello"}}`)
		})
		o := start(t, s, dialWith(client, 1<<20))
		params := map[string]string{"long": strings.Repeat("é", 100_000)}
		result, err := o.Call(t.Context(), "m", params)
		if err != nil || !strings.Contains(string(result), params["long"]) {
			t.Errorf("%d bytes, error %v", len(result), err)
		}
		if got := o.delivered(); len(got) != 1 || got[0] != "hello" {
			t.Errorf("delivered %v", got)
		}
		began := time.Now()
		o.Close("bye", errClosed)
		if got := time.Since(began); got != 0 {
			t.Errorf("Close took %v although the peer answered", got)
		}
	})
}

func TestFrameOverTheLimitIsSkippedWithoutLosingTheConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		const limit = 4 << 20
		huge := `"` + strings.Repeat("x", 10<<20) + `"`
		exact := strings.Repeat(" ", limit-4) + "null"
		client := serve(t, func(c *websocket.Conn) { grantAll(c, huge, exact, exact+" ") })
		o := start(t, s, dialWith(client, limit))
		if _, err := o.Call(t.Context(), "m", nil); err != nil {
			t.Error(err)
		}
		reports := o.reported()
		if len(reports) != 2 {
			t.Fatalf("reported %v", reports)
		}
		for i, size := range []int{len(huge), limit + 1} {
			var parse *errs.MessageParseError
			var large *relay.TooLargeError
			if !errors.As(reports[i], &parse) || parse.Size != size || !errors.As(reports[i], &large) || large.Size != int64(size) || large.Limit != limit {
				t.Errorf("report %d: %v", i, reports[i])
			}
		}
		if got := o.Stats(); got != (relay.Stats{Malformed: 2, Ignored: 1}) || len(s.dialed()) != 0 {
			t.Errorf("stats %+v", got)
		}
		if got := o.states(); got[len(got)-1] != relay.Live || len(got) != 2 {
			t.Errorf("states %v", got)
		}
	})
}

func TestPeerReadsTheReasonOfClose(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		farewell := make(chan error, 1)
		client := serve(t, func(c *websocket.Conn) {
			for {
				_, text, err := c.Read(context.Background())
				if err != nil {
					farewell <- err
					return
				}
				if f, err := wire.Decode(string(text)); err == nil && f.Kind == wire.Request {
					c.Write(context.Background(), websocket.MessageText, wire.EncodeResult(f.ID, "{}"))
				}
			}
		})
		o := start(t, s, dialWith(client, 1<<20))
		synctest.Wait() // live
		o.Close("session over", errClosed)
		var frame websocket.CloseError
		if err := <-farewell; !errors.As(err, &frame) || frame.Code != 1000 || frame.Reason != "session over" {
			t.Errorf("the peer read %v", err)
		}
	})
}

// A halfOpen connection takes what is written and delivers it no more, once it is to.
type halfOpen struct {
	net.Conn
	is *atomic.Bool
}

func (h halfOpen) Write(p []byte) (int, error) {
	if h.is.Load() {
		return len(p), nil
	}
	return h.Conn.Write(p)
}

// TestReadThatIsGivenUpEndsAClose that waits for a peer which is gone, as when a
// connection is lost while an event is handled: nobody reads at that moment.
func TestReadThatIsGivenUpEndsAClose(t *testing.T) {
	bubble(t, func(t *testing.T, _ *fakeService) {
		client, gone := serve(t, func(c *websocket.Conn) { grantAll(c) }), new(atomic.Bool)
		transport := client.Transport.(*http.Transport)
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			return halfOpen{c, gone}, err
		}
		socket, _, err := relay.DialWebSocket(t.Context(), client, "ws://service.test", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		gone.Store(true)
		began, closed := time.Now(), make(chan struct{})
		go func() {
			defer close(closed)
			_ = socket.Close(1000, "lost")
		}()
		synctest.Wait() // it waits for an answer
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := socket.Read(ctx, nil); err == nil {
			t.Error("something was read")
		}
		<-closed
		if took := time.Since(began); took > 0 {
			t.Errorf("Close took %v", took)
		}
	})
}

// A cut connection ends after so many bytes more, once it is to.
type cut struct {
	net.Conn
	after *atomic.Int64 // 0: not
}

func (c cut) Read(p []byte) (int, error) {
	left := c.after.Load()
	if left == 0 {
		return c.Conn.Read(p)
	}
	if left == 1 {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p[:min(len(p), int(left-1))])
	c.after.Add(-int64(n))
	return n, err
}

// TestMessageThatIsCutOffIsNone, wherever the connection ends: to the library that is
// the end of the message.
func TestMessageThatIsCutOffIsNone(t *testing.T) {
	message := `{"text":"` + strings.Repeat("x", 1000) + `"}`
	for _, passed := range []int64{4, 12, 516, 4 + int64(len(message)) - 1} { // of which 4 are the header
		bubble(t, func(t *testing.T, _ *fakeService) {
			next := make(chan struct{})
			client, after := serve(t, func(c *websocket.Conn) {
				<-next
				_ = c.Write(context.Background(), websocket.MessageText, []byte(message))
				_ = c.Write(context.Background(), websocket.MessageText, []byte("{}"))
			}), new(atomic.Int64)
			transport := client.Transport.(*http.Transport)
			dial := transport.DialContext
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dial(ctx, network, address)
				return cut{c, after}, err
			}
			socket, _, err := relay.DialWebSocket(t.Context(), client, "ws://service.test", 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // a read is under way, which is not cut
			after.Store(passed + 1)
			close(next)
			text, err := socket.Read(t.Context(), nil)
			if err == nil {
				t.Errorf("after %d bytes: a message of %d", passed, len(text))
			}
			_ = socket.Close(1000, "")
		})
	}
}

// A stallingServer authenticates and then neither reads nor closes.
func TestUnansweredCloseTakesNoLongerThanItsTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		release := make(chan struct{})
		defer close(release)
		client := serve(t, func(c *websocket.Conn) {
			_, text, _ := c.Read(context.Background())
			f, _ := wire.Decode(string(text))
			c.Write(context.Background(), websocket.MessageText, wire.EncodeResult(f.ID, "{}"))
			<-release
		})
		o := start(t, s, dialWith(client, 1<<20))
		if got := o.states(); got[len(got)-1] != relay.Live {
			t.Fatalf("states %v", got)
		}
		inFlight := o.ask(t.Context(), "m") // fills the pipe: the writer is stuck
		began := time.Now()
		o.Close("bye", errClosed)
		if got := time.Since(began); got > time.Second {
			t.Errorf("Close took %v", got)
		}
		if r := o.now(inFlight); !errors.Is(r.err, errClosed) {
			t.Errorf("request in flight: %v", r.err)
		}
	})
}

func TestCloseFrameOfTheServerIsInTheError(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		client := serve(t, func(c *websocket.Conn) {
			_, text, _ := c.Read(context.Background())
			f, _ := wire.Decode(string(text))
			c.Write(context.Background(), websocket.MessageText, wire.EncodeResult(f.ID, "{}"))
			c.Read(context.Background())
			c.Close(4001, "token expired")
		})
		o := start(t, s, dialWith(client, 1<<20))
		_, err := o.Call(t.Context(), "m", nil)
		var lost *errs.TransportError
		if !errors.As(err, &lost) || lost.CloseCode != 4001 || lost.CloseReason != "token expired" || lost.URL != "ws://service.test" {
			t.Errorf("error %v", err)
		}
	})
}

func TestStuckWriteOnARealSocketReconnects(t *testing.T) {
	bubble(t, func(t *testing.T, s *fakeService) {
		release := make(chan struct{})
		defer close(release)
		client := serve(t, func(c *websocket.Conn) {
			_, text, _ := c.Read(context.Background())
			f, _ := wire.Decode(string(text))
			c.Write(context.Background(), websocket.MessageText, wire.EncodeResult(f.ID, "{}"))
			<-release
		})
		o := start(t, s, func(c *relay.Config) {
			dialWith(client, 1<<20)(c)
			c.RequestTimeout, c.WriteTimeout = time.Hour, 2*time.Second
		})
		r := <-o.ask(t.Context(), "m")
		var broken *errs.WebSocketError
		if !errors.As(r.err, &broken) || r.after != 2*time.Second {
			t.Errorf("request: %v after %v", r.err, r.after)
		}
	})
}

func TestRefusedHandshakeReturnsItsResponse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	defer server.Client().CloseIdleConnections()
	socket, resp, err := relay.DialWebSocket(t.Context(), server.Client(), "ws"+strings.TrimPrefix(server.URL, "http"), 1<<20)
	if err == nil || socket != nil || resp == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("socket %v, response %v, error %v", socket, resp, err)
	}
}
