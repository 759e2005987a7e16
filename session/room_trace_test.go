package session_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files in testdata/traces anew")

// Each trace is what the service sends; beside it is what of a call's public
// state changes with each event, and in which order. Regenerate the latter with
//
//	go test ./session -run TestRoomTraces -update
func TestRoomTraces(t *testing.T) {
	paths, err := filepath.Glob("../testdata/traces/room_*.jsonl")
	if err != nil || len(paths) < 4 {
		t.Fatalf("%d traces: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".jsonl"), func(t *testing.T) {
			got := changesOf(t, path)
			golden := strings.TrimSuffix(path, ".jsonl") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("changes (-golden +got):\n%s", diff)
			}
		})
	}
}

// changesOf plays a trace and returns what it changes.
func changesOf(t *testing.T, path string) (changes string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inBubbleOffline(t, func(c *session.Client, k *session.Call) {
		w := &witness{c: c, watched: map[any]bool{}}
		w.discover()
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			var line struct {
				Frame json.RawMessage `json:"frame"`
			}
			if err := json.Unmarshal(s.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			session.Feed(c, string(line.Frame))
			w.settle(string(line.Frame))
		}
		changes = w.text.String()
	})
	return changes
}

// A witness notes what observers get.
type witness struct {
	c       *session.Client
	text    strings.Builder
	watched map[any]bool // calls and participants
	streams []*record    // read in this order
	names   []string
	read    []int // how many values of each stream are noted
}

func (w *witness) note(what, value string) {
	fmt.Fprintln(&w.text, strings.TrimRight("  "+what+": "+value, ": "))
}

// settle notes what an event has changed, once it is all there.
func (w *witness) settle(frame string) {
	var f struct {
		ID     string `json:"id"`
		Params struct {
			Type string `json:"event_type"`
		} `json:"params"`
	}
	_ = json.Unmarshal([]byte(frame), &f)
	fmt.Fprintf(&w.text, "%s %s\n", f.ID, f.Params.Type)
	for i := range w.streams {
		seen := w.streams[i].so()
		for _, v := range seen[w.read[i]:] {
			w.note(w.names[i], v)
		}
		w.read[i] = len(seen)
		if w.streams[i].over() && !strings.HasSuffix(w.names[i], " (over)") {
			w.names[i] += " (over)"
			w.note(w.names[i], "")
		}
	}
	w.discover()
}

// discover begins to watch the calls and participants that are new.
func (w *witness) discover() {
	for _, k := range w.c.Calls() {
		if !w.watched[k] {
			w.watched[k] = true
			w.note("new call", k.ID()+" "+k.Status().String())
			w.call(k)
		}
		for _, p := range k.Participants() {
			if !w.watched[p] {
				w.watched[p] = true
				w.note("new participant", p.ID()+" "+p.Name())
				w.participant(p)
			}
		}
	}
}

// follow notes the values of a stream from the second on: the first is how
// things are.
func follow[T any](w *witness, name string, o observable.Of[T], text func(T) string) {
	r := keep(o, text)
	synctest.Wait() // the first value is there
	w.streams, w.names, w.read = append(w.streams, r), append(w.names, name), append(w.read, len(r.so()))
}

func (w *witness) call(k *session.Call) {
	id := k.ID()
	follow(w, id+" status", k.ObserveStatus(), printed)
	follow(w, id+" participants", k.ObserveParticipants(), func(list []*session.Participant) string {
		return idsOf(list)
	})
	follow(w, id+" self", k.ObserveSelf(), func(s *session.SelfParticipant) string {
		if s == nil {
			return "none"
		}
		return s.ID()
	})
	follow(w, id+" capabilities", k.ObserveCapabilities(), printed)
	follow(w, id+" locked", k.ObserveLocked(), printed)
	follow(w, id+" layout", k.ObserveLayout(), printed)
	follow(w, id+" layers", k.ObserveLayoutLayers(), func(layers []session.LayoutLayer) string {
		var at []string
		for _, l := range layers {
			at = append(at, l.MemberID+" in "+l.Position)
		}
		return strings.Join(at, ", ")
	})
	follow(w, id+" events", k.ObserveEvents(), func(e *session.Event) string { return fmt.Sprint(e.Sequence, " ", e.Type) })
}

func (w *witness) participant(p *session.Participant) {
	follow(w, p.ID()+" name", p.ObserveName(), printed)
	follow(w, p.ID()+" audio muted", p.ObserveAudioMuted(), printed)
	follow(w, p.ID()+" talking", p.ObserveTalking(), printed)
	follow(w, p.ID()+" position", p.ObservePosition(), func(l *session.LayoutLayer) string {
		if l == nil {
			return "none"
		}
		return l.Position
	})
}
