package natsstorage_test

import (
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/natsstorage"
)

// A broker is a real NATS server with JetStream on files, which can be stopped
// and started again on the same port.
type broker struct {
	t    testing.TB
	opts server.Options
	*server.Server
}

func newBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{t: t, opts: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	}}
	b.start()
	b.opts.Port = b.Addr().(*net.TCPAddr).Port
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	b.t.Helper()
	opts := b.opts
	s, err := server.NewServer(&opts)
	if err != nil {
		b.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		b.t.Fatal("the NATS server is not ready")
	}
	b.Server = s
}

func (b *broker) stop() {
	b.Shutdown()
	b.WaitForShutdown()
}

// connect is one client of the broker.
func (b *broker) connect() jetstream.JetStream {
	b.t.Helper()
	conn, err := nats.Connect(b.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		b.t.Fatal(err)
	}
	return js
}

func (b *broker) storage(js jetstream.JetStream, c natsstorage.Config) session.SharedStorage {
	b.t.Helper()
	s, err := natsstorage.New(b.t.Context(), js, c)
	if err != nil {
		b.t.Fatal(err)
	}
	return s.(session.SharedStorage)
}
