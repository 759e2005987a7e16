package media_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/internal/audio"
)

func newSpeaker(t testing.TB, cfg media.SpeakerConfig) *media.Speaker {
	t.Helper()
	speaker, err := media.NewSpeaker(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return speaker
}

func newListener(t testing.TB, rate int) *media.Listener {
	t.Helper()
	listener, err := media.NewListener(rate, 1)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func sine(rate int, length time.Duration) []int16 {
	pcm := make([]int16, int(length*time.Duration(rate)/time.Second))
	_, _ = audio.NewTone(rate, 1, 440, -12).Read(pcm)
	return pcm
}

type told struct {
	Name  string
	Heard bool
}

func TestSpeakerIsHeardAndToldWhatWas(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		marks := make(chan told, 10)
		speaker := newSpeaker(t, media.SpeakerConfig{Rate: 24000, OnMark: func(name string, heard bool) { marks <- told{name, heard} }})
		heard := newRecording()
		play(t, speaker, sine(24000, time.Second))
		speaker.Mark("first")
		pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: speaker},
			media.LegConfig{Directions: audioOnly, AudioSink: heard.sink(t, 16000, 1)})
		start := time.Now()
		if err := speaker.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 980*time.Millisecond { // the last frame begins then
			t.Errorf("a second took %v", took)
		}
		if got := <-marks; got != (told{"first", true}) {
			t.Errorf("mark %v", got)
		}
		time.Sleep(time.Second)
		isTone(t, heard.snapshot()[:15000], 16000, 440, -12)
		if got := speaker.Flush(); got != (media.Flushed{Played: time.Second}) {
			t.Errorf("flushed %+v", got)
		}
		play(t, speaker, sine(24000, 2*time.Second))
		speaker.Mark("second")
		time.Sleep(500*time.Millisecond + time.Nanosecond)
		interrupted := time.Now()
		cut := speaker.Flush()
		if late := cut.Played - 500*time.Millisecond; late < 0 || late > 20*time.Millisecond || cut.Played+cut.Discarded != 2*time.Second {
			t.Errorf("%+v", cut)
		}
		if got := <-marks; got != (told{"second", false}) {
			t.Errorf("mark %v", got)
		}
		for audio.Level(last(heard, 320)) > audio.SilenceLevel {
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(interrupted); took > 120*time.Millisecond { // 60 ms of jitter buffer, 40 of fading, one frame
			t.Errorf("silence after %v", took)
		}
	})
}

func last(r *recording, n int) []int16 {
	pcm := r.snapshot()
	return pcm[max(0, len(pcm)-n):]
}

func play(t testing.TB, speaker *media.Speaker, pcm []int16) {
	t.Helper()
	if n, err := speaker.Play(t.Context(), pcm); n != len(pcm) || err != nil {
		t.Fatalf("%d of %d samples: %v", n, len(pcm), err)
	}
}

func TestSpeakerKeepsTheClock(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		var first, last media.Packet
		count := 0
		speaker := newSpeaker(t, media.SpeakerConfig{Rate: 8000})
		caller, _ := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: speaker},
			media.LegConfig{Directions: audioOnly, AudioSink: media.NewRTPSink(func(p media.Packet) {
				if count++; count == 1 {
					first = p
				}
				last = p
			})})
		start := count
		sent := caller.Stats().Audio.PacketsSent
		time.Sleep(time.Minute)
		synctest.Wait() // the last packet has arrived
		if got := caller.Stats().Audio.PacketsSent - sent; got != 3000 {
			t.Errorf("%d packets sent in a minute", got)
		}
		if got := count - start; got != 3000 {
			t.Errorf("%d packets in a minute", got)
		}
		elapsed := last.ArrivedAt.Sub(first.ArrivedAt)
		if media := time.Duration(last.Timestamp-first.Timestamp) * time.Second / 8000; media != elapsed {
			t.Errorf("timestamps say %v after %v", media, elapsed)
		}
	})
}

// TestSpeakerCountsTheHolesOfASlowWriter and neither pauses nor interruptions.
func TestSpeakerCountsTheHolesOfASlowWriter(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		speaker := newSpeaker(t, media.SpeakerConfig{Rate: 8000})
		pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: speaker}, media.LegConfig{Directions: audioOnly})
		said := sine(8000, 110*time.Millisecond)
		for _, step := range []struct {
			after time.Duration
			flush bool
			want  uint64
		}{
			{after: 0, want: 0},
			{after: 50 * time.Millisecond, want: 0}, // in time
			{after: 300 * time.Millisecond, want: 1},
			{after: 2 * time.Second, want: 1}, // it had no more to say
			{after: 300 * time.Millisecond, flush: true, want: 1},
			{after: 200 * time.Millisecond, want: 2},
		} {
			time.Sleep(step.after)
			if step.flush {
				speaker.Flush()
			}
			play(t, speaker, said)
			if got := speaker.Underruns(); got != step.want {
				t.Errorf("%d underruns after %+v", got, step)
			}
		}
	})
}

func TestSpeakerThatIsFullDropsAndCounts(t *testing.T) {
	speaker := newSpeaker(t, media.SpeakerConfig{Buffer: time.Second})
	n, err := speaker.Play(t.Context(), make([]int16, 20000))
	if n != 16000 || !errors.Is(err, io.ErrShortWrite) {
		t.Error(n, err)
	}
	if speaker.Dropped() != 250*time.Millisecond || speaker.Queued() != time.Second {
		t.Error(speaker.Dropped(), speaker.Queued())
	}
	if n, err := speaker.Write([]byte{1, 2, 3}); err == nil {
		t.Error(n, "bytes were taken")
	}
}

func TestSpeakerThatWaitsKeepsPace(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		speaker := newSpeaker(t, media.SpeakerConfig{Buffer: time.Second, Wait: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if n, err := speaker.Play(ctx, make([]int16, 20000)); n != 16000 || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(n, err)
		}
		pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: speaker}, media.LegConfig{Directions: audioOnly})
		start := time.Now()
		play(t, speaker, make([]int16, 5*16000))
		if took := time.Since(start).Round(40 * time.Millisecond); took != 5*time.Second {
			t.Errorf("5 s more took %v", took)
		}
		if speaker.Dropped() != 0 {
			t.Error("dropped", speaker.Dropped())
		}
	})
}

func TestSpeakerKeepsWhatItHasWhileOnHold(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		speaker := newSpeaker(t, media.SpeakerConfig{})
		caller, _ := pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: speaker}, media.LegConfig{Directions: audioOnly})
		caller.SetDirections(media.Directions{Audio: media.RecvOnly})
		play(t, speaker, sine(16000, time.Second))
		time.Sleep(5 * time.Second)
		if speaker.Queued() != time.Second {
			t.Error(speaker.Queued(), "wait after hold")
		}
		caller.SetDirections(audioOnly)
		time.Sleep(2 * time.Second)
		if got := speaker.Flush(); got != (media.Flushed{Played: time.Second}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestClosedSpeakerLetsItsWritersGo(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		marks := make(chan told, 10)
		speaker := newSpeaker(t, media.SpeakerConfig{
			Wait: true, Buffer: time.Second, OnMark: func(name string, heard bool) { marks <- told{name, heard} },
		})
		caller, _ := pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: speaker}, media.LegConfig{Directions: audioOnly})
		result := make(chan error, 2)
		go func() { _, err := speaker.Write(make([]byte, 1<<20)); result <- err }()
		time.Sleep(100 * time.Millisecond)
		go func() { result <- speaker.Drain(t.Context()) }()
		synctest.Wait() // both wait
		speaker.Mark("never")
		if err := caller.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-result; !errors.Is(err, errs.ErrClosed) {
				t.Error(err)
			}
		}
		if got := <-marks; got != (told{"never", false}) {
			t.Error(got)
		}
		if _, err := speaker.Play(t.Context(), []int16{1}); !errors.Is(err, errs.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestSpeakerTakesBytesInAnyPieces(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		speaker := newSpeaker(t, media.SpeakerConfig{Rate: 8000})
		got := newRecording()
		var b []byte
		want := sine(8000, 500*time.Millisecond)
		for _, s := range want {
			b = binary.LittleEndian.AppendUint16(b, uint16(s))
		}
		for i := 0; len(b) > 0; i++ {
			n := min(len(b), 1+i%7)
			if _, err := speaker.Write(b[:n]); err != nil {
				t.Fatal(err)
			}
			b = b[n:]
		}
		if speaker.Queued() != 500*time.Millisecond {
			t.Error(speaker.Queued())
		}
		pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: speaker},
			media.LegConfig{Directions: audioOnly, AudioSink: got.sink(t, 8000, 1)})
		time.Sleep(time.Second)
		coded := audio.DecodeULaw(nil, audio.EncodeULaw(want))
		if !contains(got.snapshot(), coded) {
			t.Error("what is heard is not what was written")
		}
	})
}
