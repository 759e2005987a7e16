package audio

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
)

const wavHeaderSize = 44

// A WAVWriter writes a WAV file of 16-bit PCM that is whole at any moment, even
// if the process is killed: samples go straight to the file, and where the file
// can be rewound the header follows within 20 ms of sound. Elsewhere, as in a
// pipe, the header says once that the sound reaches to the end.
type WAVWriter struct {
	w              io.Writer
	seeker         io.Seeker // nil in a pipe
	start          int64     // where in the file the header is
	rate, channels int
	size           int64 // bytes of samples in the file
	stated         int64 // what the header in the file says
	buf            []byte
	head           [wavHeaderSize]byte
	closed         bool
}

// NewWAVWriter writes a header for PCM at rate with one or two channels and
// returns a writer of samples. If w is an [io.Seeker] that can seek, the file
// begins where w is now; it must not be open for appending. The caller closes w
// after the writer. It returns a [*FormatError], or the error of w.
func NewWAVWriter(w io.Writer, rate, channels int) (*WAVWriter, error) {
	if rate <= 0 || rate > maxRate || channels < 1 || channels > 2 {
		return nil, formatErrorf("write WAV", "%d channels at %d Hz", channels, rate)
	}
	v := &WAVWriter{w: w, rate: rate, channels: channels}
	if s, ok := w.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			v.seeker, v.start = s, at
		}
	}
	_, err := w.Write(v.header())
	if err != nil {
		return nil, err
	}
	return v, nil
}

// header describes the file as it is now.
func (w *WAVWriter) header() []byte {
	size := uint32(math.MaxUint32)
	if w.seeker != nil {
		size = uint32(min(w.size, math.MaxUint32))
	}
	frame := 2 * w.channels
	le := binary.LittleEndian
	b := append(w.head[:0], "RIFF"...)
	b = le.AppendUint32(b, uint32(min(uint64(size)+wavHeaderSize-chunkHeader, math.MaxUint32)))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, formatPCM)
	b = le.AppendUint16(b, uint16(w.channels))
	b = le.AppendUint32(b, uint32(w.rate))
	b = le.AppendUint32(b, uint32(w.rate*frame))
	b = le.AppendUint16(b, uint16(frame))
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	return le.AppendUint32(b, size)
}

// Write appends samples, whole frames of them, to the file. If the file takes
// only a part of them, it is whole as far as it got. After Close it returns
// [os.ErrClosed].
func (w *WAVWriter) Write(pcm []int16) error {
	if w.closed {
		return os.ErrClosed
	}
	if len(pcm)%w.channels != 0 {
		return formatErrorf("write WAV", "%d samples are not whole frames of %d", len(pcm), w.channels)
	}
	w.buf = w.buf[:0]
	for _, s := range pcm {
		w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(s))
	}
	n, err := w.w.Write(w.buf)
	w.size += int64(n - n%(2*w.channels))
	if fresh := w.size - w.stated; err != nil || fresh >= int64(2*w.channels*w.rate/50) {
		err = errors.Join(err, w.restate())
	}
	return err
}

// restate brings the header up to date and goes back to the end of the last whole
// frame.
func (w *WAVWriter) restate() error {
	if w.seeker == nil {
		return nil
	}
	if _, err := w.seeker.Seek(w.start, io.SeekStart); err != nil {
		return err
	}
	_, err := w.w.Write(w.header())
	if err == nil {
		w.stated = w.size
	}
	_, back := w.seeker.Seek(w.start+wavHeaderSize+w.size, io.SeekStart)
	return errors.Join(err, back)
}

// Sync brings the header up to date to the last sample, and if the file has a
// Sync method, as [os.File] does, has it on the disk when it returns.
func (w *WAVWriter) Sync() error {
	err := w.restate()
	if f, ok := w.w.(interface{ Sync() error }); ok && w.seeker != nil {
		err = errors.Join(err, f.Sync())
	}
	return err
}

// Close brings the header up to date and refuses further samples. It leaves the
// file open. A second Close does nothing and returns nil.
func (w *WAVWriter) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	return w.restate()
}
