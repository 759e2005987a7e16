package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestLobbyHasABotThatSpeaks(t *testing.T) {
	gw := sessiontest.NewServer(t, sessiontest.Options{TLS: true})
	l, err := openLobby(t.Context(), gw, "127.0.0.1:0", somethingLikeTheSDK(t))
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	answer, err := http.Post(l.address+"token", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer func() { _ = answer.Body.Close() }()
	var visitor struct{ Token, Name, Room string }
	if err := json.NewDecoder(answer.Body).Decode(&visitor); err != nil || visitor.Name != "Visitor 1" {
		t.Fatalf("%+v, %v", visitor, err)
	}
	client, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: visitor.Token}), session.Options{
		APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	heard := make(chan struct{}, 1)
	ear, err := media.NewPCMSink(soundRate, 1, func(pcm []int16) error {
		if sound(pcm).level() > -40 {
			select {
			case heard <- struct{}{}:
			default:
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Dial(t.Context(), visitor.Room, session.DialOptions{MediaOptions: session.MediaOptions{
		AudioSink: ear, SettingEngine: onLoopback,
	}}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-heard:
	case <-time.After(20 * time.Second):
		t.Error("the bot was not heard")
	}
}

func TestGatewayServesThePageAndTheSDK(t *testing.T) {
	sdk := somethingLikeTheSDK(t)
	text := startGateway(t, "-page", "127.0.0.1:0", "-sdk", sdk)
	page := field(t, text, `(http://127\S+/)\n`)
	defer http.DefaultClient.CloseIdleConnections()
	for path, want := range map[string]string{"": `<script src="/sdk.js">`, "sdk.js": "something like the SDK"} {
		r, err := http.Get(page + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v", path, body, err)
		}
	}
}

func TestGatewaySaysThatTheSDKIsMissing(t *testing.T) {
	var out, problems writer
	if status := run(t.Context(), []string{"gateway", "-page", "127.0.0.1:0", "-sdk", "nowhere.js"}, &out, &problems); status != exitFailed ||
		!strings.Contains(problems.text(), "make browser-install") {
		t.Errorf("status %d, %s", status, problems.text())
	}
}

func somethingLikeTheSDK(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sdk.js")
	if err := os.WriteFile(file, []byte("// something like the SDK"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
