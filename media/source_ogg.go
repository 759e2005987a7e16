package media

import (
	"context"
	"io"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media/internal/audio"
)

// FileOptions say how a file is played. Nil means the zero value.
type FileOptions struct {
	// Loop plays the file again and again. The reader must be an [io.Seeker].
	Loop bool
	// FrameRate is pictures per second of H.264, which does not say. 0 means 30.
	FrameRate float64
}

// An again reads a file from the start as often as is wanted.
type again struct {
	r      io.Reader
	seeker io.Seeker // nil if it is read once
	origin int64
}

func newAgain(r io.Reader, options *FileOptions) (*again, FileOptions, error) {
	var o FileOptions
	if options != nil {
		o = *options
	}
	a := &again{r: r}
	if !o.Loop {
		return a, o, nil
	}
	seeker, ok := r.(io.Seeker)
	if !ok {
		return nil, o, &errs.ConfigError{Field: "Loop", Problem: "the reader cannot go back"}
	}
	origin, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, o, &errs.ConfigError{Field: "Loop", Problem: "the reader cannot go back", OriginalError: err}
	}
	a.seeker, a.origin = seeker, origin
	return a, o, nil
}

// rewind returns io.EOF if the file is played once.
func (a *again) rewind() error {
	if a.seeker == nil {
		return io.EOF
	}
	_, err := a.seeker.Seek(a.origin, io.SeekStart)
	return err
}

// An oggSource sends the packets of a file as they are.
type oggSource struct {
	file   *again
	reader *oggReader
	next   []byte
}

// NewOggSource returns a source of an Ogg file of Opus, which is sent as it is: the
// far end must take Opus. r should not block for long; the leg closes it if it can
// be closed. It returns an [*errs.ConfigError] for what is no such file.
func NewOggSource(r io.Reader, options *FileOptions) (Source, error) {
	file, _, err := newAgain(r, options)
	if err != nil {
		return nil, err
	}
	reader, err := newOggReader(r)
	if err != nil {
		return nil, &errs.ConfigError{Field: "Ogg", Problem: "cannot be read", OriginalError: err}
	}
	return &oggSource{file: file, reader: reader}, nil
}

func (s *oggSource) Codecs() []string { return []string{Opus} }
func (s *oggSource) Close() error     { return closerOf(s.file.r)() }

func (s *oggSource) Send(ctx context.Context, out *Output) error {
	line := newTimeline()
	defer line.stop()
	var p Packet
	for at := time.Duration(0); ; {
		packet, length, err := s.packet()
		if err != nil {
			return untilEOF(err)
		}
		if !line.wait(ctx, at) {
			s.next = packet
			return nil
		}
		p.Payload = packet
		if err := out.WritePacket(p); err != nil {
			return err
		}
		at += length
		p.SequenceNumber++
		p.Timestamp += uint32(length * 48 / time.Millisecond)
	}
}

// packet is the next one and how long it lasts.
func (s *oggSource) packet() ([]byte, time.Duration, error) {
	packet := s.next
	for s.next = nil; len(packet) == 0; {
		var err error
		if packet, err = s.reader.packet(); err == io.EOF {
			if err = s.file.rewind(); err == nil {
				s.reader, err = newOggReader(s.file.r)
			}
		}
		if err != nil {
			return nil, 0, err
		}
	}
	length, err := audio.PacketDuration(packet)
	return packet, length, err
}
