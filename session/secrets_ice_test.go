package session_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func tappedClient(t *testing.T, srv *sessiontest.Server, seen *shown, p func(*session.Options)) *session.Client {
	t.Helper()
	o := session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(),
		Logger:  slog.New(slog.NewTextHandler(seen, &slog.HandlerOptions{Level: session.LevelTrace})),
		WireTap: func(f session.WireFrame) { seen.add(f.Text) },
	}
	if p != nil {
		p(&o)
	}
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: srv.IssueSAT(sessiontest.SATRequest{Reference: "ann"}).Token}), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func repeatsPassword(t *testing.T, srv *sessiontest.Server, c *session.Client, seen *shown, password string) {
	t.Helper()
	srv.Inject(sessiontest.Fault{Match: sessiontest.Match{RPC: "test.echo"},
		Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32000, Message: "cannot use " + password}})
	err := c.Execute(t.Context(), "test.echo", nil, nil)
	if !strings.Contains(fmt.Sprint(err), "cannot use") {
		t.Fatalf("the error is %v", err)
	}
	seen.error(err)
	d := c.ExportDiagnostics()
	seen.add(fmt.Sprintf("%+v", d))
	wantHidden(t, seen.String(), map[string][]string{"password": {password}}, "password")
}

// The preference ICEServers is the program's; its password is as secret.
func TestPasswordOfThePreferredICEServer(t *testing.T) {
	srv, seen := sessiontest.NewServer(t), &shown{}
	const password = "long-lived-TURN-password"
	c := tappedClient(t, srv, seen, func(o *session.Options) {
		o.Preferences = preferring(func(p *session.PreferenceValues) {
			p.ICEServers = []media.ICEServer{{URLs: []string{"turn:127.0.0.1:3478"}, Username: "ann", Credential: password}}
		})
	})
	repeatsPassword(t, srv, c, seen, password)
}

// A password that the service has replaced is still that of the calls that began with it.
func TestPasswordOfBeforeTheReconnection(t *testing.T) {
	srv, seen := sessiontest.NewServer(t), &shown{}
	c := tappedClient(t, srv, seen, nil)
	old := c.ICEServers()[0].Credential
	time.Sleep(1100 * time.Millisecond) // the name of the next says another second
	srv.Drop("ann")
	eventually(t, "there is a new password", func() bool { return c.Ready() && c.ICEServers()[0].Credential != old })
	repeatsPassword(t, srv, c, seen, old)
}

// What a bye says is in the error of the call, in the log and in its span.
func TestPasswordInABye(t *testing.T) {
	srv, seen := sessiontest.NewServer(t), &shown{}
	c := tappedClient(t, srv, seen, nil)
	password := c.ICEServers()[0].Credential
	k := connected(t, c, "/public/echo", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{})})
	srv.SendVerto(k.ID(), "verto.bye", map[string]any{"callID": k.ID(), "causeCode": 41, "cause": "cannot use " + password})
	select {
	case <-k.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("not over")
	}
	seen.error(k.Err())
	if !strings.Contains(fmt.Sprint(k.Err()), "cannot use") {
		t.Fatalf("the error is %v", k.Err())
	}
	wantHidden(t, seen.String(), map[string][]string{"password": {password}}, "password")
}
