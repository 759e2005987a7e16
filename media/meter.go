package media

import (
	"sync"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
)

const (
	speakingLevel = 0.03 // from here on somebody speaks
	speakingHold  = 250 * time.Millisecond
)

// A loudness follows the level of one stream of sound, and whether it is speech.
// When nothing comes any more it falls to 0.
type loudness struct {
	tell func(level float64, speaking bool) // nil: nobody

	mu       sync.Mutex // guards the rest
	level    float64
	speaking bool
	loud     time.Time // when the level was that of speech last
	hush     *time.Timer
}

// take notes the level of the next 20 ms.
func (l *loudness) take(level float64) {
	l.mu.Lock()
	now := time.Now()
	l.level = level
	if level >= speakingLevel {
		l.loud, l.speaking = now, true
	} else if now.Sub(l.loud) >= speakingHold {
		l.speaking = false
	}
	if l.hush == nil {
		l.hush = time.AfterFunc(speakingHold, l.ceased)
	}
	l.hush.Reset(speakingHold)
	speaking := l.speaking
	l.mu.Unlock()
	if l.tell != nil {
		l.tell(level, speaking)
	}
}

// ceased runs when no sample has come for a while: muted sources, and calls on
// hold, send none.
func (l *loudness) ceased() {
	l.mu.Lock()
	l.level, l.speaking = 0, false
	l.mu.Unlock()
	if l.tell != nil {
		l.tell(0, false)
	}
}

func (l *loudness) now() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level
}

func (l *loudness) isSpeech() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.speaking
}

// A Meter measures the audio that a leg receives, whatever the sink (see
// [LegConfig]). Each packet is decoded for it, in the order of arrival and beside
// what the sink does, while somebody wants to know. Opus costs as much as playing
// it; G.711 next to nothing. All methods may be called from any goroutine.
type Meter struct {
	loudness loudness
	wanted   func() bool
	decode   map[string]decoder // by codec; belongs to whoever has the sink's turn
}

// NewMeter makes a meter. wanted is asked before each packet whether to measure
// it; nil means always. onLevel, unless nil, is told each new level, 0 when nothing
// has been measured for a quarter of a second. Neither may block.
func NewMeter(wanted func() bool, onLevel func(level float64)) *Meter {
	m := &Meter{wanted: wanted, decode: map[string]decoder{}}
	if onLevel != nil {
		m.loudness.tell = func(level float64, _ bool) { onLevel(level) }
	}
	return m
}

// Level is that of the last packet measured: the root mean square of its samples,
// from 0 to 1. It is 0 when nothing has been measured for a quarter of a second.
func (m *Meter) Level() float64 { return m.loudness.now() }

// Speaking reports whether the level has been that of speech, 0.03, within a
// quarter of a second.
func (m *Meter) Speaking() bool { return m.loudness.isSpeech() }

// packet measures what a packet holds. A nil meter measures nothing, and nobody
// can measure a codec that cannot be decoded.
func (m *Meter) packet(p Packet) {
	if m == nil || m.wanted != nil && !m.wanted() {
		return
	}
	d, known := m.decode[p.Codec.Name]
	if !known {
		d = meterDecoder(p.Codec)
		m.decode[p.Codec.Name] = d
	}
	if d == nil {
		return
	}
	if pcm, err := d.Decode(p.Payload); err == nil {
		m.loudness.take(audio.RMS(pcm))
	}
}

// meterDecoder decodes to one channel, at the codec's own rate; nil if nobody can.
func meterDecoder(codec Codec) decoder {
	d, _, _, err := newDecoder(codec, codec.ClockRate, 1)
	if err != nil {
		return nil
	}
	return d
}
