package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/callrx/callrx/session"
)

// survivorCommand makes the program one of the two processes of demo survive.
const survivorCommand = "survivor"

// The environment of a survivor, and the first words of what it says.
const (
	envDir   = "CALLRX_DEMO_DIR"
	envDial  = "CALLRX_DEMO_DIAL" // empty: take up the call that is left
	envAPI   = "CALLRX_DEMO_API"
	envRelay = "CALLRX_DEMO_RELAY"
	envToken = "CALLRX_DEMO_TOKEN"

	saidCall  = "call"  // id, member id
	saidSound = "sound" // when, in microseconds since 1970
	saidTone  = "tone"  // frequency, level
	saidOver  = "over"
)

// runSurvivor is a client like any other: what it does to survive is three options
// and a folder.
func runSurvivor(ctx context.Context, out, problems io.Writer) int {
	if err := beSurvivor(ctx, out); err != nil {
		_, _ = fmt.Fprintln(problems, "demo survivor:", err)
		return exitFailed
	}
	return exitSeen
}

func beSurvivor(ctx context.Context, out io.Writer) error {
	e, err := newEar()
	if err != nil {
		return err
	}
	e.frames.Observe().Subscribe(ctx, tellSounds(out))
	sound := session.MediaOptions{AudioSink: e, SettingEngine: onLoopback}
	storage, err := session.NewFileStorage(os.Getenv(envDir))
	if err != nil {
		return err
	}
	c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: os.Getenv(envToken)}), session.Options{
		APIURL: os.Getenv(envAPI), RelayURL: os.Getenv(envRelay),
		Storage: storage, PersistSession: true, ReconnectAttachedCalls: true,
		ReattachMedia: func(*session.Call) session.MediaOptions { return sound },
	})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, _ = fmt.Fprintln(out, "is online")
	k, err := theCall(ctx, c, sound)
	if err != nil {
		return err
	}
	if err := reach(ctx, k, session.CallStatusConnected); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, saidCall, k.ID(), k.SelfID())
	<-k.Done()
	_, _ = fmt.Fprintln(out, saidOver)
	return nil
}

// theCall places the call, or finds the one that was left.
func theCall(ctx context.Context, c *session.Client, sound session.MediaOptions) (*session.Call, error) {
	if to := os.Getenv(envDial); to != "" {
		return c.Dial(ctx, to, session.DialOptions{MediaOptions: sound})
	}
	calls, err := c.ObserveCalls().Wait(ctx, func(calls []*session.Call) bool { return len(calls) > 0 })
	if err != nil {
		return nil, err
	}
	return calls[0], nil
}

// tellSounds tells of each 20 ms that are not silent, and what each 200 ms were.
func tellSounds(out io.Writer) func(sound) {
	var piece sound
	return func(frame sound) {
		if frame.level() < silence {
			return
		}
		_, _ = fmt.Fprintln(out, saidSound, time.Now().UnixMicro())
		if piece = append(piece, frame...); piece.duration() >= 200*time.Millisecond {
			_, _ = fmt.Fprintln(out, saidTone, piece.pitch(), piece.level())
			piece = nil
		}
	}
}
