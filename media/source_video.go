package media

import (
	"context"
	"io"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media/internal/pattern"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// payloadSize is what a packet of video holds, so that it fits wherever it goes.
const payloadSize = 1200

// A picture is one frame of video and when it is shown.
type picture struct {
	data []byte
	at   time.Duration
	key  bool
}

// A videoReader gives the pictures of a file. After io.EOF, it can be made anew.
type videoReader interface {
	picture() (picture, error)
}

// A videoSource sends the pictures of a file.
type videoSource struct {
	codec  string
	file   *again
	open   func(io.Reader) (videoReader, error)
	reader videoReader
	split  rtp.Payloader
}

// NewIVFSource returns a source of an IVF file of VP8 or VP9, which is sent as it
// is. After an interruption it goes on with the next keyframe; with Loop, it begins
// anew whenever the far end asks for a keyframe. The leg closes r if it can be
// closed. It returns an [*errs.ConfigError] for what is no such file.
func NewIVFSource(r io.Reader, options *FileOptions) (Source, error) {
	file, _, err := newAgain(r, options)
	if err != nil {
		return nil, err
	}
	reader, err := newIVFReader(r)
	if err != nil {
		return nil, &errs.ConfigError{Field: "IVF", Problem: "cannot be read", OriginalError: err}
	}
	s := &videoSource{
		codec: reader.codec, file: file, reader: reader, split: &codecs.VP8Payloader{EnablePictureID: true},
		open: func(r io.Reader) (videoReader, error) { return newIVFReader(r) },
	}
	if reader.codec == VP9 {
		s.split = &codecs.VP9Payloader{}
	}
	return s, nil
}

// NewTestPattern returns an endless source of VP8: moving shapes, a clock and the
// number of the picture, 160 by 120 pixels, 10 a second.
func NewTestPattern() Source {
	source, err := NewIVFSource(pattern.VP8(), &FileOptions{Loop: true})
	if err != nil {
		panic(err) // the file is part of the program
	}
	return source
}

func (s *videoSource) Codecs() []string { return []string{s.codec} }
func (s *videoSource) Close() error     { return closerOf(s.file.r)() }

// Send begins with a keyframe.
func (s *videoSource) Send(ctx context.Context, out *Output) error {
	line := newTimeline()
	defer line.stop()
	run := videoRun{out: out, split: s.split}
	for {
		p, err := s.next(&run)
		if err != nil {
			return untilEOF(err)
		}
		if !run.begun && !p.key {
			continue
		}
		if !line.wait(ctx, run.step(p.at)) {
			return nil
		}
		if err := run.send(p.data); err != nil {
			return err
		}
	}
}

// next is the next picture, from the start of the file again if it is over or the
// far end has asked for a keyframe.
func (s *videoSource) next(run *videoRun) (picture, error) {
	if s.file.seeker == nil || !requested(run.out) {
		p, err := s.reader.picture()
		if err != io.EOF {
			return p, err
		}
	}
	run.cut = true
	if err := s.file.rewind(); err != nil {
		return picture{}, err
	}
	reader, err := s.open(s.file.r)
	if err != nil {
		return picture{}, err
	}
	s.reader = reader
	return reader.picture()
}

// A videoRun is one call of Send: it keeps the time, across repetitions.
type videoRun struct {
	out      *Output
	split    rtp.Payloader
	begun    bool
	cut      bool // the next picture does not follow the one before
	before   time.Duration
	interval time.Duration
	now      time.Duration
	sequence uint16
}

// step moves on to a picture at some time of the file and returns its own time.
func (r *videoRun) step(at time.Duration) time.Duration {
	if r.begun && !r.cut {
		r.interval = max(0, at-r.before)
	}
	if r.begun {
		r.now += r.interval
	}
	r.begun, r.cut, r.before = true, false, at
	return r.now
}

func (r *videoRun) send(frame []byte) error {
	payloads := r.split.Payload(payloadSize, frame)
	for i, payload := range payloads {
		err := r.out.WritePacket(Packet{
			SequenceNumber: r.sequence, Timestamp: uint32(r.now * 9 / (100 * time.Microsecond)),
			Marker: i == len(payloads)-1, Payload: payload,
		})
		if err != nil {
			return err
		}
		r.sequence++
	}
	return nil
}

// requested takes a request for a keyframe, if there is one.
func requested(out *Output) bool {
	select {
	case <-out.KeyframeRequests():
		return true
	default:
		return false
	}
}
