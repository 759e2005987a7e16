package session_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"go.uber.org/goleak"
)

// gatewayProcess in the environment makes the test binary a gateway, so that
// benchmarks of the client do not measure the server.
const gatewayProcess = "CALLRX_BENCH_GATEWAY"

func TestMain(m *testing.M) {
	if os.Getenv(gatewayProcess) != "" {
		serveGateway()
		return
	}
	goleak.VerifyTestMain(m)
}

// serveGateway prints what a client needs and serves until its input ends.
func serveGateway() {
	srv, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "bench", TTL: 24 * time.Hour})
	fmt.Println(srv.APIURL(), srv.RelayURL(), sat.Token)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

// benchGateway starts a gateway in another process and returns what a client
// of it is made with.
func benchGateway(b *testing.B) (session.CredentialProvider, session.Options) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), gatewayProcess+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) != 3 {
		b.Fatalf("the gateway said %q: %v", line, err)
	}
	return session.StaticCredentials(session.Credential{Token: words[2]}),
		session.Options{APIURL: words[0], RelayURL: words[1], DPoPKey: sharedKey()}
}

// BenchmarkConnectAndClose is one whole life of a client: profile, socket,
// authentication, close.
func BenchmarkConnectAndClose(b *testing.B) {
	p, opts := benchGateway(b)
	b.ReportAllocs()
	for b.Loop() {
		c, err := session.New(p, opts)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Connect(b.Context()); err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
	}
}

// BenchmarkExecute is one request and its answer over a live session.
func BenchmarkExecute(b *testing.B) {
	for _, parallel := range []int{1, 100} {
		b.Run(fmt.Sprintf("in-flight-%d", parallel), func(b *testing.B) {
			p, opts := benchGateway(b)
			c, err := session.Open(b.Context(), p, opts)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.ReportAllocs()
			b.SetParallelism(parallel)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.Execute(context.Background(), "signalwire.ping", nil, nil); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkIdleClient reports what a connected client that does nothing costs:
// heap, stacks, goroutines. Each has an observer of its errors. The time per
// operation is that of connecting all of them.
func BenchmarkIdleClient(b *testing.B) {
	const clients = 500
	p, opts := benchGateway(b)
	for b.Loop() {
		before := measure()
		cs := make([]*session.Client, clients)
		var wg sync.WaitGroup
		slots := make(chan struct{}, 16)
		for i := range cs {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				c, err := session.Open(context.Background(), p, opts)
				if err != nil {
					b.Error(err)
					return
				}
				c.ObserveErrors().Subscribe(context.Background(), func(error) {})
				cs[i] = c
			})
		}
		wg.Wait()
		after := measure()
		b.ReportMetric(float64(after.heap-before.heap)/clients, "heap-B/client")
		b.ReportMetric(float64(after.stack-before.stack)/clients, "stack-B/client")
		b.ReportMetric(float64(after.goroutines-before.goroutines)/clients, "goroutines/client")
		for _, c := range cs {
			if c != nil {
				wg.Go(func() { _ = c.Close() })
			}
		}
		wg.Wait()
	}
}

type footprint struct{ heap, stack, goroutines int64 }

func measure() footprint {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{int64(m.HeapAlloc), int64(m.StackInuse), int64(runtime.NumGoroutine())}
}
