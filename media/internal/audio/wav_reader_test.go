package audio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/iotest"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/google/go-cmp/cmp"
)

func chunk(name string, size uint32, body string) string {
	return name + string(binary.LittleEndian.AppendUint32(nil, size)) + body
}

func riff(size uint32, chunks ...string) string {
	text := "WAVE"
	for _, c := range chunks {
		text += c
	}
	return chunk("RIFF", size, text)
}

func format(code, channels uint16, rate uint32, bits uint16) string {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, code)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate*uint32(channels*bits/8))
	b = le.AppendUint16(b, channels*bits/8)
	b = le.AppendUint16(b, bits)
	return chunk("fmt ", 16, string(b))
}

// extensible is the long form of the format, which names its real code later.
func extensible(code, channels uint16, rate uint32, bits uint16) string {
	le := binary.LittleEndian
	b := []byte(format(0xfffe, channels, rate, bits))[8:]
	b = le.AppendUint16(b, 22)
	b = le.AppendUint16(b, bits)
	b = le.AppendUint32(b, 4)
	b = le.AppendUint16(b, code)
	b = append(b, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
	return chunk("fmt ", 40, string(b))
}

// readWAV reads all samples, a few at a time.
func readWAV(r io.Reader, step int) (w *audio.WAVReader, pcm []int16, err error) {
	w, err = audio.NewWAVReader(r)
	if err != nil {
		return nil, nil, err
	}
	piece := make([]int16, step)
	for {
		n, err := w.Read(piece)
		pcm = append(pcm, piece[:n]...)
		if err != nil {
			return w, pcm, err
		}
	}
}

const fourSamples = "\x01\x00\xff\xff\x00\x80\xff\x7f"

var pcm4 = []int16{1, -1, -32768, 32767}

func TestWAVReaderReads(t *testing.T) {
	mono := format(1, 1, 8000, 16)
	for _, c := range []struct {
		name, file     string
		rate, channels int
		end            error
	}{
		{"a plain file", riff(44, mono, chunk("data", 8, fourSamples)), 8000, 1, io.EOF},
		{"stereo", riff(44, format(1, 2, 44100, 16), chunk("data", 8, fourSamples)), 44100, 2, io.EOF},
		{"the extensible format", riff(68, extensible(1, 2, 48000, 16), chunk("data", 8, fourSamples)), 48000, 2, io.EOF},
		{"chunks before and after", riff(99, chunk("LIST", 3, "abc\x00"), mono, chunk("fact", 4, "1234"),
			chunk("data", 8, fourSamples), chunk("LIST", 4, "more")), 8000, 1, io.EOF},
		{"sizes of a pipe", riff(0xffffffff, mono, chunk("data", 0xffffffff, fourSamples)), 8000, 1, io.EOF},
		{"sizes of another pipe", riff(0x7ffff024, mono, chunk("data", 0x7ffff000, fourSamples)), 8000, 1, io.EOF},
		{"sizes never filled in", riff(0, mono, chunk("data", 0, fourSamples)), 8000, 1, io.EOF},
		{"sizes of the empty beginning", riff(36, mono, chunk("data", 0, fourSamples)), 8000, 1, io.EOF},
		{"a pipe cut in a sample", riff(0, mono, chunk("data", 0, fourSamples+"\x09")), 8000, 1, io.EOF},
		{"an odd size", riff(46, mono, chunk("data", 9, fourSamples+"\x09\x00")), 8000, 1, io.EOF},
		{"a file cut at a sample", riff(64, mono, chunk("data", 28, fourSamples)), 8000, 1, io.ErrUnexpectedEOF},
		{"a file cut in a sample", riff(64, mono, chunk("data", 28, fourSamples+"\x09")), 8000, 1, io.ErrUnexpectedEOF},
		{"a file cut in a frame", riff(64, format(1, 2, 8000, 16), chunk("data", 28, fourSamples+"\x09\x00")), 8000, 2, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{
				bytes.NewReader([]byte(c.file)),
				iotest.OneByteReader(bytes.NewReader([]byte(c.file))),
				iotest.DataErrReader(bytes.NewReader([]byte(c.file))),
			} {
				for _, step := range []int{2, 3, 4, 5, 100} {
					w, pcm, err := readWAV(r, step)
					if w == nil || w.Rate() != c.rate || w.Channels() != c.channels || err != c.end || !cmp.Equal(pcm, pcm4) {
						t.Fatalf("step %d: %+v, %v, %v", step, w, pcm, err)
					}
					if n, err := w.Read(make([]int16, 2)); n != 0 || err != c.end {
						t.Fatalf("then: %d, %v", n, err)
					}
					r = bytes.NewReader([]byte(c.file))
				}
			}
		})
	}
}

func TestWAVReaderKnowsAnEmptySoundFromAnUnfinishedOne(t *testing.T) {
	file := riff(48, format(1, 1, 8000, 16), chunk("data", 0, ""), chunk("LIST", 4, "more"))
	if _, pcm, err := readWAV(bytes.NewReader([]byte(file)), 10); len(pcm) != 0 || err != io.EOF {
		t.Errorf("%v, %v", pcm, err)
	}
}

func TestWAVReaderRefusesOtherFormats(t *testing.T) {
	data := chunk("data", 8, fourSamples)
	for name, file := range map[string]string{
		"not PCM":            riff(44, format(7, 1, 8000, 16), data),
		"floating point":     riff(68, extensible(3, 1, 8000, 16), data),
		"a short extensible": riff(44, format(0xfffe, 1, 8000, 16), data),
		"8 bits":             riff(44, format(1, 1, 8000, 8), data),
		"24 bits":            riff(44, format(1, 1, 8000, 24), data),
		"no channel":         riff(44, format(1, 0, 8000, 16), data),
		"three channels":     riff(44, format(1, 3, 8000, 16), data),
		"no rate":            riff(44, format(1, 1, 0, 16), data),
		"an absurd rate":     riff(44, format(1, 1, 1<<31, 16), data),
		"no format":          riff(44, data),
		"a short format":     riff(44, chunk("fmt ", 4, "1234"), data),
		"an endless format":  riff(44, chunk("fmt ", 1<<31, "1234"), data),
		"big-endian":         "RIFX" + riff(44, format(1, 1, 8000, 16), data)[4:],
		"beyond 4 GiB":       "RF64" + riff(44, format(1, 1, 8000, 16), data)[4:],
		"not a WAV":          "OggS and something else, long enough",
	} {
		_, err := audio.NewWAVReader(bytes.NewReader([]byte(file)))
		var formatError *audio.FormatError
		if !errors.As(err, &formatError) || formatError.Op != "read WAV" || formatError.Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWAVReaderRefusesEveryHeaderThatIsCut(t *testing.T) {
	file := riff(99, chunk("LIST", 3, "abc\x00"), format(1, 1, 8000, 16), chunk("data", 8, ""))
	for n := range len(file) {
		_, err := audio.NewWAVReader(bytes.NewReader([]byte(file[:n])))
		var formatError *audio.FormatError
		if !errors.As(err, &formatError) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if _, err := audio.NewWAVReader(bytes.NewReader([]byte(file))); err != nil {
		t.Errorf("not cut: %v", err)
	}
}

func TestWAVReaderPassesOnTheErrorOfItsFile(t *testing.T) {
	broken := errors.New("broken")
	file := riff(99, chunk("LIST", 3, "abc\x00"), format(1, 1, 8000, 16), chunk("data", 99, fourSamples))
	for n := range len(file) + 1 {
		_, pcm, err := readWAV(io.MultiReader(bytes.NewReader([]byte(file[:n])), iotest.ErrReader(broken)), 3)
		if !errors.Is(err, broken) {
			t.Errorf("broken at %d: %v", n, err)
		}
		if n == len(file) && !cmp.Equal(pcm, pcm4) {
			t.Errorf("the samples before it: %v", pcm)
		}
	}
}

func TestWAVReaderReadsTheTestMedia(t *testing.T) {
	file, err := os.Open("../../../testdata/media/tone440.wav")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, pcm, err := readWAV(file, 320)
	if err != io.EOF || w.Rate() != 16000 || w.Channels() != 1 || len(pcm) != 16000 {
		t.Fatalf("%d samples of %d channels at %d Hz, %v", len(pcm), w.Channels(), w.Rate(), err)
	}
	hz, level := audio.DominantFrequency(pcm[:3200], 16000)
	within(t, "frequency", hz, 440, 0.5)
	within(t, "level", level, -6, 0.1)
}

func TestWAVReaderDoesNotAllocate(t *testing.T) {
	file := riff(0, format(1, 1, 8000, 16), chunk("data", 0, string(make([]byte, 1<<20))))
	w, err := audio.NewWAVReader(bytes.NewReader([]byte(file)))
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 160)
	if n := testing.AllocsPerRun(100, func() { w.Read(pcm) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzWAVReader(f *testing.F) {
	f.Add([]byte(riff(44, format(1, 1, 8000, 16), chunk("data", 8, fourSamples))), 3)
	f.Add([]byte(riff(0, extensible(1, 2, 48000, 16), chunk("LIST", 1, "a\x00"), chunk("data", 0, fourSamples))), 2)
	f.Add([]byte(riff(44, chunk("fmt ", 1<<31, "1234"))), 5)
	f.Fuzz(func(t *testing.T, file []byte, step int) {
		if step < 2 || step > 1000 {
			return
		}
		w, pcm, err := readWAV(bytes.NewReader(file), step)
		if w == nil {
			var formatError *audio.FormatError
			if !errors.As(err, &formatError) {
				t.Fatalf("%v is not a FormatError", err)
			}
			return
		}
		if 2*len(pcm) > len(file) || len(pcm)%w.Channels() != 0 {
			t.Fatalf("%d samples of %d channels from %d bytes", len(pcm), w.Channels(), len(file))
		}
		// What was read can be written and read again.
		var again bytes.Buffer
		out, werr := audio.NewWAVWriter(&again, w.Rate(), w.Channels())
		if werr != nil || out.Write(pcm) != nil {
			t.Fatal(werr)
		}
		if _, same, err := readWAV(&again, 64); err != io.EOF || !cmp.Equal(pcm, same) {
			t.Fatalf("%v: %v became %v", err, pcm, same)
		}
	})
}

func BenchmarkWAVReader(b *testing.B) { // one 20 ms frame at 48 kHz
	file := []byte(riff(0, format(1, 1, 48000, 16), chunk("data", 0, string(make([]byte, 1<<20)))))
	pcm := make([]int16, 960)
	source := bytes.NewReader(file)
	w, err := audio.NewWAVReader(source)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if source.Len() < 1920 {
			source.Reset(file)
		}
		w.Read(pcm)
	}
}

func ExampleWAVReader() {
	var file bytes.Buffer
	out, err := audio.NewWAVWriter(&file, 16000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	out.Write([]int16{1, 2, 3})

	in, err := audio.NewWAVReader(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	pcm := make([]int16, 320)
	n, err := in.Read(pcm)
	fmt.Println(in.Rate(), in.Channels(), pcm[:n], err)
	_, err = in.Read(pcm)
	fmt.Println(err)
	// Output:
	// 16000 1 [1 2 3] <nil>
	// EOF
}
