package interop

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write the traces and tables of the scenarios anew")

const traces = "../../testdata/traces/browser"

// A performance is what an actor showed and sent in a scenario.
type performance struct {
	states map[string]string
	trace  []string // masked
}

// What both SDKs show and send in the same scenarios is what the tables say, which say as well why they differ.
func TestBothSDKsPlayTheSameScenarios(t *testing.T) {
	t.Parallel()
	all := scenarios()
	played := make([][2]performance, len(all))
	t.Run("scenario", func(t *testing.T) {
		for i, s := range all {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				played[i] = [2]performance{perform(t, s, "official"), perform(t, s, "callrx")}
			})
		}
	})
	if t.Failed() || slices.ContainsFunc(played, func(p [2]performance) bool { return p[0].states == nil }) {
		return // or -run asked for some of them only
	}
	golden(t, "states.md", stateTable(t, all, played))
	golden(t, "frames.md", frameTable(t, all, played))
	for i, s := range all {
		for n, sdk := range []string{"official", "callrx"} {
			name := strings.ReplaceAll(s.name, " ", "_") + "." + sdk + ".jsonl"
			golden(t, name, strings.Join(played[i][n].trace, "\n")+"\n")
		}
	}
}

func perform(t *testing.T, s scenario, sdk string) (p performance) {
	t.Run(sdk, func(t *testing.T) {
		var a actor
		if sdk == "official" {
			page := open(t, "ann")
			page.cable = newCable(t)
			a = &official{Page: page}
		} else {
			g := newGopher(t, "ann")
			g.cable = newCable(t)
			a = newCallrx(g)
		}
		s.play(t, a)
		p = performance{settled(a), masked(a)}
	})
	return p
}

var goldenFiles sync.Mutex

// golden compares a file with what it should be, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	goldenFiles.Lock()
	defer goldenFiles.Unlock()
	path := filepath.Join(traces, name)
	if *update {
		if err := os.MkdirAll(traces, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s is out of date (-update writes it anew); now it is\n%s", path, got)
	}
}

// stateTable says what was observable, side by side.
func stateTable(t *testing.T, all []scenario, played [][2]performance) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# What both SDKs show\n\nWritten by `go test ./internal/interop -update`. Each cell has the values of a stream in their order.\n")
	for i, s := range all {
		fmt.Fprintf(&b, "\n## %s\n\n| stream | official SDK | callrx | why they differ |\n|---|---|---|---|\n", s.name)
		for _, stream := range []string{"ready", "registered", "status", "errors"} {
			official, callrx := played[i][0].states[stream], played[i][1].states[stream]
			if official+callrx == "" {
				continue
			}
			why := ""
			if official != callrx {
				if why = decision("states", s.name+"/"+stream); why == "" {
					t.Errorf("%s: %s is %q with the official SDK, %q with callrx, and nobody decided about it", s.name, stream, official, callrx)
				}
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", stream, official, callrx, why)
		}
	}
	return b.String()
}
