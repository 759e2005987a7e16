package main

import (
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/google/go-cmp/cmp"
)

func seenStretches() []stretch {
	const s = time.Second
	return []stretch{
		{spell: clear(10 * s), to: 10 * s, last: reading{at: 10 * s, score: 4.405, roundTrip: 21 * time.Millisecond}},
		{spell: storm(9 * s), from: 10 * s, to: 19 * s, last: reading{
			at: 19 * s, score: 2.4, quality: media.QualityPoor, lossHere: 18.4, lossFar: 22, jitter: 1500 * time.Microsecond, roundTrip: 800 * time.Millisecond,
		}},
		{spell: cut(3 * s), from: 19 * s, to: 22 * s, last: reading{at: 22 * s, silent: 2600 * time.Millisecond}, silence: 2600 * time.Millisecond},
		{spell: clear(8 * s), from: 22 * s, to: 22 * s},
	}
}

func TestTableHasALineForEachSpell(t *testing.T) {
	want := `
[weather   what it does          MOS  quality    loss  far loss   jitter     RTT  silence]
clear     20 ms round trip     4.41  excellent   0 %       0 %     0 ms   21 ms        -
storm     20 % lost            2.40  poor       18 %      22 %     1 ms  800 ms        -
cut       nothing passes          -  -             -         -        -       -    2.6 s
clear     20 ms round trip        -  -             -         -        -       -        -
`
	got := weatherTable(seenStretches(), func(s string) string { return "[" + s + "]" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestReadingIsOneLine(t *testing.T) {
	stretches := seenStretches()
	if got, want := stretches[1].last.figures(), "MOS 2.40 poor       loss  18 %  far loss  22 %  jitter   1 ms  RTT 800 ms"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := stretches[2].last.figures(), "nothing arrives for 2.6 s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is written stays, and the text is below it: the terminal goes up as many lines as the text has.
func TestFooterStaysBelowWhatIsWritten(t *testing.T) {
	var out writer
	f := &footer{out: &out}
	f.set("one\ntwo\n")
	if _, err := f.Write([]byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	f.set("three\n")
	f.set("")
	if _, err := f.Write([]byte("the end\n")); err != nil {
		t.Fatal(err)
	}
	const up2, up1 = "\x1b[2A\x1b[J", "\x1b[1A\x1b[J"
	if want := "one\ntwo\n" + up2 + "a line\none\ntwo\n" + up2 + "three\n" + up1 + "the end\n"; out.text() != want {
		t.Errorf("%q, want %q", out.text(), want)
	}
}
