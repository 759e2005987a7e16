package media_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/internal/audio"
)

func TestListenerGivesEveryFrameUntilTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		listener := newListener(t, 16000)
		_, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly, AudioSink: listener})
		start := time.Now()
		count := 0
		for frame := range listener.Frames(t.Context()) {
			if len(frame) != 320 {
				t.Fatalf("%d samples", len(frame))
			}
			if count++; count == 50 {
				break
			}
		}
		if took := time.Since(start).Round(20 * time.Millisecond); took != time.Second {
			t.Errorf("50 frames took %v", took)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait() // what is sent at this moment has arrived
		if d := listener.Dropped(); d != 2*time.Second && d != 1980*time.Millisecond {
			t.Error("dropped", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 { // these wait
			if _, err := listener.ReadFrame(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := listener.ReadFrame(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := callee.Close(); err != nil {
			t.Error(err)
		}
		rest, err := io.ReadAll(listener)
		if n := len(rest) / 640; n < 5 || n > 6 || len(rest)%640 != 0 || err != nil {
			t.Error(len(rest), "bytes", err)
		}
	})
}

func TestSlowReaderOfSamplesDoesNotStopTheClock(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		r, w := io.Pipe()
		source, err := media.NewPCMReader(r, 8000, 1)
		if err != nil {
			t.Fatal(err)
		}
		out, ended := &buffer{}, newEnds()
		written, err := media.NewPCMWriter(out, 8000, 1)
		if err != nil {
			t.Fatal(err)
		}
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: source, OnSourceEnd: ended.note},
			media.LegConfig{Directions: audioOnly, AudioSink: written})
		time.Sleep(time.Second)
		if got := caller.Stats().Audio.PacketsSent; got < 50 {
			t.Errorf("only %d packets without samples", got)
		}
		b := bytes.Repeat([]byte{0x34, 0x12}, 4000)
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		w.Close()
		<-ended.c
		time.Sleep(time.Second)
		if err := callee.Close(); err != nil {
			t.Error(err)
		}
		want := audio.DecodeULaw(nil, audio.EncodeULaw([]int16{0x1234}))[0]
		loud := bytes.Count(out.Bytes(), []byte{byte(want), byte(want >> 8)})
		if loud < 4000 || loud > 4200 || !out.closed {
			t.Errorf("%d loud samples, closed %v", loud, out.closed)
		}
	})
}
