package media

import (
	"math"
	"sync"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
)

const (
	// MaxGain is the most that a [Voice] amplifies, in percent.
	MaxGain = 200.0

	speakingLevel = 0.03 // from here on somebody speaks
	speakingHold  = 250 * time.Millisecond
)

// A Voice is what samples pass on their way from an audio source to the encoder:
// a gain, a push-to-talk key, and a meter in front of both. It is the program's
// for as long as it likes: legs come and go (see [LegConfig]). Samples that a
// source has encoded itself cannot be amplified nor measured; the key silences
// them as well. All methods may be called from any goroutine.
type Voice struct {
	onMeter func(level float64, speaking bool)

	mu       sync.Mutex // guards the rest
	gain     float64    // in percent
	key      bool       // there is a push-to-talk key
	pressed  bool
	level    float64
	speaking bool
	loud     time.Time // when the level was that of speech last
	hush     *time.Timer
}

// NewVoice makes a voice that changes nothing. onMeter, unless nil, is told each
// new level, and when somebody begins and ceases to speak. It must not block.
func NewVoice(onMeter func(level float64, speaking bool)) *Voice {
	return &Voice{onMeter: onMeter, gain: 100}
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
func (v *Voice) Level() float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.level
}

// Speaking reports whether the level has been that of speech, 0.03, within a
// quarter of a second.
func (v *Voice) Speaking() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.speaking
}

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
	v.measure(audio.RMS(pcm))
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

func (v *Voice) measure(level float64) {
	v.mu.Lock()
	now := time.Now()
	v.level = level
	if level >= speakingLevel {
		v.loud, v.speaking = now, true
	} else if now.Sub(v.loud) >= speakingHold {
		v.speaking = false
	}
	if v.hush == nil {
		v.hush = time.AfterFunc(speakingHold, v.ceased)
	}
	v.hush.Reset(speakingHold)
	speaking := v.speaking
	v.mu.Unlock()
	if v.onMeter != nil {
		v.onMeter(level, speaking)
	}
}

// ceased runs when no sample has come for a while: muted sources, and calls on
// hold, send none.
func (v *Voice) ceased() {
	v.mu.Lock()
	v.level, v.speaking = 0, false
	v.mu.Unlock()
	if v.onMeter != nil {
		v.onMeter(0, false)
	}
}
