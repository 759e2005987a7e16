package sessiontest_test

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/callrx/callrx/session/sessiontest"
)

// sing sends a sine at a quarter of full scale in G.711, in real time, until the test ends or stop is called.
func (m *media) sing(i int, hertz float64) (stop func()) {
	m.t.Helper()
	return m.sound(i, hertz, 0.25)
}

// sound is sing at another level.
func (m *media) sound(i int, hertz, level float64) (stop func()) {
	m.t.Helper()
	encode := sessiontest.EncodeULaw
	if m.tracks[i].Codec().MimeType == "audio/PCMA" {
		encode = sessiontest.EncodeALaw
	}
	return m.speakEvery(i, 20*time.Millisecond, 160, func(n int) []byte {
		payload := make([]byte, 160)
		for k := range payload {
			at := float64(n*160+k) / 8000
			payload[k] = encode(int16(level * 32767 * math.Sin(2*math.Pi*hertz*at)))
		}
		return payload
	})
}

// levelAt is the level of one frequency in samples at 8000 Hz, in dB of a full-scale sine (Goertzel).
func levelAt(samples []float64, hertz float64) float64 {
	re, im := 0.0, 0.0
	for i, v := range samples {
		window := 1 - math.Cos(2*math.Pi*float64(i)/float64(len(samples))) // Hann, whose mean is one
		re += window * v * math.Cos(2*math.Pi*hertz*float64(i)/8000)
		im += window * v * math.Sin(2*math.Pi*hertz*float64(i)/8000)
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/float64(len(samples))/32767)
}

// decoded is what packets of G.711 hold.
func decoded(packets []rtp.Packet) []float64 {
	var samples []float64
	for _, p := range packets {
		for _, b := range p.Payload {
			if p.PayloadType == 8 {
				samples = append(samples, alaw(b))
			} else {
				samples = append(samples, ulaw(b))
			}
		}
	}
	return samples
}

// alaw decodes G.711 A-law by its definition.
func alaw(b byte) float64 {
	b ^= 0x55
	v, exponent := float64(b&15)*16+8, b>>4&7
	if exponent > 0 {
		v = (v + 256) * math.Pow(2, float64(exponent-1))
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

// hears waits until a member hears the wanted frequencies at -12 dB and none of the others.
func (m *media) hears(t *testing.T, wanted, unwanted []float64) {
	t.Helper()
	var why string
	m.ears[0].wait(t, func(p []rtp.Packet) bool {
		if len(p) < 25 {
			return false
		}
		samples := decoded(p[len(p)-25:]) // half a second
		why = ""
		for _, hertz := range wanted {
			if level := levelAt(samples, hertz); math.Abs(level+12) > 1.5 {
				why = "too loud or too quiet"
			}
		}
		for _, hertz := range unwanted {
			if level := levelAt(samples, hertz); level > -45 {
				why = "heard what it should not"
			}
		}
		return why == ""
	})
}
