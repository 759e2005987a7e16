package session_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// faultTable is where the rows are written down for people.
const faultTable = "../docs/faults.md"

// A row is what the user saw of a fault.
type row struct {
	fault                          string
	client, call, recovery, errors []string
	away, silence                  time.Duration
	ends                           string        // why the call did; empty: it did not
	lasted                         time.Duration // until nothing was heard of it any more
}

// TestFaultTable: each fault does what docs/faults.md says, and nothing else. The
// flag -update writes anew what is not so any more.
func TestFaultTable(t *testing.T) {
	rows := make([]row, len(faults))
	for i := range faults {
		t.Run(faults[i].name, func(t *testing.T) {
			inFaultBubble(t, &faults[i], func(v *victim) {
				faults[i].happens(v)
				pass(45 * second) // the calm afterwards
				rows[i] = v.seen()
				v.wantIntact()
			})
		})
	}
	if slices.ContainsFunc(rows, func(r row) bool { return r.fault == "" }) {
		return // not all were run, or one could not be
	}
	if *update {
		writeTable(t, rows)
	}
	compareTable(t, rows)
}

const (
	tableBegins = "<!-- measured by TestFaultTable; go test ./session -run TestFaultTable -update -->\n"
	tableEnds   = "<!-- end -->\n"
)

// readTable is the page around the table, and its cells by fault.
func readTable(t *testing.T) (before, after string, cells map[string][]string) {
	t.Helper()
	page, err := os.ReadFile(faultTable)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(page), tableBegins)
	table, after, ended := strings.Cut(rest, tableEnds)
	if !begun || !ended {
		t.Fatalf("%s has no table", faultTable)
	}
	cells = map[string][]string{}
	for line := range strings.Lines(table) {
		if c := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|"); len(c) == 8 {
			for i := range c {
				c[i] = strings.TrimSpace(c[i])
			}
			cells[c[0]] = c
		}
	}
	return before, after, cells
}

func writeTable(t *testing.T, rows []row) {
	t.Helper()
	before, after, written := readTable(t)
	var b strings.Builder
	b.WriteString(before + tableBegins)
	b.WriteString("| fault | client | service away | call | nothing heard | recovery | errors | the call ends |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		cells := r.cells()
		for i, was := range written[r.fault] {
			if fits(was, cells[i]) {
				cells[i] = was
			}
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	b.WriteString(tableEnds + after)
	if err := os.WriteFile(faultTable, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cells are the row as people read it.
func (r row) cells() []string {
	return []string{
		r.fault, steps(r.client), inSeconds(r.away), steps(r.call), cmp.Or(inSeconds(r.lastingSilence()), "for good"),
		cmp.Or(steps(r.recovery), "–"), cmp.Or(kinds(r.errors), "–"), cmp.Or(r.ends, "–"),
	}
}

// lastingSilence is nothing below what nobody hears; less than nothing of a call
// that ended in it.
func (r row) lastingSilence() time.Duration {
	if r.ends != "" {
		return -1
	}
	return r.silence
}

// steps are words with arrows, where repeats are one.
func steps(words []string) string { return strings.Join(slices.Compact(slices.Clone(words)), " → ") }

// kinds are words once each. Their order is chance where two streams tell of
// something at the same moment.
func kinds(words []string) string {
	words = slices.Clone(words)
	slices.Sort(words)
	return strings.Join(slices.Compact(words), ", ")
}

// inSeconds is a time to a tenth of a second. Empty: below zero.
func inSeconds(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < 100*time.Millisecond:
		return "–"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// compareTable checks that every word of the table is true, and every number
// within a tenth or half a second.
func compareTable(t *testing.T, rows []row) {
	t.Helper()
	_, _, written := readTable(t)
	for _, r := range rows {
		want, got := written[r.fault], r.cells()
		if len(want) != len(got) {
			t.Errorf("%s: there is no such row in %s", r.fault, faultTable)
			continue
		}
		for i := range got {
			if !fits(want[i], got[i]) {
				t.Errorf("%s: seen %q, written %q", r.fault, got[i], want[i])
			}
		}
	}
	if len(written) != len(rows)+2 { // the head, and the line below it
		t.Errorf("%s has %d rows for %d faults", faultTable, len(written)-2, len(rows))
	}
}

// fits reports whether what was seen is what is written, or near it.
func fits(written, seen string) bool { return written == seen || near(written, seen) }

func near(a, b string) bool {
	seconds := func(text string) (s float64, ok bool) {
		if text == "–" {
			return 0, true
		}
		n, _ := fmt.Sscanf(text, "%f s", &s)
		return s, n == 1
	}
	x, isTime := seconds(a)
	y, isTimeToo := seconds(b)
	return isTime && isTimeToo && max(x-y, y-x) <= max(0.5, x/10)
}
