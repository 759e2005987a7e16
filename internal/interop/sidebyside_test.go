package interop

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

var update = flag.Bool("update", false, "write the traces and tables of the scenarios anew")

const traces = "../../testdata/traces/browser"

// A scenario is played by both SDKs, one after the other, with the same things happening to them.
type scenario struct {
	name string
	play func(t *testing.T, a actor)
}

func scenarios() []scenario {
	return []scenario{
		{"sign in and leave", func(t *testing.T, a actor) { a.enter(); a.leave() }},
		{"a refused token", func(t *testing.T, a actor) {
			if err := a.try(a.token()[:len(a.token())-8] + "AAAAAAAA"); err == nil {
				t.Error("it was taken")
			}
		}},
		{"dial and hang up", func(t *testing.T, a actor) { a.enter(); reach(t, a, "/public/echo"); a.end() }},
		{"the far end hangs up", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			stage.gw.HangupCall(a.callID(), "", 0)
			a.await("destroyed")
		}},
		{"no such address", func(t *testing.T, a actor) {
			a.enter()
			if err := a.place("/private/nobody"); err == nil {
				t.Error("somebody is there")
			}
		}},
		{"early media", func(t *testing.T, a actor) { a.enter(); reach(t, a, "/public/early"); a.end() }},
		{"an inbound call is answered", func(t *testing.T, a actor) {
			a.enter()
			callTo(t, a)
			a.ring()
			a.accept()
			a.await("connected")
			joined(t, a) // only then it knows its member id, which it sends with what follows
			a.end()
		}},
		{"an inbound call is rejected", func(t *testing.T, a actor) {
			a.enter()
			callTo(t, a)
			a.ring()
			a.refuse()
			a.await("destroyed")
		}},
		{"the caller gives up", func(t *testing.T, a actor) {
			a.enter()
			caller := callTo(t, a)
			a.ring()
			_ = caller.Hangup(t.Context())
			a.await("destroyed")
		}},
		{"hold", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			a.hold(true)
			a.hold(false)
			a.end()
		}},
		{"digits", func(t *testing.T, a actor) { a.enter(); reach(t, a, "/public/echo"); a.press("12#"); a.end() }},
		{"a shared screen", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/"+unique(t, "room"))
			a.share(true)
			a.share(false)
			a.end()
		}},
		{"a lost socket", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			a.cut()
			<-time.After(1500 * time.Millisecond)
			a.mend()
			a.end()
		}},
		{"disconnect in a call", func(t *testing.T, a actor) {
			a.enter()
			reach(t, a, "/public/echo")
			a.leave()
			a.await("destroyed")
		}},
	}
}

// reach dials and waits until the call is connected.
func reach(t *testing.T, a actor, to string) {
	t.Helper()
	if err := a.place(to); err != nil {
		t.Fatalf("%s: %v", to, err)
	}
	a.await("connected")
}

// joined waits until the call's client has acknowledged that it joined.
func joined(t *testing.T, a actor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	id := a.callID()
	if _, err := stage.gw.WaitFor(ctx, func(e sessiontest.Entry) bool {
		return e.Event == "call.joined" && e.Call == id && !e.Answered.IsZero()
	}); err != nil {
		t.Fatalf("the call is not joined: %v", err)
	}
}

// callTo has somebody else call a.
func callTo(t *testing.T, a actor) *session.Call {
	t.Helper()
	g := newGopher(t, "caller").online()
	return g.dial("/private/"+a.name(), g.toSpeak(&ear{}))
}

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
