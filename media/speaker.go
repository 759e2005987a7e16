package media

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
)

// DefaultSpeakerBuffer is how much sound a [Speaker] holds.
const DefaultSpeakerBuffer = time.Minute

// SpeakerConfig describes a [Speaker].
type SpeakerConfig struct {
	// Rate is samples per second and channel, a multiple of 50 from 8,000 to
	// 192,000. 0 means 16,000.
	Rate int
	// Channels is 1 or 2. 0 means 1.
	Channels int
	// Buffer is how much sound may wait to be played. 0 means a minute.
	Buffer time.Duration
	// Wait makes writing wait for room. Otherwise what does not fit is dropped and
	// counted, so that a writer that is never interrupted cannot fall behind.
	Wait bool
	// OnMark is told when a mark is reached: heard is true when everything written
	// before it has been sent, and false when a flush took it away. It runs on the
	// goroutine that sends, or the one that flushes, and must not block.
	OnMark func(name string, heard bool)
}

// A Speaker is a source that the program writes samples to: a voice. Sound is sent
// at the pace of time, in frames of 20 ms, with silence where there is none; it
// waits while the leg does not send. Methods may be called from any goroutine.
type Speaker struct {
	cfg   SpeakerConfig
	frame []int16

	mu      sync.Mutex
	queue   []int16
	head    int // of queue: samples before it are gone
	changed chan struct{}
	marks   []mark
	written int64 // samples ever, to place marks
	played  int64 // samples since the last flush
	dropped int64
	odd     []byte // half a sample, of Write
	closed  bool
	holes   holes
}

type mark struct {
	name string
	at   int64 // in samples ever written
}

// Flushed says what an interruption cut off.
type Flushed struct {
	Played    time.Duration // sent since the flush before, silence not counted
	Discarded time.Duration // written and never sent
}

// NewSpeaker returns a speaker. It returns an [*errs.ConfigError].
func NewSpeaker(cfg SpeakerConfig) (*Speaker, error) {
	if cfg.Rate == 0 {
		cfg.Rate = 16000
	}
	if cfg.Channels == 0 {
		cfg.Channels = 1
	}
	if cfg.Buffer == 0 {
		cfg.Buffer = DefaultSpeakerBuffer
	}
	if err := checkFormat(cfg.Rate, cfg.Channels); err != nil {
		return nil, err
	}
	if cfg.Buffer < frameLength {
		return nil, &errs.ConfigError{Field: "Buffer", Problem: "shorter than a frame of 20 ms"}
	}
	return &Speaker{
		cfg: cfg, changed: make(chan struct{}),
		frame: make([]int16, cfg.Rate/framesPerSecond*cfg.Channels),
	}, nil
}

// Play writes samples of any number, whole frames of channels. It returns how many
// were taken: fewer, with [io.ErrShortWrite], if the rest was dropped; with the
// cause of ctx if waiting was given up; with [errs.ErrClosed] after Close.
func (s *Speaker) Play(ctx context.Context, pcm []int16) (int, error) {
	for n := 0; ; {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return n, errs.ErrClosed
		}
		n += s.takeLocked(pcm[n:])
		changed := s.changed
		if n < len(pcm) && !s.cfg.Wait {
			s.dropped += int64(len(pcm) - n)
			s.mu.Unlock()
			return n, io.ErrShortWrite
		}
		s.mu.Unlock()
		if n == len(pcm) {
			return n, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return n, context.Cause(ctx)
		}
	}
}

// takeLocked appends what there is room for.
func (s *Speaker) takeLocked(pcm []int16) int {
	room := s.samples(s.cfg.Buffer) - (len(s.queue) - s.head)
	n := min(len(pcm), max(0, room-room%s.cfg.Channels))
	s.holes.filledBy(n)
	if s.head > len(s.queue)/2 {
		s.queue = s.queue[:copy(s.queue, s.queue[s.head:])]
		s.head = 0
	}
	s.queue = append(s.queue, pcm[:n]...)
	s.written += int64(n)
	return n
}

// Write is [Speaker.Play] of samples as bytes, low byte first, in pieces of any
// size. It waits, where the speaker waits, until Close.
func (s *Speaker) Write(b []byte) (int, error) {
	s.mu.Lock()
	bytes := append(s.odd, b...)
	whole := len(bytes) - len(bytes)%(2*s.cfg.Channels)
	s.odd = append([]byte(nil), bytes[whole:]...)
	s.mu.Unlock()
	pcm := make([]int16, whole/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(bytes[2*i:]))
	}
	n, err := s.Play(context.Background(), pcm)
	if err != nil {
		return min(len(b), 2*n), err
	}
	return len(b), nil
}

// Mark sets a mark after everything written so far; see [SpeakerConfig].
func (s *Speaker) Mark(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = append(s.marks, mark{name, s.written})
}

// Flush stops speaking within one frame: what waits is discarded, and its marks
// are told that they were not heard.
func (s *Speaker) Flush() Flushed {
	s.mu.Lock()
	f := Flushed{
		Played:    s.length(s.played),
		Discarded: s.length(int64(len(s.queue) - s.head)),
	}
	s.queue, s.head, s.odd = s.queue[:0], 0, nil
	s.played = 0
	s.holes.forget()
	marks := s.marks
	s.marks = nil
	s.announceLocked()
	s.mu.Unlock()
	s.tell(marks, false)
	return f
}

// Drain waits until everything written has been sent, or was flushed. It returns
// the cause of ctx, or [errs.ErrClosed].
func (s *Speaker) Drain(ctx context.Context) error {
	for {
		s.mu.Lock()
		empty, closed, changed := s.head == len(s.queue), s.closed, s.changed
		s.mu.Unlock()
		switch {
		case closed:
			return errs.ErrClosed
		case empty:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Queued is how much sound waits.
func (s *Speaker) Queued() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.length(int64(len(s.queue) - s.head))
}

// Dropped is how much sound found no room.
func (s *Speaker) Dropped() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.length(s.dropped)
}

// Close discards what waits and refuses more. The leg closes a speaker that it has
// when it ends. It returns nil.
func (s *Speaker) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.Flush()
	return nil
}

// Codecs is [PCM].
func (s *Speaker) Codecs() []string { return []string{PCM} }

// Send sends a frame every 20 ms until ctx is done.
func (s *Speaker) Send(ctx context.Context, out *Output) error {
	return pace(ctx, func() error {
		marks, closed := s.next()
		if closed {
			return errs.ErrClosed
		}
		if err := out.WritePCM(s.frame, s.cfg.Rate, s.cfg.Channels); err != nil {
			return err
		}
		s.tell(marks, true)
		return nil
	})
}

// next fills s.frame and returns the marks that end in it.
func (s *Speaker) next() (reached []mark, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(s.frame, s.queue[s.head:])
	clear(s.frame[n:])
	s.holes.sent(n, len(s.frame))
	s.head += n
	s.played += int64(n)
	if s.head == len(s.queue) {
		s.queue, s.head = s.queue[:0], 0
	}
	if n > 0 {
		s.announceLocked()
	}
	sent := s.written - int64(len(s.queue)-s.head)
	for len(s.marks) > 0 && s.marks[0].at <= sent {
		reached = append(reached, s.marks[0])
		s.marks = s.marks[1:]
	}
	return reached, s.closed
}

// announceLocked wakes those who wait for room or for the end.
func (s *Speaker) announceLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Speaker) tell(marks []mark, heard bool) {
	if s.cfg.OnMark == nil {
		return
	}
	for _, m := range marks {
		s.cfg.OnMark(m.name, heard)
	}
}

func (s *Speaker) samples(d time.Duration) int {
	return int(d*time.Duration(s.cfg.Rate)/time.Second) * s.cfg.Channels
}

func (s *Speaker) length(samples int64) time.Duration {
	return time.Duration(samples) * time.Second / time.Duration(s.cfg.Rate*s.cfg.Channels)
}
