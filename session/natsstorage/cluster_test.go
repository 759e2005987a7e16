package natsstorage_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/natsstorage"
	"github.com/callrx/callrx/session/sessiontest"
)

// newCluster is three real NATS servers that keep everything three times.
func newCluster(t *testing.T) [3]*broker {
	t.Helper()
	var routes []*url.URL
	var held []net.Listener
	var ports [3]int
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		held = append(held, l)
	}
	for _, l := range held { // each was free while the others were taken
		_ = l.Close()
	}
	var all [3]*broker
	for i := range all {
		b := &broker{t: t, opts: server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(),
			NoLog: true, NoSigs: true, Routes: routes,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[i]},
		}}
		s, err := server.NewServer(&b.opts)
		if err != nil {
			t.Fatal(err)
		}
		b.Server, all[i] = s, b
		go s.Start()
		t.Cleanup(b.stop)
	}
	for _, b := range all {
		if !b.ReadyForConnections(20 * time.Second) {
			t.Fatal("a NATS server is not ready")
		}
		b.opts.Port = b.Addr().(*net.TCPAddr).Port
	}
	return all
}

// clusterStorage is a storage with three replicas, from the first moment the
// cluster can make one.
func clusterStorage(t *testing.T, all [3]*broker) session.SharedStorage {
	t.Helper()
	var urls []string
	for _, b := range all {
		urls = append(urls, b.ClientURL())
	}
	conn, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	var s session.Storage
	within(t, "the cluster makes a bucket", func(ctx context.Context) (err error) {
		s, err = natsstorage.New(ctx, js, natsstorage.Config{Replicas: 3})
		return err
	})
	return s.(session.SharedStorage)
}

// within tries until it works: a cluster that has lost a server elects another
// leader, for a few seconds.
func within(t *testing.T, what string, do func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		attempt, stop := context.WithTimeout(ctx, 2*time.Second)
		err := do(attempt)
		if err == nil {
			stop()
			return
		}
		<-attempt.Done()
		stop()
		if ctx.Err() != nil {
			t.Fatalf("in vain: %s: %v", what, err)
		}
	}
}

// TestClusterGoesOnWithoutOneOfThree servers; without two a write is a typed error
// in time, and the client goes on.
func TestClusterGoesOnWithoutOneOfThree(t *testing.T) {
	all := newCluster(t)
	s := clusterStorage(t, all)
	if err := s.Set(t.Context(), lasting, "k", []byte("three")); err != nil {
		t.Fatal(err)
	}
	all[0].stop()
	wantValue(t, s, "three")
	within(t, "two servers write", func(ctx context.Context) error { return s.Set(ctx, lasting, "k", []byte("two")) })
	within(t, "two servers swap", func(ctx context.Context) error {
		_, err := s.Swap(ctx, lasting, "k", []byte("two"), []byte("swapped"))
		return err
	})
	wantValue(t, s, "swapped")

	gw := sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	client, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), Storage: s, PersistSession: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	all[1].stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var failed *errs.StorageError
	if err := s.Set(ctx, lasting, "k", []byte("one")); !errors.As(err, &failed) || failed.Op != "write" || failed.Key != "k" {
		t.Errorf("a write to one of three: %v", err)
	}
	if err := client.Preferences().Update(func(p *session.PreferenceValues) { p.StereoAudio = true }); err != nil {
		t.Error(err)
	}
	if err := client.Register(t.Context()); err != nil || client.Status() != session.StatusOnline {
		t.Errorf("the client is %v: %v", client.Status(), err)
	}

	all[1].start()
	within(t, "two servers write again", func(ctx context.Context) error { return s.Set(ctx, lasting, "k", []byte("again")) })
	wantValue(t, s, "again")
}

// wantValue waits for a value: a server that answers may be a moment behind.
func wantValue(t *testing.T, s session.Storage, want string) {
	t.Helper()
	within(t, "reads "+want, func(ctx context.Context) error {
		v, ok, err := s.Get(ctx, lasting, "k")
		if err == nil && (!ok || string(v) != want) {
			err = fmt.Errorf("%q, %v", v, ok)
		}
		return err
	})
}
