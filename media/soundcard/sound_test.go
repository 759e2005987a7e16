package soundcard_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/internal/audio"
	"github.com/callrx/callrx/media/soundcard"
)

func open(t testing.TB) *soundcard.Provider {
	t.Helper()
	p, err := soundcard.Open(soundcard.Options{Backend: soundcard.PulseAudio})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func input(t testing.TB, p *soundcard.Provider, c media.Constraints) *soundcard.Input {
	t.Helper()
	source, err := p.OpenInput(t.Context(), media.DeviceAudioInput, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.(*soundcard.Input).Close() })
	return source.(*soundcard.Input)
}

func output(t testing.TB, p *soundcard.Provider, id string) *soundcard.Output {
	t.Helper()
	sink, err := p.OpenOutput(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close() })
	return sink.(*soundcard.Output)
}

// listen is what a microphone hears from now on.
func listen(ctx context.Context, i *soundcard.Input, d time.Duration, channels int) (pcm []int16, err error) {
	enough := errors.New("enough")
	err = i.Capture(ctx, func(frame []int16) error {
		if pcm = append(pcm, frame...); len(pcm) >= channels*48*int(d.Milliseconds()) {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return pcm, err
}

// play plays a tone on a loudspeaker, as packets of G.711, until the test ends or it fails.
func play(t testing.TB, sink media.Sink, hz, dBFS float64) (failed <-chan error) {
	t.Helper()
	if err := sink.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, result := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(done)
		result <- sendTone(ctx, sink, audio.NewTone(8000, 1, hz, dBFS))
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return result
}

func sendTone(ctx context.Context, sink media.Sink, tone *audio.Tone) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	pcm := make([]int16, 160)
	for n := 0; ; n++ {
		_, _ = tone.Read(pcm)
		err := sink.WritePacket(media.Packet{
			Codec:          media.Codec{Name: media.PCMU, ClockRate: 8000, Channels: 1},
			SequenceNumber: uint16(n), Timestamp: uint32(160 * n), Payload: audio.EncodeULaw(pcm), ArrivedAt: time.Now(),
		})
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// hears fails unless pcm, after a while for it to begin, is a sine.
func hears(t testing.TB, pcm []int16, hz, dBFS float64) {
	t.Helper()
	steady := pcm[len(pcm)/2:]
	at, level := audio.DominantFrequency(steady, 48000)
	t.Logf("%.1f Hz at %.1f dBFS", at, level)
	if math.Abs(at-hz) > 3 || math.Abs(level-dBFS) > 1.5 {
		t.Errorf("heard %.1f Hz at %.1f dBFS, want %.0f at %.0f", at, level, hz, dBFS)
	}
}

func TestToneIsPlayedAndHeard(t *testing.T) {
	p := open(t)
	speaker := output(t, p, "desk")
	play(t, speaker, 440, -12)
	pcm, err := listen(t.Context(), input(t, p, media.Constraints{DeviceID: "desk.monitor"}), 2*time.Second, 1)
	if err != nil {
		t.Fatal(err)
	}
	hears(t, pcm, 440, -12)
	stereo := input(t, p, media.Constraints{DeviceID: "desk.monitor", Extra: map[string]any{"channelCount": 2}})
	if pcm, err = listen(t.Context(), stereo, time.Second, 2); err != nil {
		t.Fatal(err)
	}
	for side := range 2 {
		var one []int16
		for i := side; i < len(pcm); i += 2 {
			one = append(one, pcm[i])
		}
		hears(t, one, 440, -12)
	}
	t.Logf("%d underruns", speaker.Underruns())
}

func TestCapturesDoNotDisturbOneAnother(t *testing.T) {
	plugIn(t, "car")
	first, second := open(t), open(t)
	play(t, output(t, first, "desk"), 440, -12)
	play(t, output(t, second, "car"), 1000, -20)
	type heard struct {
		pcm []int16
		err error
	}
	car := make(chan heard)
	other := input(t, first, media.Constraints{DeviceID: "car.monitor"})
	go func() {
		pcm, err := listen(t.Context(), other, 2*time.Second, 1)
		car <- heard{pcm, err}
	}()
	pcm, err := listen(t.Context(), input(t, second, media.Constraints{DeviceID: "desk.monitor"}), 2*time.Second, 1)
	h := <-car
	if err != nil || h.err != nil {
		t.Fatal(err, h.err)
	}
	hears(t, pcm, 440, -12)
	hears(t, h.pcm, 1000, -20)
}
