package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

// A survivor is one of the two processes, seen from outside: it says in lines on
// its standard output what it does and hears.
type survivor struct {
	name  string
	tl    *timeline
	cmd   *exec.Cmd
	lines chan string // closed when the process has ended

	call, member string
	first, last  time.Time // heard something
	hz, level    float64   // heard last
	over         bool
}

// startSurvivor runs this program again, as a client of gw.
func startSurvivor(ctx context.Context, tl *timeline, gw *sessiontest.Server, dir, name, dial string) (*survivor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &survivor{name: name, tl: tl, cmd: exec.CommandContext(ctx, self, survivorCommand), lines: make(chan string)}
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: ann, TTL: time.Hour})
	s.cmd.Env = append(os.Environ(), envDir+"="+dir, envDial+"="+dial,
		envAPI+"="+gw.APIURL(), envRelay+"="+gw.RelayURL(), envToken+"="+sat.Token)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	tl.say(name, "started as process %d", s.cmd.Process.Pid)
	go func() { // ends with the process; stop waits for it
		defer close(s.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	return s, nil
}

// stop kills the process, if it is there, and takes in what it still has said.
func (s *survivor) stop() {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Kill()
	for line := range s.lines {
		s.take(line)
	}
	_ = s.cmd.Wait()
}

// take takes in one line.
func (s *survivor) take(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case saidCall:
		_, _ = fmt.Sscan(rest, &s.call, &s.member)
		s.tl.say(s.name, "call %s is connected", s.call)
	case saidSound:
		var micros int64
		_, _ = fmt.Sscan(rest, &micros)
		s.last = time.UnixMicro(micros)
		if s.first.IsZero() {
			s.first = s.last
			s.tl.say(s.name, "hears something")
		}
	case saidTone:
		_, _ = fmt.Sscan(rest, &s.hz, &s.level)
	case saidOver:
		s.over = true
	default:
		s.tl.say(s.name, "%s", line)
	}
}

// until takes in lines until it holds.
func (s *survivor) until(ctx context.Context, what string, holds func() bool) error {
	for !holds() {
		select {
		case line, more := <-s.lines:
			if !more {
				return fmt.Errorf("%s has ended before %s", s.name, what)
			}
			s.take(line)
		case <-ctx.Done():
			return fmt.Errorf("%s: waiting for %s: %w", s.name, what, context.Cause(ctx))
		}
	}
	return nil
}

func (s *survivor) hearTone(ctx context.Context) error {
	return s.until(ctx, "the tone", func() bool { return s.call != "" && isTone(s.hz, s.level) })
}

// listen lets the process hear for a while.
func (s *survivor) listen(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	return s.until(ctx, "that", func() bool { return time.Now().After(end) })
}

// ended waits for the end of the call, and of the process after it.
func (s *survivor) ended(ctx context.Context) error {
	if err := s.until(ctx, "the end of the call", func() bool { return s.over }); err != nil {
		return err
	}
	for line := range s.lines {
		s.take(line)
	}
	return s.cmd.Wait()
}

func (s *survivor) figures() string { return fmt.Sprintf("%.0f Hz at %.1f dBFS", s.hz, s.level) }
