package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// soundRate is samples per second of everything that the story listens to.
const soundRate = 16000

// silence is far below what anybody would call a sound, in dBFS.
const silence = -70.0

// A sound is a piece of what was heard, one channel at soundRate.
type sound []int16

func (s sound) duration() time.Duration {
	return time.Duration(len(s)) * time.Second / soundRate
}

// level is in dBFS, where a sine at full scale is 0.
func (s sound) level() float64 {
	var power float64
	for _, v := range s {
		power += float64(v) * float64(v)
	}
	if power == 0 {
		return -127
	}
	return 10 * math.Log10(2*power/float64(len(s))/(32768*32768))
}

// pitch is the frequency of a pure tone, by how often it rises through zero.
func (s sound) pitch() float64 {
	rises := 0
	for i := 1; i < len(s); i++ {
		if s[i-1] < 0 && s[i] >= 0 {
			rises++
		}
	}
	return float64(rises) / s.duration().Seconds()
}

// loudest is the level of the loudest part of that length.
func (s sound) loudest(length time.Duration) float64 {
	level, size := -127.0, int(length*soundRate/time.Second)
	for at := 0; at+size <= len(s); at += size / 10 {
		level = max(level, s[at:at+size].level())
	}
	return level
}

// An ear hears a call: each 20 ms of it is an event.
type ear struct {
	*media.PCMSink
	frames *observable.Events[sound]
}

func newEar() (*ear, error) {
	e := &ear{frames: observable.NewEvents[sound](0)}
	var err error
	e.PCMSink, err = media.NewPCMSink(soundRate, 1, func(pcm []int16) error {
		e.frames.Publish(slices.Clone(sound(pcm)))
		return nil
	})
	return e, err
}

// Close is called by the call when it ends.
func (e *ear) Close() error {
	err := e.PCMSink.Close()
	e.frames.Complete()
	return err
}

// hear waits for a piece of that length, without a break, each frame of which
// fits. It begins to listen when it is called.
func (e *ear) hear(ctx context.Context, length time.Duration, fits func(sound) bool) (sound, error) {
	var piece, last sound
	_, err := e.frames.Observe().Wait(ctx, func(frame sound) bool {
		if last = frame; !fits(frame) {
			piece = nil
			return false
		}
		piece = append(piece, frame...)
		return piece.duration() >= length
	})
	if err != nil {
		return nil, fmt.Errorf("listening, last to %.1f dBFS: %w", last.level(), err)
	}
	return piece, nil
}
