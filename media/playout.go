package media

import (
	"slices"
	"sync"

	"github.com/callrx/callrx/media/internal/audio"
)

// A decoder turns payloads into PCM and makes up what is missing. What it returns
// is valid until the next call.
type decoder interface {
	Decode(payload []byte) ([]int16, error)
	Conceal(frames int) []int16
}

// A g711 decodes one of the laws. Gaps fade out over 20 ms.
type g711 struct {
	law  func(dst []int16, b []byte) []int16
	pcm  []int16
	last []int16
	gap  int
}

func (g *g711) Decode(payload []byte) ([]int16, error) {
	g.pcm = g.law(g.pcm[:0], payload)
	g.last = append(g.last[:0], g.pcm[max(0, len(g.pcm)-160):]...)
	g.gap = 0
	return g.pcm, nil
}

// Conceal plays the last 20 ms backwards, so that there is no step.
func (g *g711) Conceal(frames int) []int16 {
	g.pcm = slices.Grow(g.pcm[:0], frames)[:frames]
	clear(g.pcm)
	known := len(g.last)
	for i := range min(frames, max(0, known-g.gap)) {
		left := known - g.gap - i
		g.pcm[i] = int16(int(g.last[left-1]) * left / known)
	}
	g.gap += frames
	return g.pcm
}

// A playout turns the packets of one codec into sound at the pace of the clock.
// Pushing is for the packet path, the rest for the clock.
type playout struct {
	codec    Codec
	buffer   *jitterBuffer
	decoder  decoder
	channels int // of the decoder
	rate     int
	pending  []int16
	payload  []byte
	mix      *mixer
	resample *audio.Resampler
}

func newPlayout(codec Codec, rate, channels int) (*playout, error) {
	p := &playout{codec: codec}
	var err error
	if p.decoder, p.rate, p.channels, err = newDecoder(codec, rate, channels); err != nil {
		return nil, err
	}
	p.buffer = newJitterBuffer(p.rate, codec.ClockRate)
	p.mix = &mixer{from: p.channels, to: channels}
	resample, err := audio.NewResampler(p.rate, rate, channels)
	p.resample = resample
	return p, err
}

// newDecoder makes a decoder of codec for sound that is wanted at a rate and in
// channels, and says which of both it gives.
func newDecoder(codec Codec, rate, channels int) (d decoder, atRate, in int, err error) {
	switch {
	case codec.Is(PCMU):
		return &g711{law: audio.DecodeULaw}, codec.ClockRate, 1, nil
	case codec.Is(PCMA):
		return &g711{law: audio.DecodeALaw}, codec.ClockRate, 1, nil
	case codec.Is(Opus):
		if !slices.Contains([]int{8000, 12000, 16000, 24000}, rate) {
			rate = codec.ClockRate
		}
		channels = min(channels, 2)
		opus, err := audio.NewOpusDecoder(rate, channels)
		if err != nil {
			return nil, 0, 0, err
		}
		return opus, rate, channels, nil
	}
	return nil, 0, 0, errNotPCM
}

// frame is the next 20 ms. It is valid until the next call.
func (p *playout) frame() []int16 {
	if p.buffer.excess() {
		p.produce()
	}
	return p.resample.Process(p.mix.process(p.produce()))
}

// produce decodes, or makes up, 20 ms.
func (p *playout) produce() []int16 {
	size := p.rate / framesPerSecond * p.channels
	for len(p.pending) < size {
		p.more(int64((size - len(p.pending)) / p.channels))
	}
	out := p.pending[:size]
	p.pending = p.pending[size:]
	return out
}

// more appends what is due next, which may be more than what is wanted.
func (p *playout) more(want int64) {
	payload, overlap, gap := p.buffer.next(want, p.payload)
	if gap > 0 {
		pcm := p.decoder.Conceal(int(gap))
		p.pending = append(p.pending, pcm...)
		p.buffer.advance(int64(len(pcm)/p.channels), true)
		return
	}
	p.payload = payload
	pcm, err := p.decoder.Decode(payload)
	if err != nil {
		return // a malformed packet leaves a gap
	}
	skip := min(int(overlap)*p.channels, len(pcm))
	p.pending = append(p.pending, pcm[skip:]...)
	p.buffer.advance(int64((len(pcm)-skip)/p.channels), false)
}

// A pcmStream is one direction of sound as samples, whatever codecs come and go.
type pcmStream struct {
	rate, channels int
	quiet          []int16
	level          level

	mu      sync.Mutex
	current *playout
	stats   JitterStats // of playouts that have ended
}

func newPCMStream(rate, channels int) *pcmStream {
	return &pcmStream{rate: rate, channels: channels, quiet: make([]int16, rate/framesPerSecond*channels)}
}

func (s *pcmStream) push(p Packet) error {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	if current == nil || current.codec.Name != p.Codec.Name || current.codec.ClockRate != p.Codec.ClockRate {
		next, err := newPlayout(p.Codec, s.rate, s.channels)
		if err != nil {
			return err
		}
		s.mu.Lock()
		if current != nil {
			s.stats = s.stats.plus(current.buffer.snapshot())
		}
		s.current = next
		s.mu.Unlock()
		current = next
	}
	current.buffer.push(p)
	return nil
}

// frame is the next 20 ms, silence before anything has come.
func (s *pcmStream) frame() []int16 {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	pcm := s.quiet
	if current == nil {
		clear(pcm) // the program may have written to it
	} else {
		pcm = current.frame()
	}
	s.level.set(audio.Level(pcm))
	return pcm
}

func (s *pcmStream) snapshot() JitterStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return s.stats
	}
	return s.stats.plus(s.current.buffer.snapshot())
}

func (a JitterStats) plus(b JitterStats) JitterStats {
	return JitterStats{
		Late: a.Late + b.Late, Duplicate: a.Duplicate + b.Duplicate,
		Concealed: a.Concealed + b.Concealed, Skipped: a.Skipped + b.Skipped, Restarts: a.Restarts + b.Restarts,
	}
}
