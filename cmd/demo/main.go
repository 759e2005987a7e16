// Command demo plays the story that callrx exists for, against the embedded
// gateway, over real HTTPS, WebSockets and WebRTC on loopback: a session whose
// token is refreshed, whose refresh fails, and which is saved or is not; then a
// call to the echo, and one between two clients.
//
// Run it with no arguments, or see demo -h.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Exit statuses.
const (
	exitSeen   = 0 // every step was observed
	exitFailed = 1 // one was not
	exitUsage  = 2
)

const usage = `demo shows a callrx session keeping its token fresh, what happens when it cannot, and calls.

  demo [flags]              play the story; takes less than a minute
    -life 10s               how long a token lives
    -out FILE               record the call to the echo to FILE, a WAV file
  demo survive              kill a process in mid-call, and have the next one go on with the call
  demo weather [flags]      have a call live through loss, jitter, delay and cuts, and draw it; see demo weather -h
  demo gateway [flags]      run the embedded gateway alone, until interrupted; see demo gateway -h
    -page 127.0.0.1:8080    serve a page on which the official browser SDK meets a bot in a room

The story runs in one process, over HTTPS, WebSockets and WebRTC on loopback. Nothing leaves the machine.
You will see a timeline: seconds since the start, the stream or side that speaks, what happened.

  1  ann signs in, registers for calls, and her token is bound to a key of this client
  2  the client refreshes the token on the live session
  3  the refresh endpoint fails in four ways: 500, HTML, half a JSON object, 401.
     Each arrives as one *errs.TokenRefreshError; the session goes on answering requests
  4  the program hands over a fresh token; the session lives past the old expiry,
     no request fails and no event is lost
  5  bob signs in with project credentials, his refreshes fail and nobody helps:
     the session ends at the expiry, not before, and says why
  6  ann calls the echo, sends speech, and records what comes back
  7  ann calls bob: a tone that is measured, digits both ways, hold, and hanging up
  8  ann, bob and cleo meet in a room with two bots: talking, a mute, a raised hand, a layout,
     a shared screen, the lock, and who is removed

Lines marked ✓ are checks that this program waited for. The exit status is 0 only if all were seen.
Tokens are never printed. Colour is used on a terminal, unless NO_COLOR is set.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main without the process: it returns the exit status.
func run(ctx context.Context, args []string, out, problems io.Writer) int {
	switch {
	case len(args) == 0:
	case args[0] == "gateway":
		return runGateway(ctx, args[1:], out, problems)
	case args[0] == "survive":
		return runSurvive(ctx, args[1:], out, problems)
	case args[0] == "weather":
		return runWeather(ctx, args[1:], out, problems)
	case args[0] == survivorCommand:
		return runSurvivor(ctx, out, problems)
	}
	flags := newFlags("demo", usage, problems)
	life := flags.Duration("life", 10*time.Second, "how long a token lives, at least 6s")
	recording := flags.String("out", "", "where to record the call to the echo; empty: a new temporary file")
	if status, done := parse(flags, args); done {
		return status
	}
	if *life < shortestLife {
		_, _ = fmt.Fprintf(problems, "demo: -life %s is too short to show anything, want %s or more\n", *life, shortestLife)
		return exitUsage
	}
	if folder, err := os.Stat(filepath.Dir(*recording)); err != nil || !folder.IsDir() {
		_, _ = fmt.Fprintf(problems, "demo: -out %s: there is no such folder\n", *recording)
		return exitUsage
	}
	p := paceFor(*life)
	p.recording = *recording
	return play(ctx, p, out)
}

// newFlags are the flags of a command that explains itself with usage.
func newFlags(name, usage string, problems io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Usage = func() { _, _ = io.WriteString(problems, usage) }
	return flags
}

// parse reads flags; done says that there is nothing more to do.
func parse(flags *flag.FlagSet, args []string) (status int, done bool) {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitSeen, true
	case err != nil:
		return exitUsage, true
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(flags.Output(), "%s: unexpected argument %q\n", flags.Name(), flags.Arg(0))
		flags.Usage()
		return exitUsage, true
	}
	return 0, false
}

// play tells the story and sums it up.
func play(ctx context.Context, p pace, out io.Writer) int {
	tl := newTimeline(out, colourWanted(out))
	defer tl.close()
	s, err := newStory(tl, p)
	if err != nil {
		tl.failed(err)
		return exitFailed
	}
	defer s.end()
	if err := s.tell(ctx); err != nil {
		tl.failed(err)
		return exitFailed
	}
	tl.summary(s.lessons())
	return exitSeen
}
