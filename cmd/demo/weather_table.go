package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	tableHead = "weather   what it does          MOS  quality    loss  far loss   jitter     RTT  silence"
	tableRow  = "%-9s %-20s %4s  %-9s %5s  %8s  %7s %7s  %7s"
)

// weatherTable has a line for each spell so far, with the figures of its end.
func weatherTable(stretches []stretch, bold func(string) string) string {
	lines := []string{"", bold(tableHead)}
	for _, s := range stretches {
		lines = append(lines, tableLine(s))
	}
	return strings.Join(lines, "\n") + "\n"
}

// tableLine is one spell.
func tableLine(s stretch) string {
	silence := "-"
	if s.silence > 0 {
		silence = fmt.Sprintf("%.1f s", s.silence.Seconds())
	}
	if v := s.last; v.heard() && v.at > 0 {
		return fmt.Sprintf(tableRow, s.name, s.does, fmt.Sprintf("%.2f", v.score), v.quality,
			percent(v.lossHere), percent(v.lossFar), millis(v.jitter), millis(v.roundTrip), silence)
	}
	return fmt.Sprintf(tableRow, s.name, s.does, "-", "-", "-", "-", "-", "-", silence)
}

func percent(v float64) string      { return fmt.Sprintf("%.0f %%", v) }
func millis(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// figures is a reading in one line.
func (r reading) figures() string {
	if !r.heard() {
		return fmt.Sprintf("nothing arrives for %.1f s", r.silent.Seconds())
	}
	return fmt.Sprintf("MOS %.2f %-9s  loss %5s  far loss %5s  jitter %6s  RTT %6s",
		r.score, r.quality, percent(r.lossHere), percent(r.lossFar), millis(r.jitter), millis(r.roundTrip))
}

// A footer keeps a text below everything that is written, on a terminal.
type footer struct {
	out io.Writer

	mu   sync.Mutex
	text string
}

// Write writes lines above the text.
func (f *footer) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := io.WriteString(f.out, f.eraseLocked()+string(lines)+f.text); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// set replaces the text.
func (f *footer) set(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	erase := f.eraseLocked()
	f.text = text
	_, _ = io.WriteString(f.out, erase+text)
}

// eraseLocked goes up to where the text begins and clears the rest (ECMA-48, CUU and ED).
func (f *footer) eraseLocked() string {
	if f.text == "" {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\x1b[J", strings.Count(f.text, "\n"))
}
