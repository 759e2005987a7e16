package audio

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

const (
	opReadWAV = "read WAV"

	formatPCM        = 1
	formatExtensible = 0xfffe

	// A size from here up stands for "to the end": programs that write to a pipe
	// put 0xffffffff there, or a round number just below 2 or 4 GiB.
	streamingSize = 0x7ffff000
	toTheEnd      = math.MaxInt64
	maxRate       = 768000
	chunkHeader   = 8
	maxFormat     = 1 << 10 // bytes of the fmt chunk; 40 is the longest in use
)

// A WAVReader reads the samples of a WAV file: 16-bit PCM, mono or stereo.
// Chunks that it does not know are skipped. Where the header does not know how
// long the sound is, as in one written to a pipe, it reads to the end.
type WAVReader struct {
	r              io.Reader
	rate, channels int
	left           int64 // bytes of samples, or toTheEnd
	buf            []byte
	err            error // what every further Read returns
}

// NewWAVReader reads the header of a WAV file up to its samples. It returns a
// [*FormatError] for anything but 16-bit PCM, mono or stereo; an error of r as it
// is, or inside a FormatError where r ends before the samples begin.
func NewWAVReader(r io.Reader) (*WAVReader, error) {
	w := &WAVReader{r: r}
	var riff [12]byte
	if err := w.header(riff[:]); err != nil {
		return nil, err
	}
	if string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return nil, formatErrorf(opReadWAV, "not a RIFF WAVE file")
	}
	at := int64(len(riff))
	for {
		var chunk [chunkHeader]byte
		if err := w.header(chunk[:]); err != nil {
			return nil, err
		}
		size := binary.LittleEndian.Uint32(chunk[4:])
		at += chunkHeader
		if string(chunk[:4]) == "data" {
			return w, w.begin(size, int64(binary.LittleEndian.Uint32(riff[4:]))+chunkHeader > at)
		}
		if err := w.chunk(string(chunk[:4]), int64(size)); err != nil {
			return nil, err
		}
		at += int64(size) + int64(size&1)
	}
}

// header fills b. A file that ends here has no samples at all.
func (w *WAVReader) header(b []byte) error {
	_, err := io.ReadFull(w.r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &FormatError{Op: opReadWAV, Reason: "the file ends before its samples", OriginalError: io.ErrUnexpectedEOF}
	}
	return err
}

// chunk reads the format or skips what else there is before the samples. Chunks
// begin at even places.
func (w *WAVReader) chunk(name string, size int64) error {
	padded := size + size&1
	if name != "fmt " {
		n, err := io.CopyN(io.Discard, w.r, padded)
		if err == io.EOF && n < padded {
			return w.header(make([]byte, 1)) // says that the file has ended
		}
		return err
	}
	if size < 16 || size > maxFormat {
		return formatErrorf(opReadWAV, "a format chunk of %d bytes", size)
	}
	b := make([]byte, padded)
	if err := w.header(b); err != nil {
		return err
	}
	return w.format(b)
}

func (w *WAVReader) format(b []byte) error {
	code := binary.LittleEndian.Uint16(b)
	channels := int(binary.LittleEndian.Uint16(b[2:]))
	rate := binary.LittleEndian.Uint32(b[4:])
	depth := binary.LittleEndian.Uint16(b[14:])
	if code == formatExtensible && len(b) >= 26 {
		code = binary.LittleEndian.Uint16(b[24:]) // the head of the subformat
	}
	switch {
	case code != formatPCM:
		return formatErrorf(opReadWAV, "the samples are in format %#x, not PCM", code)
	case depth != 16:
		return formatErrorf(opReadWAV, "the samples have %d bits, not 16", depth)
	case channels != 1 && channels != 2:
		return formatErrorf(opReadWAV, "%d channels, not one or two", channels)
	case rate == 0 || rate > maxRate:
		return formatErrorf(opReadWAV, "a rate of %d Hz", rate)
	}
	w.rate, w.channels = int(rate), channels
	return nil
}

// begin takes the size of the samples. A size of zero is meant when more chunks
// follow, and a header that nobody finished when not.
func (w *WAVReader) begin(size uint32, moreFollows bool) error {
	if w.channels == 0 {
		return formatErrorf(opReadWAV, "the samples come before their format")
	}
	w.left = int64(size)
	if size >= streamingSize || size == 0 && !moreFollows {
		w.left = toTheEnd
	}
	return nil
}

// Rate is the sampling rate in Hz.
func (w *WAVReader) Rate() int { return w.rate }

// Channels is 1 or 2.
func (w *WAVReader) Channels() int { return w.channels }

// Read waits until pcm is full, as far as whole frames fit, or the samples end,
// and returns how many samples there are. After the last it returns 0 and
// [io.EOF], or [io.ErrUnexpectedEOF] if the header promised more. It returns
// samples or an error, never both, and the same error from then on.
func (w *WAVReader) Read(pcm []int16) (int, error) {
	frame := int64(2 * w.channels)
	want := min(int64(len(pcm)/w.channels)*frame, w.left-w.left%frame)
	if len(pcm) < w.channels {
		return 0, nil
	}
	if want == 0 && w.err == nil {
		w.err = io.EOF
	}
	if w.err != nil {
		return 0, w.err
	}
	if int64(cap(w.buf)) < want {
		w.buf = make([]byte, want)
	}
	n, err := io.ReadFull(w.r, w.buf[:want])
	if err != nil {
		w.err = w.ended(err)
	}
	n -= n % int(frame)
	if w.left != toTheEnd {
		w.left -= int64(n)
	}
	for i := range n / 2 {
		pcm[i] = int16(binary.LittleEndian.Uint16(w.buf[2*i:]))
	}
	if n == 0 {
		return 0, w.err
	}
	return n / 2, nil
}

// ended turns the error of a read that was cut short into that of the file.
func (w *WAVReader) ended(err error) error {
	switch {
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return err
	case w.left == toTheEnd:
		return io.EOF
	default:
		return io.ErrUnexpectedEOF
	}
}
