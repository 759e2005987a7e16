package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// Act 6: ann calls the echo, speaks, and records what she hears.

// speech is a copy of testdata/media/speech.ogg: four seconds in Opus.
//
//go:embed speech.ogg
var speech []byte

const (
	speechLength = 4100 * time.Millisecond
	farEndDelay  = 600 * time.Millisecond // for the last word to come back

	recordingTolerance = 150 * time.Millisecond
	speechIsLouderThan = -35.0 // dBFS
)

// An echo is what act 6 found.
type echo struct {
	connected time.Time
	wall      time.Duration // from connected to the end of the call
	path      string
	level     float64
}

// callEcho plays act 6.
func (s *story) callEcho(ctx context.Context) error {
	s.gw.ClearFaults()
	c, err := s.caller(ctx, "ann", ann)
	if err != nil {
		return err
	}
	defer c.end()
	k, err := s.dialEcho(ctx, c)
	if err != nil {
		return err
	}
	c.watchCall(k)
	err = s.observe(ctx, stepEchoFlows, speechLength+patience, func(ctx context.Context) (string, error) {
		return s.speak(ctx, k)
	})
	if err != nil {
		return err
	}
	err = s.observe(ctx, stepEchoEnded, patience, func(ctx context.Context) (string, error) {
		s.tl.say("app", "call.Hangup(ctx)")
		if err := k.Hangup(ctx); err != nil {
			return "", err
		}
		s.echo.wall = time.Since(s.echo.connected)
		return "by ann, normally", c.showEnd(k, errs.EndedByLocal)
	})
	if err != nil {
		return err
	}
	return s.judgeRecording(ctx)
}

// dialEcho calls the echo, with speech to send and a file for what comes back.
func (s *story) dialEcho(ctx context.Context, c *caller) (k *session.Call, err error) {
	source, err := media.NewOggSource(bytes.NewReader(speech), nil)
	if err != nil {
		return nil, err
	}
	file, err := s.recordingFile()
	if err != nil {
		return nil, err
	}
	s.echo.path = file.Name()
	sink, err := media.NewWAVSink(file, soundRate, 1) // decodes Opus
	if err != nil {
		return nil, err
	}
	err = s.observe(ctx, stepEchoUp, patience, func(ctx context.Context) (string, error) {
		s.tl.say("app", "client.Dial(ctx, \"/public/echo\", …) with an Ogg file to send and a WAV file to record to")
		began := time.Now()
		k, err = c.Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: session.MediaOptions{
			AudioSource: source, AudioSink: sink, SettingEngine: onLoopback,
		}})
		if err != nil {
			return "", err
		}
		err := reach(ctx, k, session.CallStatusConnected)
		s.echo.connected = time.Now()
		return fmt.Sprintf("%s after Dial was called", s.echo.connected.Sub(began).Round(time.Millisecond)), err
	})
	if err != nil {
		_ = file.Close() // the call has done so, if there was one
	}
	return k, err
}

// recordingFile is where the program was told to record to, or a new file.
func (s *story) recordingFile() (*os.File, error) {
	if s.pace.recording != "" {
		return os.Create(s.pace.recording)
	}
	return os.CreateTemp("", "callrx-echo-*.wav")
}

// speak waits until everything has been said and has come back, and shows the
// figures of each second.
func (s *story) speak(ctx context.Context, k *session.Call) (string, error) {
	said := time.NewTimer(speechLength + farEndDelay)
	defer said.Stop()
	each := time.NewTicker(time.Second)
	defer each.Stop()
	for {
		select {
		case <-each.C:
			s.tl.say("call.Stats()", "%s", figures(k.Stats().Audio))
			continue
		case <-said.C:
		case <-k.Done():
			return "", fmt.Errorf("the call ended early: %w", k.Err())
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		t := k.Stats().Audio
		there, _ := s.gw.Call(k.ID())
		expected := uint64(speechLength/(20*time.Millisecond)) * 9 / 10
		if t.RoundTrip == 0 || t.PacketsSent < expected || t.PacketsReceived < expected || there.Section("audio").PacketsIn < expected {
			return "", fmt.Errorf("want %d packets each way, got %+v here and %+v there", expected, t, there.Sections)
		}
		return figures(t), nil
	}
}

func figures(t media.TrackStats) string {
	trip := "not known yet"
	if t.RoundTrip > 0 {
		trip = t.RoundTrip.Round(10 * time.Microsecond).String()
	}
	return fmt.Sprintf("%s: %d packets sent (%d lost), %d received (%d lost), round trip %s, now at %.0f dBFS",
		t.SendCodec, t.PacketsSent, t.FarPacketsLost, t.PacketsReceived, t.PacketsLost, trip, t.ReceiveLevel)
}

// judgeRecording reads the file back: it is as long as the call was by the wall
// clock, and speech is on it.
func (s *story) judgeRecording(ctx context.Context) error {
	var heard sound
	err := s.observe(ctx, stepEchoLength, patience, func(context.Context) (string, error) {
		var err error
		if heard, err = readRecording(s.echo.path); err != nil {
			return "", err
		}
		length, off := heard.duration(), heard.duration()-s.echo.wall
		if off.Abs() > recordingTolerance {
			return "", fmt.Errorf("it is %s long, the call was %s", length, s.echo.wall)
		}
		return fmt.Sprintf("%.2fs, the call took %.2fs\n%s", length.Seconds(), s.echo.wall.Seconds(), s.echo.path), nil
	})
	if err != nil {
		return err
	}
	return s.observe(ctx, stepEchoHeard, patience, func(context.Context) (string, error) {
		s.echo.level = heard.loudest(time.Second)
		if s.echo.level < speechIsLouderThan {
			return "", fmt.Errorf("the loudest second is at %.1f dBFS, want more than %.0f", s.echo.level, speechIsLouderThan)
		}
		return fmt.Sprintf("its loudest second is at %.1f dBFS", s.echo.level), nil
	})
}
