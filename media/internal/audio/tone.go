package audio

import "math"

// A Tone is an endless sine. Its phase is kept as a 64-bit fraction of a turn,
// so after a day it is still within a millionth of a turn of where it should be.
type Tone struct {
	channels  int
	amplitude float64
	phase     uint64 // in turns / 2^64
	step      uint64
}

// NewTone returns a sine of hz at the level dBFS, the same in every channel,
// starting at phase zero. It panics if rate or channels is not positive or hz is
// not within 0 and rate/2. A level above 0 dBFS clips.
func NewTone(rate, channels int, hz, dBFS float64) *Tone {
	if rate <= 0 || channels <= 0 || !(hz >= 0 && hz <= float64(rate)/2) {
		panic("audio: a tone must have a rate, a channel and at most half the rate as its frequency")
	}
	return &Tone{
		channels:  channels,
		amplitude: math.MaxInt16 * math.Pow(10, dBFS/20),
		step:      uint64(math.Round(math.Ldexp(hz/float64(rate), 64))),
	}
}

// Read fills pcm with the next frames and returns how many samples that is:
// all that make whole frames. The error is always nil.
func (t *Tone) Read(pcm []int16) (int, error) {
	n := len(pcm) - len(pcm)%t.channels
	for i := 0; i < n; i += t.channels {
		turns := float64(t.phase) / (1 << 64)
		s := clip(t.amplitude * math.Sin(2*math.Pi*turns))
		for c := range t.channels {
			pcm[i+c] = s
		}
		t.phase += t.step
	}
	return n, nil
}

// clip rounds v to the nearest sample that there is.
func clip(v float64) int16 {
	return int16(math.Round(max(math.MinInt16, min(math.MaxInt16, v))))
}
