package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session/sessiontest"
)

const surviveUsage = `demo survive kills a process in mid-call and has the next one go on with the call.

The gateway runs in this process. Process A keeps its session in files, calls a tone and hears it. It is
killed with SIGKILL, which nothing of it notices. Process B starts over the same files, resumes the session,
waits until A has given no sign of life for five seconds, takes the call over and hears the tone again.
The last line tells for how long nothing was heard.
`

// What the two processes have to hear, as the gateway plays it.
const (
	surviveTone      = "/public/tone"
	surviveHz        = 440.0
	surviveLevel     = -6.0 // dBFS
	survivePatience  = 30 * time.Second
	surviveListening = 2 * time.Second
)

// runSurvive plays the story of two processes and one call.
func runSurvive(ctx context.Context, args []string, out, problems io.Writer) int {
	flags := newFlags("demo survive", surviveUsage, problems)
	if status, done := parse(flags, args); done {
		return status
	}
	tl := newTimeline(out, colourWanted(out))
	defer tl.close()
	ctx, cancel := context.WithTimeout(ctx, 2*survivePatience)
	defer cancel()
	gap, err := survive(ctx, tl)
	if err != nil {
		tl.failed(err)
		return exitFailed
	}
	tl.summary([]string{
		"a process was killed in mid-call, and the next one went on with the same session, call and member",
		fmt.Sprintf("gap in media: %d ms", gap.Milliseconds()),
	})
	return exitSeen
}

func survive(ctx context.Context, tl *timeline) (gap time.Duration, err error) {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		return 0, err
	}
	defer gw.Close()
	dir, err := os.MkdirTemp("", "callrx-survive-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	a, err := startSurvivor(ctx, tl, gw, dir, "process A", surviveTone)
	if err != nil {
		return 0, err
	}
	defer a.stop()
	if err := a.hearTone(ctx); err != nil {
		return 0, err
	}
	tl.seen("A is in a call and hears the tone", a.figures())
	if err := a.listen(ctx, surviveListening); err != nil {
		return 0, err
	}
	a.stop()
	tl.say("kill -9", "process A is no more: %v", a.cmd.ProcessState)

	b, err := startSurvivor(ctx, tl, gw, dir, "process B", "")
	if err != nil {
		return 0, err
	}
	defer b.stop()
	if err := b.hearTone(ctx); err != nil {
		return 0, err
	}
	tl.seen("B is in the call and hears the tone again", b.figures())
	gap = b.first.Sub(a.last)
	return gap, judgeSurvival(ctx, tl, gw, a, b)
}

// judgeSurvival compares the two and ends the call.
func judgeSurvival(ctx context.Context, tl *timeline, gw *sessiontest.Server, a, b *survivor) error {
	if a.call != b.call || a.member != b.member {
		return fmt.Errorf("call differs: B has %s as %s, A had %s as %s", b.call, b.member, a.call, a.member)
	}
	tl.seen("the same call and the same member", b.call)
	if n := len(gw.Sessions()); n != 1 {
		return fmt.Errorf("there are %d sessions", n)
	}
	tl.seen("the same session", "resumed, not replaced")
	if !gw.HangupCall(b.call, "NORMAL_CLEARING", errs.CauseNormalClearing) {
		return fmt.Errorf("the gateway does not have call %s", b.call)
	}
	if err := b.ended(ctx); err != nil {
		return err
	}
	tl.seen("hung up by the far end", "and process B has ended by itself")
	return nil
}

// isTone tells whether somebody hears what the gateway plays.
func isTone(hz, level float64) bool {
	return math.Abs(hz-surviveHz) < 10 && math.Abs(level-surviveLevel) < 2
}
