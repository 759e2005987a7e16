package sessiontest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// ErrClosed is returned by a wait that the closing of its [Server] ended.
var ErrClosed = errors.New("sessiontest: server closed")

// Server is a running gateway. All its methods may be called from several goroutines at once.
type Server struct {
	opts        Options
	log         *slog.Logger
	spaceID     string
	clusterHost string // "ch" of minted tokens

	listener net.Listener
	memory   *memoryListener // nil unless Options.InMemory
	cert     *certificate    // nil unless Options.TLS
	http     *http.Server
	admin    *adminServer // nil unless Options.AdminAddr
	client   *http.Client

	sealer        *sealer
	registry      *registry
	conversations *conversations
	tokens        tokenLedger
	rotations     rotations
	replays       *replayCache
	journal       *journal
	faults        *faultTable
	clock         *clock
	sessions      *sessionTable
	calls         *callTable
	methods       map[string]rpcHandler

	ctx     context.Context // ends when the server closes
	cancel  context.CancelFunc
	running sync.WaitGroup // Serve loops, connections and socket goroutines
	closing sync.Once
}

// NewServer starts a server that is closed when the test and its subtests are done. At most one
// Options may be given. It fails the test when the server cannot start.
func NewServer(t testing.TB, opts ...Options) *Server {
	t.Helper()
	var o Options
	switch len(opts) {
	case 0:
	case 1:
		o = opts[0]
	default:
		t.Fatalf("sessiontest.NewServer takes one Options, not %d", len(opts))
	}
	if o.Logger == nil && o.Verbose {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	s, err := Start(o)
	if err != nil {
		t.Fatalf("start session test server: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a server that runs until [Server.Close].
func Start(opts Options) (*Server, error) {
	s, err := newServer(opts.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("start gateway: %w", err)
	}
	if err := s.listen(); err != nil {
		s.cancel()
		return nil, fmt.Errorf("start gateway: %w", err)
	}
	if err := s.startAdmin(); err != nil {
		s.cancel()
		return nil, fmt.Errorf("start admin API: %w", errors.Join(err, s.listener.Close()))
	}
	s.running.Go(s.serve)
	return s, nil
}

// newServer builds a server that holds no goroutine yet.
func newServer(o Options) (*Server, error) {
	sealer, err := newSealer()
	if err != nil {
		return nil, fmt.Errorf("make token key: %w", err)
	}
	s := &Server{
		opts: o, log: o.Logger.With("component", "sessiontest"), spaceID: newUUID(),
		sealer:  sealer,
		replays: newReplayCache(2*o.ProofWindow + time.Minute),
		journal: newJournal(o.JournalLimit),
		clock:   newClock(),
	}
	s.registry = newRegistry(s.now)
	s.conversations = newConversations()
	s.faults = newFaultTable()
	s.sessions = newSessionTable()
	s.calls = newCallTable(s)
	s.methods = s.rpcMethods()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

func (s *Server) listen() error {
	if s.opts.InMemory {
		s.memory = newMemoryListener()
		s.listener = s.memory
	} else {
		l, err := net.Listen("tcp", s.opts.Addr)
		if err != nil {
			return err
		}
		s.listener = l
	}
	s.setClusterHost()
	s.listener = gatedListener{s.listener}
	if s.opts.TLS {
		cert, err := newCertificate(s.domainName())
		if err != nil {
			return errors.Join(err, s.listener.Close())
		}
		s.cert = cert
		s.listener = tls.NewListener(s.listener, &tls.Config{
			Certificates: []tls.Certificate{cert.server}, MinVersion: tls.VersionTLS12,
		})
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 30 * time.Second,
		ConnContext:       withConn,
		ConnState:         s.countConn,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	s.client = s.newClient()
	return nil
}

func (s *Server) serve() {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("listener failed", "error", err)
	}
}

// countConn keeps Close waiting for every HTTP connection. A hijacked one is then counted by its socket.
func (s *Server) countConn(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.running.Done()
	}
}

// Close ends every socket and connection without farewell and waits until no goroutine of the server
// is left. Waits of the test API end with [ErrClosed]. Closing again does nothing.
func (s *Server) Close() {
	s.closing.Do(func() {
		s.cancel()
		_ = s.http.Close()
		if s.admin != nil {
			_ = s.admin.http.Close()
		}
		s.calls.closeAll()
		s.sessions.closeAll()
		s.client.CloseIdleConnections()
	})
	s.running.Wait()
}

// Project returns the project id and API token that the Basic-auth endpoints accept.
func (s *Server) Project() (id, token string) { return s.opts.ProjectID, s.opts.ProjectToken }

// CertPool returns the throw-away authority of a server with TLS, nil for one without.
func (s *Server) CertPool() *x509.CertPool {
	if s.cert == nil {
		return nil
	}
	return s.cert.pool
}
