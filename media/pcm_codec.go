package media

import (
	"fmt"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
)

// frameLength is what one packet of audio holds.
const frameLength = 20 * time.Millisecond

// framesPerSecond is the same as a rate, for counting samples exactly.
const framesPerSecond = int(time.Second / frameLength)

// A pcmEncoder turns PCM of one format into payloads of one codec.
type pcmEncoder struct {
	rate, channels int
	mix            *mixer
	resampler      *audio.Resampler
	encode1        func(packet []byte, pcm []int16) ([]byte, error)
	buf            []byte
}

func newPCMEncoder(codec Codec, rate, channels int, opus func(int) (Encoder, error)) (*pcmEncoder, error) {
	e := &pcmEncoder{rate: rate, channels: channels}
	out := 1
	switch {
	case codec.Is(PCMU):
		e.encode1 = func(b []byte, pcm []int16) ([]byte, error) { return audio.AppendULaw(b, pcm), nil }
	case codec.Is(PCMA):
		e.encode1 = func(b []byte, pcm []int16) ([]byte, error) { return audio.AppendALaw(b, pcm), nil }
	case codec.Is(Opus) && opus != nil:
		out = channels
		encoder, err := opus(channels)
		if err != nil {
			return nil, fmt.Errorf("make an Opus encoder: %w", err)
		}
		e.encode1 = encoder.Encode
	default:
		return nil, fmt.Errorf("%s: %w", codec, errNotPCM)
	}
	e.mix = &mixer{from: channels, to: out}
	resampler, err := audio.NewResampler(rate, codec.ClockRate, out)
	e.resampler = resampler
	return e, err
}

// encode returns a payload that is valid until the next call.
func (e *pcmEncoder) encode(pcm []int16) ([]byte, error) {
	payload, err := e.encode1(e.buf[:0], e.resampler.Process(e.mix.process(pcm)))
	if err == nil {
		e.buf = payload
	}
	return payload, err
}

// A mixer changes the number of channels: it averages, or repeats.
type mixer struct {
	from, to int
	buf      []int16
}

// process returns samples that are valid until the next call.
func (m *mixer) process(pcm []int16) []int16 {
	if m.from == m.to {
		return pcm
	}
	m.buf = m.buf[:0]
	for ; len(pcm) >= m.from; pcm = pcm[m.from:] {
		sum := 0
		for _, s := range pcm[:m.from] {
			sum += int(s)
		}
		for range m.to {
			m.buf = append(m.buf, int16(sum/m.from))
		}
	}
	return m.buf
}
