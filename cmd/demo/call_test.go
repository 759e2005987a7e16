package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session/sessiontest"
)

// calling is a story that is about to play acts 6 and 7.
func calling(t *testing.T) *story {
	t.Helper()
	tl := newTimeline(t.Output(), false)
	t.Cleanup(tl.close)
	p := paceFor(shortestLife)
	p.recording = filepath.Join(t.TempDir(), "echo.wav")
	s, err := newStory(tl, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.end)
	return s
}

// What does not come through must not pass for a call.
func TestCallsThatCarryNothingAreNoticed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to   string
		play func(*story) func(context.Context) error
		want step
	}{
		"the echo": {"/public/echo", func(s *story) func(context.Context) error { return s.callEcho }, stepEchoFlows},
		"bob":      {"/private/bob", func(s *story) func(context.Context) error { return s.callTwo }, stepToneHeard},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := calling(t)
			s.gw.ScriptCalls(sessiontest.CallScript{Destination: c.to, DropMedia: true})
			ctx, cancel := context.WithTimeout(t.Context(), speechLength+2*time.Second)
			defer cancel()
			if err := c.play(s)(ctx); err == nil || !strings.Contains(err.Error(), string(c.want)) {
				t.Errorf("the story ended with %v, want a failure of %q", err, c.want)
			}
		})
	}
}

func TestCallThatCannotBePlacedSaysWhy(t *testing.T) {
	t.Parallel()
	s := calling(t)
	removing := s.gw.ScriptCalls(sessiontest.CallScript{Destination: "/public/echo", AnswerSDP: "nonsense"})
	defer removing()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := s.callEcho(ctx)
	var track *errs.MediaTrackError
	if !errors.As(err, &track) || !strings.Contains(err.Error(), string(stepEchoUp)) {
		t.Errorf("the story ended with %v, want a *errs.MediaTrackError at %q", err, stepEchoUp)
	}
}

// The program carries its speech with it, and it is the one of testdata.
func TestSpeechIsThatOfTestdata(t *testing.T) {
	want, err := os.ReadFile("../../testdata/media/speech.ogg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(speech, want) {
		t.Error("cmd/demo/speech.ogg is not a copy of testdata/media/speech.ogg: copy it")
	}
}
