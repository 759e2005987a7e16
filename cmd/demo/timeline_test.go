package main

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A writer collects what is written, from any goroutine.
type writer struct {
	mu  sync.Mutex
	all strings.Builder
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.Write(p)
}

func (w *writer) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

func TestTimelineLinesUpTimeSourceAndText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writer
		tl := newTimeline(&out, false)
		tl.heading(1, "An act")
		time.Sleep(1500 * time.Millisecond)
		tl.say("errors$", "first line\nsecond line")
		tl.seen(stepOnline, "as planned")
		tl.seen(stepClosed, "")
		tl.failed(errors.New("bad luck"))
		tl.summary([]string{"All is well."})
		tl.close()
		want := `
── 1. An act
  1.50s  errors$       first line
                       second line
  1.50s  check         ✓ the session is online: as planned
  1.50s  check         ✓ closed by the program
  1.50s  check         ✗ bad luck

What was shown
  All is well.
`
		if diff := cmp.Diff(want, out.text()); diff != "" {
			t.Errorf("timeline (-want +got):\n%s", diff)
		}
	})
}

func TestTimelinePutsMomentsOnItsScale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := newTimeline(&writer{}, false)
		defer tl.close()
		if got := tl.at(time.Now().Add(2 * time.Second)); got != "2.00s" {
			t.Errorf("at(two seconds from now) = %q", got)
		}
		if got := tl.at(time.Time{}); got != "an unknown time" {
			t.Errorf("at(zero) = %q", got)
		}
	})
}

func TestTimelineColoursOnlyWhenAsked(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var out writer
		tl := newTimeline(&out, colour)
		tl.say("errors$", "oh")
		tl.say("status$", "online")
		tl.close()
		if got := strings.Contains(out.text(), yellow+"oh"+reset); got != colour {
			t.Errorf("colour wanted %t, an error is coloured: %t", colour, got)
		}
		if !colour && strings.Contains(out.text(), "\x1b") {
			t.Errorf("escape sequences in %q", out.text())
		}
	}
}

func TestColourIsForTerminalsThatWantIt(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if colourWanted(&writer{}) || colourWanted(file) {
		t.Error("colour for something that is no terminal")
	}
	terminal, err := os.Open(os.DevNull) // a character device, as a terminal is
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = terminal.Close() }()
	for _, c := range []struct {
		noColor, term string
		want          bool
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		if got := colourWanted(terminal); got != c.want {
			t.Errorf("NO_COLOR=%q TERM=%q: colour %t, want %t", c.noColor, c.term, got, c.want)
		}
	}
}

func TestTimelineKeepsTheOrderOfEachTeller(t *testing.T) {
	var out writer
	tl := newTimeline(&out, false)
	var tellers sync.WaitGroup
	for _, who := range []string{"a", "b", "c"} {
		tellers.Go(func() {
			for i := range 100 {
				tl.say(who, "%s%02d", who, i)
			}
		})
	}
	tellers.Wait()
	tl.close()
	told := map[byte][]string{}
	for line := range strings.Lines(out.text()) {
		word := strings.Fields(line)[2]
		told[word[0]] = append(told[word[0]], word)
	}
	for who, words := range told {
		if len(words) != 100 {
			t.Errorf("%c: %d lines of 100", who, len(words))
		}
		for i := 1; i < len(words); i++ {
			if words[i-1] >= words[i] {
				t.Errorf("%s was printed before %s", words[i-1], words[i])
			}
		}
	}
}
