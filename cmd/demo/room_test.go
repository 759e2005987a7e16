package main

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestRoomIsSeenByAllThree(t *testing.T) {
	t.Parallel()
	s := calling(t)
	if err := s.meetInRoom(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := plan()
	if want := all[slices.Index(all, stepRoomFull):]; !slices.Equal(s.seen, want) {
		t.Errorf("seen %q, want %q", s.seen, want)
	}
}

// A room in which ann may change nobody must not pass for one in which she can.
func TestRoomWithoutModeratorIsNoticed(t *testing.T) {
	t.Parallel()
	s := calling(t)
	s.gw.SetRole(stage, "", sessiontest.RoleParticipant)
	err := s.meetInRoom(t.Context())
	var refused *errs.JSONRPCError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), string(stepRoomMute)) {
		t.Errorf("the story ended with %v, want a refusal of %q", err, stepRoomMute)
	}
}

func TestScreenIsACopyOfThePattern(t *testing.T) {
	original, err := os.ReadFile("../../testdata/media/pattern.ivf")
	if err != nil || !bytes.Equal(original, screenFile) {
		t.Errorf("screen.ivf differs from testdata/media/pattern.ivf, or: %v", err)
	}
}
