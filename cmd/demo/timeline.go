package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/callrx/callrx/observable"
)

// A timeline prints what happens, one line each, in the order in which it was
// told. Any goroutine may tell; none waits for the terminal, because the lines
// are an event stream with one subscriber that prints.
type timeline struct {
	start  time.Time
	colour bool
	lines  *observable.Events[string]
	print  *observable.Subscription
}

// Colours, as ANSI escape sequences (ECMA-48, SGR).
const (
	plain  = ""
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	reset  = "\x1b[0m"
)

func newTimeline(out io.Writer, colour bool) *timeline {
	tl := &timeline{start: time.Now(), colour: colour, lines: observable.NewEvents[string](0)}
	tl.print = tl.lines.Observe().Subscribe(context.Background(), func(line string) {
		_, _ = io.WriteString(out, line+"\n")
	})
	return tl
}

// close returns when everything told so far has been printed.
func (tl *timeline) close() {
	tl.lines.Complete()
	<-tl.print.Done()
}

// colourWanted follows the convention of https://no-color.org.
func colourWanted(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == ""
}

// isTerminal reports whether out understands escape sequences.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// heading begins an act.
func (tl *timeline) heading(number int, title string) {
	tl.lines.Publish("\n" + tl.paint(bold, fmt.Sprintf("── %d. %s", number, title)))
}

// say tells what a stream or a side of the story did.
func (tl *timeline) say(source, format string, args ...any) {
	tl.line(source, sourceColour(source), format, args...)
}

// seen tells that a step was observed.
func (tl *timeline) seen(what step, detail string) {
	text := "✓ " + string(what)
	if detail != "" {
		text += ": " + detail
	}
	tl.line("check", green, "%s", text)
}

// failed tells why the story broke off.
func (tl *timeline) failed(err error) { tl.line("check", red, "✗ %v", err) }

// summary ends a story in plain words.
func (tl *timeline) summary(lessons []string) {
	tl.lines.Publish("\n" + tl.paint(bold, "What was shown"))
	for _, l := range lessons {
		tl.lines.Publish("  " + l)
	}
}

func (tl *timeline) line(source, colour, format string, args ...any) {
	stamp := fmt.Sprintf("%6.2fs", time.Since(tl.start).Seconds())
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n"+strings.Repeat(" ", 23))
	tl.lines.Publish(tl.paint(dim, stamp) + "  " + tl.paint(colour, fmt.Sprintf("%-13s", source)) + " " + tl.paint(colour, text))
}

// at puts a moment on this timeline's scale.
func (tl *timeline) at(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return fmt.Sprintf("%.2fs", t.Sub(tl.start).Seconds())
}

func (tl *timeline) paint(colour, text string) string {
	if !tl.colour || colour == plain {
		return text
	}
	return colour + text + reset
}

// sourceColour: errors stand out, the program's own acts differ from what it
// hears, and the gateway keeps to the background.
func sourceColour(source string) string {
	switch source {
	case "errors$", "warnings$":
		return yellow
	case "app":
		return cyan
	case "gateway":
		return dim
	}
	return plain
}
