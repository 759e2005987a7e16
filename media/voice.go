package media

import (
	"math"
	"sync"

	"github.com/callrx/callrx/media/internal/audio"
)

// MaxGain is the most that a [Voice] amplifies, in percent.
const MaxGain = 200.0

// A Voice is what samples pass on their way from an audio source to the encoder:
// a gain, a push-to-talk key, and a meter in front of both. It is the program's
// for as long as it likes: legs come and go (see [LegConfig]). Samples that a
// source has encoded itself cannot be amplified nor measured; the key silences
// them as well. All methods may be called from any goroutine.
type Voice struct {
	meter loudness // in front of the rest

	mu      sync.Mutex // guards the rest
	gain    float64    // in percent
	key     bool       // there is a push-to-talk key
	pressed bool
}

// NewVoice makes a voice that changes nothing. onMeter, unless nil, is told each
// new level, and when somebody begins and ceases to speak. It must not block.
func NewVoice(onMeter func(level float64, speaking bool)) *Voice {
	return &Voice{meter: loudness{tell: onMeter}, gain: 100}
}

// SetGain sets the gain in percent, held within 0 and [MaxGain]; 100 changes
// nothing. What is not a number is ignored.
func (v *Voice) SetGain(percent float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !math.IsNaN(percent) {
		v.gain = min(max(percent, 0), MaxGain)
	}
}

// Gain is the gain in percent.
func (v *Voice) Gain() float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.gain
}

// SetPushToTalk puts a key in, released: nothing is heard until it is pressed. Or
// it takes the key away, and everything is heard.
func (v *Voice) SetPushToTalk(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.key, v.pressed = on, false
}

// Press presses the push-to-talk key, or releases it. Without one it does
// nothing.
func (v *Voice) Press(down bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pressed = down && v.key
}

// Level is that of the last 20 ms, before gain and key: the root mean square of
// the samples, from 0 to 1. It is 0 when nothing has come for a quarter of a
// second.
func (v *Voice) Level() float64 { return v.meter.now() }

// Speaking reports whether the level has been that of speech, 0.03, within a
// quarter of a second.
func (v *Voice) Speaking() bool { return v.meter.isSpeech() }

// silent reports whether a key keeps everything back. A nil voice has none.
func (v *Voice) silent() bool {
	if v == nil {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.key && !v.pressed
}

// process measures samples and amplifies them, which takes place in buf. It
// returns what to send, and buf for the next time.
func (v *Voice) process(pcm, buf []int16) (out, next []int16) {
	if v == nil {
		return pcm, buf
	}
	v.meter.take(audio.RMS(pcm))
	gain := v.Gain()
	if gain == 100 {
		return pcm, buf
	}
	buf = buf[:0]
	for _, s := range pcm {
		buf = append(buf, int16(min(max(math.Round(float64(s)*gain/100), math.MinInt16), math.MaxInt16)))
	}
	return buf, buf
}
