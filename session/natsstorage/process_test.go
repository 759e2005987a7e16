package natsstorage_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/natsstorage"
	"github.com/callrx/callrx/session/sessiontest"
)

// The test binary is the program whose processes these tests start and kill.
const (
	roleVariable   = "NATSSTORAGE_TEST_ROLE"
	natsVariable   = "NATSSTORAGE_TEST_NATS"
	apiVariable    = "NATSSTORAGE_TEST_API"
	socketVariable = "NATSSTORAGE_TEST_SOCKET"
	tokenVariable  = "NATSSTORAGE_TEST_TOKEN"
)

const (
	clientRole = "client" // has a session
	callerRole = "caller" // has a call
)

// play is what such a process does: it opens a client over the bucket, says what
// it has and stays until it is killed, or what it stays for ends.
func play(role string) int {
	stay := stayOnline
	if role == callerRole {
		stay = stayInACall
	}
	if err := stay(); err != nil {
		fmt.Println(role, "failed:", err)
		return 1
	}
	return 0
}

// bucketOf opens the bucket of a process that a test has started.
func bucketOf(ctx context.Context) (store session.Storage, leave func(), err error) {
	conn, err := nats.Connect(os.Getenv(natsVariable))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	if err == nil {
		store, err = natsstorage.New(ctx, js, natsstorage.Config{})
	}
	if err != nil {
		conn.Close()
	}
	return store, conn.Close, err
}

// stayOnline stays until its standard input ends.
func stayOnline() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	store, leave, err := bucketOf(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var provider session.CredentialProvider
	if token := os.Getenv(tokenVariable); token != "" {
		provider = session.StaticCredentials(session.Credential{Token: token})
	}
	client, err := session.Open(ctx, provider, session.Options{
		APIURL: os.Getenv(apiVariable), RelayURL: os.Getenv(socketVariable), Storage: store, PersistSession: true,
	})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	fmt.Println("online as", client.User().DisplayName)
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	_ = err // the end of the input
	return nil
}

func TestKilledProcessIsFollowedByAnotherThatGoesOnWithItsSession(t *testing.T) {
	b, gw := newBroker(t), sessiontest.NewServer(t)
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	begin := func(token string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), roleVariable+"="+clientRole, natsVariable+"="+b.ClientURL(), apiVariable+"="+gw.APIURL(),
			socketVariable+"="+gw.RelayURL(), tokenVariable+"="+token)
		_, errIn := cmd.StdinPipe()
		out, errOut := cmd.StdoutPipe()
		if errIn != nil || errOut != nil || cmd.Start() != nil {
			t.Fatal("no child process")
		}
		if line, _ := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(line, "online as ann") {
			t.Errorf("the child says %q", line)
		}
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}

	first := begin(sat.Token)
	waitForKeys(t, b.connect(), "sw=3Acached_credential", "=3Apt", "=3Aas")
	kill(first)
	protocol := gw.Sessions()[0].Protocol
	defer kill(begin("")) // without a credential
	all := gw.Journal().RPC("signalwire.connect")
	if last := all[len(all)-1]; len(all) != 2 || last.Session != protocol || last.Code != 0 {
		t.Errorf("%d connects, the last %+v; want session %s resumed", len(all), last, protocol)
	}
	if s := gw.Sessions(); len(s) != 1 || !s[0].Connected {
		t.Errorf("sessions %+v, want the one", s)
	}
}

// waitForKeys returns when the bucket has a key that ends in each of these.
func waitForKeys(t *testing.T, js jetstream.JetStream, suffixes ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	kv, err := js.KeyValue(ctx, "callrx")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kv.WatchAll(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = keys.Stop() }()
	for len(suffixes) > 0 {
		select {
		case e := <-keys.Updates():
			suffixes = slices.DeleteFunc(suffixes, func(s string) bool { return e != nil && strings.HasSuffix(e.Key(), s) })
		case <-ctx.Done():
			t.Fatalf("no key ends in %s", suffixes)
		}
	}
}
