package rest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/callrx/callrx/internal/rest"
)

const base = "http://fabric.test.localhost"

// memoryServer is an HTTP server without sockets, so that it works inside a
// synctest bubble. Every address leads to it.
type memoryServer struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once

	mu       sync.Mutex
	requests []seen
	dialled  []string
}

// seen is what the server got.
type seen struct {
	method, host, path, authorization, body string
	header                                  http.Header
}

// newMemoryServer starts a server that ends with the test.
func newMemoryServer(t testing.TB, handler http.HandlerFunc) *memoryServer {
	t.Helper()
	m := &memoryServer{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			m.mu.Lock()
			m.requests = append(m.requests, seen{
				method: r.Method, host: r.Host, path: r.URL.RequestURI(),
				authorization: r.Header.Get("Authorization"), body: string(body), header: r.Header.Clone(),
			})
			m.mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(body))
			handler(w, r)
		}),
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(m) })
	t.Cleanup(func() {
		_ = server.Close()
		wg.Wait()
	})
	return m
}

func (m *memoryServer) seen() []seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests
}

// httpClient returns a client of the server.
func (m *memoryServer) httpClient(t testing.TB) *http.Client {
	transport := &http.Transport{DialContext: m.dial, DialTLSContext: m.dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (m *memoryServer) dial(ctx context.Context, _, address string) (net.Conn, error) {
	client, server := net.Pipe()
	m.mu.Lock()
	m.dialled = append(m.dialled, address)
	m.mu.Unlock()
	select {
	case m.conns <- server:
		return client, nil
	case <-m.done:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memoryServer) Accept() (net.Conn, error) {
	select {
	case conn := <-m.conns:
		return conn, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *memoryServer) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

func (m *memoryServer) Addr() net.Addr { return &net.TCPAddr{} }

// newClient returns a client of the server with a fixed session token, and what
// it logs.
func newClient(t testing.TB, m *memoryServer, change ...func(*rest.Config)) (*rest.Client, *bytes.Buffer) {
	t.Helper()
	var logged bytes.Buffer
	config := rest.Config{
		Base:   func() string { return base },
		HTTP:   m.httpClient(t),
		Token:  func() string { return sessionToken },
		Logger: slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug - 4})),
	}
	for _, c := range change {
		c(&config)
	}
	return rest.New(config), &logged
}

// respond answers every request in the same way.
func respond(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// sequence answers the first request with the first handler, and so on; the last
// one answers the rest.
func sequence(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handler := handlers[next]
		next = min(next+1, len(handlers)-1)
		mu.Unlock()
		handler(w, r)
	}
}

// chain prints an error and everything it wraps, with every field.
func chain(err error) string {
	if err == nil {
		return ""
	}
	text := fmt.Sprintf("%v\n%+v\n%#v\n", err, err, err)
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		text += chain(wrapper.Unwrap())
	case interface{ Unwrap() []error }:
		for _, e := range wrapper.Unwrap() {
			text += chain(e)
		}
	}
	return text
}
