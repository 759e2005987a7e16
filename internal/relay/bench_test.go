package relay_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/relay"
	"github.com/callrx/callrx/internal/wire"
)

// An echoSocket answers every request whose method is not "parked" at once, and
// never fails. It is the cheapest peer there is.
type echoSocket struct {
	in   chan []byte
	gone chan struct{}
	once sync.Once
}

func newEcho() *echoSocket {
	return &echoSocket{in: make(chan []byte, 2048), gone: make(chan struct{})}
}

func (e *echoSocket) Read(_ context.Context, buf []byte) ([]byte, error) {
	select {
	case text := <-e.in:
		return append(buf, text...), nil
	case <-e.gone:
		return buf, net.ErrClosed
	}
}

func (e *echoSocket) Write(_ context.Context, message []byte) error {
	text := string(message)
	if strings.Contains(text, `"method":"parked"`) {
		return nil
	}
	_, id, _ := strings.Cut(text, `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	select {
	case e.in <- wire.EncodeAck(id):
	case <-e.gone:
	}
	return nil
}

func (e *echoSocket) Close(int, string) error {
	e.once.Do(func() { close(e.gone) })
	return nil
}

// live starts a relay on socket and waits until it takes requests.
func live(b *testing.B, socket relay.Socket, event func(wire.Event)) *relay.Relay {
	ready := make(chan struct{})
	cfg := config(nil)
	cfg.Dial = func(context.Context, string) (relay.Socket, time.Duration, error) { return socket, 0, nil }
	cfg.Authenticate = func(context.Context, *relay.Link) error { return nil }
	cfg.RequestTimeout = time.Hour
	cfg.OnStatus = func(s relay.Status, _ error) {
		if s == relay.Live {
			close(ready)
		}
	}
	if event != nil {
		cfg.Event = event
	}
	r := relay.New(cfg)
	r.Start()
	b.Cleanup(func() { r.Close("", errTestOver) })
	<-ready
	return r
}

// BenchmarkCall is one request and its answer while others are pending: parked
// ones that are never answered, or a window of callers that take turns.
func BenchmarkCall(b *testing.B) {
	for _, pending := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("parked/%d", pending), func(b *testing.B) {
			r := live(b, newEcho(), nil)
			park(b, r, pending-1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Call(b.Context(), "m", nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("window/%d", pending), func(b *testing.B) {
			r := live(b, newEcho(), nil)
			b.ReportAllocs()
			turns := make(chan struct{}, pending)
			var wg sync.WaitGroup
			for range pending {
				wg.Go(func() {
					for range turns {
						if _, err := r.Call(context.Background(), "m", nil); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				turns <- struct{}{}
			}
			close(turns)
			wg.Wait()
		})
	}
}

// park leaves n requests pending until the benchmark ends.
func park(b *testing.B, r *relay.Relay, n int) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { _, _ = r.Call(ctx, "parked", nil) })
	}
	b.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// A firehose is a socket that always has another event to read.
type firehose struct {
	head, tail []byte
	n          uint64
	gone       chan struct{}
	once       sync.Once
	limit      chan struct{} // one element per frame to be read
}

func (f *firehose) Read(_ context.Context, buf []byte) ([]byte, error) {
	select {
	case <-f.limit:
	case <-f.gone:
		return buf, net.ErrClosed
	}
	f.n++
	buf = append(buf, f.head...)
	buf = strconv.AppendUint(buf, f.n, 36)
	return append(buf, f.tail...), nil
}

func (f *firehose) Write(context.Context, []byte) error { return nil }

func (f *firehose) Close(int, string) error {
	f.once.Do(func() { close(f.gone) })
	return nil
}

// BenchmarkEvent is the way of an event frame from the socket to the owner,
// acknowledgement included.
func BenchmarkEvent(b *testing.B) {
	for _, name := range []string{"member_updated", "member_talking", "call_joined_100"} {
		b.Run(name, func(b *testing.B) {
			text, err := os.ReadFile("../../testdata/frames/" + name + ".json")
			if err != nil {
				b.Fatal(err)
			}
			head, rest, _ := strings.Cut(string(text), `"id":"`)
			f := &firehose{
				head: []byte(head + `"id":"`), tail: []byte(rest),
				gone: make(chan struct{}), limit: make(chan struct{}, 1024),
			}
			delivered := make(chan struct{}, 1024)
			r := live(b, f, func(wire.Event) { delivered <- struct{}{} })
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			sent := 0
			for b.Loop() {
				f.limit <- struct{}{}
				if sent++; sent > 512 { // keep the reader busy, not a queue growing
					<-delivered
				}
			}
			for range min(sent, 512) {
				<-delivered
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "events/s")
			if got := r.Stats(); got != (relay.Stats{}) {
				b.Fatalf("stats %+v", got)
			}
		})
	}
}

// BenchmarkIdleLink reports what a live relay costs that has nothing to do. The
// in-memory socket is not counted.
func BenchmarkIdleLink(b *testing.B) {
	const links = 500
	for b.Loop() {
		sockets := make([]*echoSocket, links)
		for i := range sockets {
			sockets[i] = newEcho()
		}
		heap, stack, goroutines := usage()
		relays := make([]*relay.Relay, links)
		for i, s := range sockets {
			relays[i] = live(b, s, nil)
		}
		h, s, g := usage()
		b.ReportMetric(float64(g-goroutines)/links, "goroutines/link")
		b.ReportMetric((h-heap)/links, "heap-B/link")
		b.ReportMetric((s-stack)/links, "stack-B/link")
		for _, r := range relays {
			r.Close("", errTestOver)
		}
		runtime.KeepAlive(sockets)
	}
}

func usage() (heap, stack float64, goroutines int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), float64(m.StackInuse), runtime.NumGoroutine()
}
