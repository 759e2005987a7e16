package media

import (
	"encoding/binary"
	"io"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media/internal/audio"
)

// A PCMSink turns what arrives into samples, 20 ms at a time, by the clock: from
// Open to Close there is a frame for every 20 ms, whatever is lost, late or muted.
// Packets are put in order and heard 60 ms after they have come; gaps fade out into
// silence.
type PCMSink struct {
	stream *pcmStream
	frame  func(pcm []int16) error
	finish func() error
	to     any // what frame writes to
	clock  *frameClock

	mu  sync.Mutex
	err error // of frame
}

// NewPCMSink returns a sink that calls frame with each 20 ms of sound at rate
// samples per second and channel, 1 or 2 channels, on a goroutine of its own. The
// samples are valid during the call. Blocking delays the sound but loses none of
// it. After an error frame is not called again; the leg reports it. Close waits a
// second for frame to return, then returns an error that wraps
// [context.DeadlineExceeded].
//
// It returns an [*errs.ConfigError] for a rate that is no multiple of 50 or not
// within 8,000 and 192,000.
func NewPCMSink(rate, channels int, frame func(pcm []int16) error) (*PCMSink, error) {
	return newPCMSink(rate, channels, frame, func() error { return nil }, frame)
}

// NewPCMWriter is [NewPCMSink] with frames written to w as bytes, low byte first.
// w is closed with the sink if it can be. If it has not taken a frame for a second
// by then, it is closed all the same, so that it lets go, and Close returns an error
// that names its type and wraps [context.DeadlineExceeded].
func NewPCMWriter(w io.Writer, rate, channels int) (*PCMSink, error) {
	var buf []byte
	return newPCMSink(rate, channels, func(pcm []int16) error {
		buf = buf[:0]
		for _, s := range pcm {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(s))
		}
		_, err := w.Write(buf)
		return err
	}, closerOf(w), w)
}

// NewWAVSink is [NewPCMSink] with frames written to a WAV file. If w is an
// [io.Seeker], as a file is, the file is whole at any moment, even if the process
// is killed. w is closed with the sink if it can be; see [NewPCMWriter] for one that
// blocks.
func NewWAVSink(w io.Writer, rate, channels int) (*PCMSink, error) {
	if err := checkFormat(rate, channels); err != nil {
		return nil, err
	}
	writer, err := audio.NewWAVWriter(w, rate, channels)
	if err != nil {
		return nil, &errs.ConfigError{Field: "WAV", Problem: "cannot be begun", OriginalError: err}
	}
	shut := closerOf(w)
	return newPCMSink(rate, channels, writer.Write, func() error {
		err := writer.Close()
		if closing := shut(); err == nil {
			err = closing
		}
		return err
	}, w)
}

func newPCMSink(rate, channels int, frame func([]int16) error, finish func() error, to any) (*PCMSink, error) {
	if err := checkFormat(rate, channels); err != nil {
		return nil, err
	}
	s := &PCMSink{stream: newPCMStream(rate, channels), frame: frame, finish: finish, to: to}
	s.clock = newFrameClock(s.play)
	return s, nil
}

func checkFormat(rate, channels int) error {
	switch {
	case rate < 8000 || rate > 192000 || rate%framesPerSecond != 0:
		return &errs.ConfigError{Field: "rate", Problem: itoa(rate) + " samples per second"}
	case channels != 1 && channels != 2:
		return &errs.ConfigError{Field: "channels", Problem: itoa(channels) + " channels"}
	}
	return nil
}

func closerOf(w any) func() error {
	if c, ok := w.(io.Closer); ok {
		return c.Close
	}
	return func() error { return nil }
}

// Codecs is [PCM].
func (s *PCMSink) Codecs() []string { return []string{PCM} }

// Open starts the clock.
func (s *PCMSink) Open() error {
	s.clock.start()
	return nil
}

// WritePacket puts a packet where it belongs.
func (s *PCMSink) WritePacket(p Packet) error {
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.stream.push(p)
}

// Close stops the clock after the last whole frame and closes what the sink writes
// to. It returns the first error of writing, or, within two seconds, an error that
// says who has not taken the last frame.
func (s *PCMSink) Close() error {
	if !s.clock.stop() {
		return abandon(s.to, s.clock)
	}
	err := s.finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return err
}

// Level is the level of the last frame in dBFS.
func (s *PCMSink) Level() float64 { return s.stream.level.get() }

// Stats says what became of the packets.
func (s *PCMSink) Stats() JitterStats { return s.stream.snapshot() }

func (s *PCMSink) play() bool {
	err := s.frame(s.stream.frame())
	if err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return err == nil
}
