package media

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media/internal/audio"
)

// A pcmFunc asks the program for each frame.
type pcmFunc struct {
	rate, channels int
	read           func(pcm []int16) (int, error)
	close          func() error
}

// NewPCMFunc returns a source that asks read for each frame of 20 ms when it is
// due. read must not block; what it leaves of pcm is silence. [io.EOF] ends the
// source, another error fails it. It returns an [*errs.ConfigError] for what
// [NewPCMSink] refuses too.
func NewPCMFunc(rate, channels int, read func(pcm []int16) (int, error)) (Source, error) {
	return newPCMFunc(rate, channels, read, func() error { return nil })
}

func newPCMFunc(rate, channels int, read func([]int16) (int, error), close func() error) (Source, error) {
	if err := checkFormat(rate, channels); err != nil {
		return nil, err
	}
	return &pcmFunc{rate, channels, read, close}, nil
}

func (s *pcmFunc) Codecs() []string { return []string{PCM} }
func (s *pcmFunc) Close() error     { return s.close() }

func (s *pcmFunc) Send(ctx context.Context, out *Output) error {
	frame := make([]int16, s.rate/framesPerSecond*s.channels)
	return untilEOF(pace(ctx, func() error {
		n, err := s.read(frame)
		if err != nil && (n == 0 || err != io.EOF) {
			return err
		}
		clear(frame[n:])
		return out.WritePCM(frame, s.rate, s.channels)
	}))
}

func untilEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// NewWAVSource returns a source that plays a WAV file of 16-bit PCM. r should not
// block for long; the leg closes it if it can be closed. It returns an
// [*errs.ConfigError] for what is no such file.
func NewWAVSource(r io.Reader, options *FileOptions) (Source, error) {
	again, _, err := newAgain(r, options)
	if err != nil {
		return nil, err
	}
	file, err := audio.NewWAVReader(r)
	if err != nil {
		return nil, &errs.ConfigError{Field: "WAV", Problem: "cannot be read", OriginalError: err}
	}
	if file.Rate()%framesPerSecond != 0 || file.Rate() < 8000 {
		return nil, &errs.ConfigError{Field: "WAV", Problem: itoa(file.Rate()) + " samples per second"}
	}
	read := func(pcm []int16) (int, error) {
		n, err := file.Read(pcm)
		if err != io.EOF {
			return n, err
		}
		if err := again.rewind(); err != nil {
			return 0, err
		}
		if file, err = audio.NewWAVReader(r); err != nil {
			return 0, err
		}
		return file.Read(pcm)
	}
	return newPCMFunc(file.Rate(), file.Channels(), read, closerOf(r))
}

// A toneSource makes a sine at the rate of the codec.
type toneSource struct{ hz, dBFS float64 }

// NewTone returns a source of a sine at hz and a level in dBFS, where 0 is full
// scale and -20 is easy on the ear. It returns an [*errs.ConfigError] unless hz is
// within 1 and 4,000, which every codec carries.
func NewTone(hz, dBFS float64) (Source, error) {
	if !(hz >= 1 && hz <= 4000) {
		return nil, &errs.ConfigError{Field: "hz", Problem: "not within 1 and 4,000"}
	}
	if !(dBFS <= 0) {
		return nil, &errs.ConfigError{Field: "dBFS", Problem: "above 0"}
	}
	return &toneSource{hz, dBFS}, nil
}

func (s *toneSource) Codecs() []string { return []string{PCM} }

func (s *toneSource) Send(ctx context.Context, out *Output) error {
	rate := out.Codec().ClockRate
	tone := audio.NewTone(rate, 1, s.hz, s.dBFS)
	source := pcmFunc{rate: rate, channels: 1, read: tone.Read}
	return source.Send(ctx, out)
}

// A readerSource reads ahead on a goroutine, so that a slow reader does not stop
// the clock.
type readerSource struct {
	*Speaker
	r     io.Reader
	start sync.Once
	ended chan struct{}
	err   error // of reading, before ended
}

// NewPCMReader returns a source of samples as bytes, low byte first, that r gives
// at its own pace; where r is late there is silence. r is read on a goroutine that
// ends with r: the leg closes r, if it can be closed, to end it. It returns an
// [*errs.ConfigError]; see [NewPCMSink].
func NewPCMReader(r io.Reader, rate, channels int) (Source, error) {
	speaker, err := NewSpeaker(SpeakerConfig{Rate: rate, Channels: channels, Buffer: DefaultListenerBuffer, Wait: true})
	if err != nil {
		return nil, err
	}
	return &readerSource{Speaker: speaker, r: r, ended: make(chan struct{})}, nil
}

func (s *readerSource) Send(ctx context.Context, out *Output) error {
	s.start.Do(func() { go s.read() }) // ends with r; see NewPCMReader
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	drained := make(chan struct{})
	go func() { // ends with ctx at the latest, which this function sees to
		defer close(drained)
		select {
		case <-s.ended:
			_ = s.Drain(ctx)
			cancel()
		case <-ctx.Done():
		}
	}()
	err := s.Speaker.Send(ctx, out)
	cancel()
	<-drained
	select {
	case <-s.ended:
		if err == nil {
			err = s.err
		}
	default:
	}
	return err
}

func (s *readerSource) read() {
	defer close(s.ended)
	_, s.err = io.Copy(s.Speaker, s.r)
}

func (s *readerSource) Close() error {
	_ = s.Speaker.Close()
	return closerOf(s.r)()
}
