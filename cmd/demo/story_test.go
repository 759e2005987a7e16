package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tokenForm is what the header of every token begins with, in base64url.
var tokenForm = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10}`)

// The real story, with tokens of the shortest life that works: some 23 seconds.
func TestStoryIsSeenToItsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes almost half a minute")
	}
	t.Parallel()
	var out, problems writer
	recording := filepath.Join(t.TempDir(), "echo.wav")
	if status := run(t.Context(), []string{"-life", shortestLife.String(), "-out", recording}, &out, &problems); status != exitSeen {
		t.Fatalf("status %d, want %d; it wrote\n%s%s", status, exitSeen, out.text(), problems.text())
	}
	told := out.text()
	for _, s := range plan() {
		if n := strings.Count(told, "✓ "+string(s)); n != 1 {
			t.Errorf("step %q appears %d times", s, n)
		}
	}
	_, summary, found := strings.Cut(told, "What was shown")
	if !found || !strings.Contains(summary, fmt.Sprintf("All %d steps were observed", len(plan()))) || !strings.Contains(summary, recording) {
		t.Errorf("no summary at the end of\n%s", told)
	}
	if _, err := readRecording(recording); err != nil {
		t.Error(err)
	}
	if leak := tokenForm.FindString(told); leak != "" {
		t.Errorf("a token was printed: %s…", leak)
	}
	if t.Failed() {
		t.Log(told)
	}
}

func TestStoryThatBreaksOffSaysWhereAndFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, problems writer
	if status := run(ctx, nil, &out, &problems); status != exitFailed {
		t.Errorf("status %d, want %d", status, exitFailed)
	}
	if want := `✗ step "the session is online" failed: context canceled`; !strings.Contains(out.text(), want) {
		t.Errorf("want %q in\n%s", want, out.text())
	}
}

// A story that skips a step does not pass for a complete one.
func TestStoryMustFollowThePlan(t *testing.T) {
	seen := map[step]bool{}
	for _, s := range plan() {
		if s == "" || seen[s] {
			t.Errorf("step %q is empty or planned twice", s)
		}
		seen[s] = true
	}
}
