package soundcard_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/internal/audio"
	"github.com/callrx/callrx/media/soundcard"
)

func open(t testing.TB) *soundcard.Provider { return openOn(t, soundcard.PulseAudio) }

// ALSA without a sound card: its default device is the PulseAudio of the tests.
func openALSA(t testing.TB) *soundcard.Provider { return openOn(t, soundcard.ALSA) }

func openOn(t testing.TB, b soundcard.Backend) *soundcard.Provider {
	t.Helper()
	p, err := soundcard.Open(soundcard.Options{Backend: b})
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

// errEnough ends a capture that has what it wants.
var errEnough = errors.New("enough")

// hears fails unless capture gives a second of a sine at hz and dBFS, in each of its
// channels. A machine that has too much to do makes holes: it may do so for nine
// seconds.
func hears(t testing.TB, hz, dBFS float64, channels int, capture func(use func(pcm []int16) error) error) {
	t.Helper()
	e := ear{hz: hz, dBFS: dBFS, channels: channels}
	if err := capture(e.hear); !errors.Is(err, errEnough) {
		t.Errorf("%v: heard %s, want %.0f Hz at %.0f dBFS", err, e.heard, hz, dBFS)
		return
	}
	t.Logf("heard %s", e.heard)
}

// An ear waits for sound, lets half a second pass, and listens a second at a time.
type ear struct {
	hz, dBFS float64
	channels int
	skipped  int
	pcm      []int16
	seconds  int
	heard    string
}

func (e *ear) hear(frame []int16) error {
	switch second := 48000 * e.channels; {
	case e.skipped == 0 && audio.Level(frame) < -60:
	case e.skipped < second/2:
		e.skipped += len(frame)
	default:
		if e.pcm = append(e.pcm, frame...); len(e.pcm) >= second {
			return e.measure()
		}
	}
	return nil
}

// measure looks at a second.
func (e *ear) measure() error {
	right := true
	for c := range e.channels {
		hz, dBFS := measure(e.pcm, c, e.channels)
		e.heard += fmt.Sprintf("%.1f Hz at %.1f dBFS, ", hz, dBFS)
		right = right && math.Abs(hz-e.hz) < 3 && math.Abs(dBFS-e.dBFS) < 1
	}
	e.pcm, e.seconds, e.skipped = e.pcm[:0], e.seconds+1, 1 // and what was said meanwhile is not listened to
	switch {
	case right:
		return errEnough
	case e.seconds == 10:
		return errors.New("not what was played")
	}
	return nil
}

// measure returns the frequency of a second of a sine, which rises through zero
// once in a period, and its level: 0 dBFS is a sine at full scale.
func measure(pcm []int16, channel, channels int) (hz, dBFS float64) {
	power, before := 0.0, int16(0)
	for i := channel; i < len(pcm); i += channels {
		power += float64(pcm[i]) * float64(pcm[i])
		if before < 0 && pcm[i] >= 0 {
			hz++
		}
		before = pcm[i]
	}
	return hz, 10 * math.Log10(2*power/float64(len(pcm)/channels)/32768/32768)
}

// of is what a microphone captures.
func of(ctx context.Context, i *soundcard.Input) func(func([]int16) error) error {
	return func(use func([]int16) error) error { return i.Capture(ctx, use) }
}

// awake has somebody listen to a sink without hardware, which falls asleep otherwise
// and is two seconds late when it begins.
func awake(t testing.TB, p *soundcard.Provider, sink string) {
	t.Helper()
	begun, ended := capturing(t.Context(), input(t, p, media.Constraints{DeviceID: sink + ".monitor"}))
	wait(t, "the first frame", begun)
	t.Cleanup(func() { <-ended })
}

// works reports whether a microphone gives anything.
func works(ctx context.Context, i *soundcard.Input) error {
	if err := i.Capture(ctx, func([]int16) error { return errEnough }); !errors.Is(err, errEnough) {
		return err
	}
	return nil
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
	start, tick := time.Now(), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	pcm := make([]int16, 160)
	for n := 0; ; {
		for ; n <= int(time.Since(start)/(20*time.Millisecond)); n++ { // a tick may be missed
			_, _ = tone.Read(pcm)
			err := sink.WritePacket(media.Packet{
				Codec:          media.Codec{Name: media.PCMU, ClockRate: 8000, Channels: 1},
				SequenceNumber: uint16(n), Timestamp: uint32(160 * n), Payload: audio.EncodeULaw(pcm), ArrivedAt: time.Now(),
			})
			if err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func TestToneIsPlayedAndHeard(t *testing.T) {
	p := open(t)
	speaker := output(t, p, "desk")
	play(t, speaker, 440, -12)
	hears(t, 440, -12, 1, of(t.Context(), input(t, p, media.Constraints{DeviceID: "desk.monitor"})))
	stereo := input(t, p, media.Constraints{DeviceID: "desk.monitor", Extra: map[string]any{"channelCount": 2}})
	hears(t, 440, -12, 2, of(t.Context(), stereo))
	t.Logf("%d underruns", speaker.Underruns())
}

func TestCapturesDoNotDisturbOneAnother(t *testing.T) {
	plugIn(t, "car")
	first, second := open(t), open(t)
	play(t, output(t, first, "desk"), 440, -12)
	play(t, output(t, second, "car"), 1000, -20)
	desk := input(t, second, media.Constraints{DeviceID: "desk.monitor"})
	car := input(t, first, media.Constraints{DeviceID: "car.monitor"})
	var both sync.WaitGroup
	both.Go(func() { hears(t, 440, -12, 1, of(t.Context(), desk)) })
	both.Go(func() { hears(t, 1000, -20, 1, of(t.Context(), car)) })
	both.Wait()
}
