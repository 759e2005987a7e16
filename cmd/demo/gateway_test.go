package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/callrx/callrx/session"
)

// startGateway runs demo gateway until the test ends and returns what it printed.
func startGateway(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var problems writer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"gateway"}, args...), in, &problems)
		_ = in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		rest, _ := io.ReadAll(out)
		if status := <-ended; status != exitSeen || !strings.Contains(string(rest), "gateway closed") {
			t.Errorf("gateway ended with status %d: %s%s", status, rest, problems.text())
		}
	})
	var printed strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(printed.String(), "Interrupt to stop.") {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("gateway stopped: %v, %s", err, problems.text())
		}
		printed.Write(buf[:n])
	}
	return printed.String()
}

// field finds the value that pattern captures.
func field(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not in\n%s", pattern, text)
	}
	return m[1]
}

func TestGatewayPrintsWhatAClientNeeds(t *testing.T) {
	text := startGateway(t, "-admin", "127.0.0.1:0")
	client, err := session.Open(t.Context(),
		session.StaticCredentials(session.Credential{Token: field(t, text, `TOKEN=(\S+)`)}),
		session.Options{APIURL: field(t, text, `REST +(\S+)`), RelayURL: field(t, text, `WebSocket +(\S+)`)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if !client.Registered() || client.User().DisplayName != "Ann" {
		t.Errorf("registered %t, user %+v", client.Registered(), client.User())
	}
}

func TestGatewayAdminAddressAnswers(t *testing.T) {
	text := startGateway(t, "-admin", "127.0.0.1:0")
	r, err := http.Get(field(t, text, `curl (\S+/journal)`))
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusOK {
		t.Errorf("journal: %s", r.Status)
	}
}

func TestGatewaySnippetCompiles(t *testing.T) {
	text := startGateway(t)
	_, program, _ := strings.Cut(text, "with TOKEN exported:\n\n")
	program, _, _ = strings.Cut(program, "\nInterrupt to stop.")
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, program)
	}
}
