package natsstorage_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/natsstorage"
	"github.com/callrx/callrx/session/sessiontest"
)

// Two machines share a bucket: what ann's client leaves on one, the next one
// goes on with, without a credential.
func ExampleNew() {
	if err := twoMachines(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// machine 1: Ann online
	// machine 2: Ann online
	// sessions: 1
}

func twoMachines() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	url, stop, err := exampleBroker()
	if err != nil {
		return err
	}
	defer stop()
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		return err
	}
	defer gw.Close()
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", DisplayName: "Ann", TTL: time.Hour})

	provider := session.CredentialProvider(session.StaticCredentials(session.Credential{Token: sat.Token}))
	for machine := 1; machine <= 2; machine++ {
		conn, err := nats.Connect(url)
		if err != nil {
			return err
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			return err
		}
		store, err := natsstorage.New(ctx, js, natsstorage.Config{Prefix: "ann"})
		if err != nil {
			return err
		}
		client, err := session.Open(ctx, provider, session.Options{
			APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), Storage: store, PersistSession: true,
		})
		if err != nil {
			return err
		}
		fmt.Printf("machine %d: %s %s\n", machine, client.User().DisplayName, client.Status())
		_ = client.Close()
		provider = nil
	}
	fmt.Println("sessions:", len(gw.Sessions()))
	return nil
}

func exampleBroker() (url string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "natsstorage")
	if err != nil {
		return "", nil, err
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return "", nil, err
	}
	s.Start()
	stop = func() {
		s.Shutdown()
		s.WaitForShutdown()
		_ = os.RemoveAll(dir)
	}
	if !s.ReadyForConnections(20 * time.Second) {
		stop()
		return "", nil, fmt.Errorf("the NATS server is not ready")
	}
	return s.ClientURL(), stop, nil
}
