package session_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// documentedKeys are the keys that the package comment lists.
func documentedKeys(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(string(text), "The keys, in groups:")
	list, _, end := strings.Cut(list, "The client and the session are")
	if !ok || !end {
		t.Fatal("doc.go does not list the keys")
	}
	keys := map[string]bool{}
	for _, word := range regexp.MustCompile(`[a-z_]+`).FindAllString(list, -1) {
		keys[word] = true
	}
	return keys
}

// logLines reads what a JSON handler wrote.
func logLines(t *testing.T, log *transcript) (lines []map[string]any) {
	t.Helper()
	for line := range bytes.Lines([]byte(log.String())) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		lines = append(lines, fields)
	}
	return lines
}

func TestEveryLineOfTheLogSaysWhoseItIs(t *testing.T) {
	srv := sessiontest.NewServer(t)
	log := &transcript{}
	sat := srv.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	c, err := session.Open(t.Context(), session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
		APIURL: srv.APIURL(), RelayURL: srv.RelayURL(), HTTPClient: srv.Client(), DPoPKey: sharedKey(),
		Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: session.LevelTrace})),
	})
	if err != nil {
		t.Fatal(err)
	}
	k := inRoom(t, c, "/public/stage", session.MediaOptions{})
	screen, err := k.ShareScreen(t.Context(), media.NewTestPattern(), session.MediaOptions{SettingEngine: loopbackMedia})
	if err != nil {
		t.Fatal(err)
	}
	replaceSession(t, srv, c, "ann")
	if err := screen.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	d := c.ExportDiagnostics()
	_ = c.Close()

	documented, legs, components, sessions := documentedKeys(t), map[any]bool{}, map[any]bool{}, map[any]bool{}
	for _, line := range logLines(t, log) {
		for key := range line {
			if key != slog.TimeKey && key != slog.LevelKey && key != slog.MessageKey && !documented[key] {
				t.Errorf("%q is not in the list of keys: %v", key, line)
			}
		}
		if line["client"] != d.Client {
			t.Errorf("not of client %s: %v", d.Client, line)
		}
		if leg := line["leg_id"]; leg != nil {
			legs[leg] = true
			if line["call_id"] != k.ID() {
				t.Errorf("a leg without its call: %v", line)
			}
		}
		components[line["component"]] = true
		if s := line["session"]; s != nil {
			sessions[s] = true
		} else if len(sessions) > 0 {
			t.Errorf("without its session: %v", line)
		}
	}
	if !legs[k.ID()] || !legs[screen.ID()] || len(legs) != 2 {
		t.Errorf("legs %v", legs)
	}
	if !components["rest"] || !components["pion ice"] {
		t.Errorf("components %v", components)
	}
	if len(sessions) != 2 || !sessions[d.Session] {
		t.Errorf("sessions %v, diagnostics of %s", sessions, d.Session)
	}
}
