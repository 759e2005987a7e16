// Command demo plays the story that callrx exists for, against the embedded
// gateway, over real HTTPS and a real WebSocket on loopback: a session whose
// token is refreshed, whose refresh fails, and which is saved or is not.
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
	"syscall"
	"time"
)

// Exit statuses.
const (
	exitSeen   = 0 // every step was observed
	exitFailed = 1 // one was not
	exitUsage  = 2
)

const usage = `demo shows a callrx session keeping its token fresh, and what happens when it cannot.

  demo [-life 10s]          play the story; takes about half a minute
  demo gateway [flags]      run the embedded gateway alone, until interrupted; see demo gateway -h

The story runs in one process, over HTTPS and a WebSocket on loopback. Nothing leaves the machine.
You will see a timeline: seconds since the start, the stream or side that speaks, what happened.

  1  ann signs in, registers for calls, and her token is bound to a key of this client
  2  the client refreshes the token on the live session
  3  the refresh endpoint fails in four ways: 500, HTML, half a JSON object, 401.
     Each arrives as one *errs.TokenRefreshError; the session goes on answering requests
  4  the program hands over a fresh token; the session lives past the old expiry,
     no request fails and no event is lost
  5  bob signs in with project credentials, his refreshes fail and nobody helps:
     the session ends at the expiry, not before, and says why

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
	if len(args) > 0 && args[0] == "gateway" {
		return runGateway(ctx, args[1:], out, problems)
	}
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Usage = func() { _, _ = io.WriteString(problems, usage) }
	life := flags.Duration("life", 10*time.Second, "how long a token lives, at least 6s")
	if status, done := parse(flags, args); done {
		return status
	}
	if *life < shortestLife {
		_, _ = fmt.Fprintf(problems, "demo: -life %s is too short to show anything, want %s or more\n", *life, shortestLife)
		return exitUsage
	}
	return play(ctx, paceFor(*life), out)
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
