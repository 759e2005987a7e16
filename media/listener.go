package media

import (
	"context"
	"encoding/binary"
	"io"
	"iter"
	"sync"
	"time"
)

// DefaultListenerBuffer is how much sound a [Listener] keeps for a slow reader.
const DefaultListenerBuffer = time.Second

// A Listener is a sink that the program reads samples from, 20 ms at a time: what
// the far end says. It gives a frame for every 20 ms from the moment the leg is
// connected until it is closed. A reader that is too slow loses the oldest frames.
type Listener struct {
	*PCMSink
	size int
	more chan struct{} // capacity 1

	mu      sync.Mutex
	frames  [][]int16
	bound   int
	dropped int
	closed  bool
	rest    []byte // of a frame, for Read
}

// NewListener returns a listener for samples at rate and channels. It returns an
// [*errs.ConfigError]; see [NewPCMSink].
func NewListener(rate, channels int) (*Listener, error) {
	l := &Listener{
		size: rate / framesPerSecond * channels, more: make(chan struct{}, 1),
		bound: int(DefaultListenerBuffer / frameLength),
	}
	sink, err := newPCMSink(rate, channels, l.add, l.end, nil)
	l.PCMSink = sink
	return l, err
}

func (l *Listener) add(pcm []int16) error {
	l.mu.Lock()
	if len(l.frames) == l.bound {
		l.frames = append(l.frames[:0], l.frames[1:]...)
		l.dropped++
	}
	l.frames = append(l.frames, append([]int16(nil), pcm...))
	l.mu.Unlock()
	signal(l.more)
	return nil
}

func (l *Listener) end() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	signal(l.more)
	return nil
}

// ReadFrame waits for the next 20 ms. The samples belong to the caller. It returns
// [io.EOF] after the last frame of a leg that has ended, and the cause of ctx. It
// is for one goroutine at a time, as are Read and Frames.
func (l *Listener) ReadFrame(ctx context.Context) ([]int16, error) {
	for {
		l.mu.Lock()
		if len(l.frames) > 0 {
			frame := l.frames[0]
			l.frames = append(l.frames[:0], l.frames[1:]...)
			l.mu.Unlock()
			return frame, nil
		}
		closed := l.closed
		l.mu.Unlock()
		if closed {
			signal(l.more) // for the next call
			return nil, io.EOF
		}
		select {
		case <-l.more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Frames are the frames until the leg ends or ctx is done.
func (l *Listener) Frames(ctx context.Context) iter.Seq[[]int16] {
	return func(yield func([]int16) bool) {
		for {
			frame, err := l.ReadFrame(ctx)
			if err != nil || !yield(frame) {
				return
			}
		}
	}
}

// Read gives the samples as bytes, low byte first, until the leg ends.
func (l *Listener) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		frame, err := l.ReadFrame(context.Background())
		if err != nil {
			return 0, err
		}
		for _, s := range frame {
			l.rest = binary.LittleEndian.AppendUint16(l.rest, uint16(s))
		}
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// Dropped is how much sound was lost because nobody read it in time.
func (l *Listener) Dropped() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.dropped) * frameLength
}
