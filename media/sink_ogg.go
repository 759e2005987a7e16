package media

import (
	"io"
	"math/rand/v2"
	"sync"

	"github.com/callrx/callrx/media/internal/audio"
)

// An OggSink records Opus as it comes into an Ogg file (RFC 7845), without
// decoding it. The file is as long as the time from Open to Close: what is lost,
// late or muted becomes silence.
type OggSink struct {
	w      io.Writer
	clock  *frameClock
	buffer *jitterBuffer

	// What follows belongs to the clock.
	file    *oggWriter
	payload []byte
	written int64 // samples at 48 kHz
	due     int64

	mu  sync.Mutex
	err error // of writing
}

// NewOggSink returns a sink that writes to w, which is closed with the sink if it
// can be. Every packet is written as soon as it is in order, so the file is whole
// even if the process is killed. See [NewPCMWriter] for a w that blocks.
func NewOggSink(w io.Writer) *OggSink {
	s := &OggSink{w: w, buffer: newJitterBuffer(48000, 48000)}
	s.clock = newFrameClock(s.tick)
	return s
}

// Codecs is [Opus].
func (s *OggSink) Codecs() []string { return []string{Opus} }

// Open begins the file.
func (s *OggSink) Open() error {
	file, err := newOggWriter(s.w, rand.Uint32(), 2)
	if err != nil {
		s.err = err
		return err
	}
	s.file = file
	s.clock.start()
	return nil
}

// WritePacket puts a packet where it belongs.
func (s *OggSink) WritePacket(p Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.buffer.push(p)
	}
	return s.err
}

// Close ends the file and returns the first error of writing it.
func (s *OggSink) Close() error {
	if !s.clock.stop() {
		return abandon(s.w, s.clock)
	}
	err := s.err
	if err == nil && s.file != nil {
		err = s.file.close()
	}
	if closing := closerOf(s.w)(); err == nil {
		err = closing
	}
	return err
}

// Stats says what became of the packets.
func (s *OggSink) Stats() JitterStats { return s.buffer.snapshot() }

// tick writes what 20 ms more have brought.
func (s *OggSink) tick() bool {
	const frame = 48000 / 50
	if s.buffer.excess() {
		s.skip()
	}
	for s.due += frame; s.written < s.due; {
		if err := s.more(s.due - s.written); err != nil {
			s.mu.Lock()
			s.err = err
			s.mu.Unlock()
			return false
		}
	}
	return true
}

// skip drops what is due.
func (s *OggSink) skip() {
	payload, _, gap := s.buffer.next(48000/50, s.payload)
	if gap == 0 {
		s.payload = payload
		gap = samples48(payload)
	}
	s.buffer.advance(gap, false)
}

// more writes a packet, or silence in pieces of 2.5 ms and more.
func (s *OggSink) more(want int64) error {
	payload, overlap, gap := s.buffer.next(want, s.payload)
	if gap > 0 {
		packet, samples := opusGap(gap)
		s.buffer.advance(samples, true)
		s.written += samples
		return s.file.write(packet, samples)
	}
	s.payload = payload
	samples := samples48(payload)
	if samples == 0 || overlap > samples/2 {
		s.buffer.advance(max(0, samples-overlap), true)
		return nil
	}
	s.buffer.advance(samples-overlap, false)
	s.written += samples
	return s.file.write(payload, samples)
}

func samples48(packet []byte) int64 {
	length, err := audio.PacketDuration(packet)
	if err != nil {
		return 0
	}
	return int64(length) * 48 / 1e6
}

// opusGap is a packet of silence of at most so many samples, 2.5 ms at least:
// configurations 28 to 31 are CELT of 2.5, 5, 10 and 20 ms.
func opusGap(samples int64) (packet []byte, length int64) {
	step, length := byte(0), int64(120)
	for step < 3 && length*2 <= samples {
		step, length = step+1, length*2
	}
	return []byte{28<<3 + step<<3, 0xff, 0xfe}, length
}
