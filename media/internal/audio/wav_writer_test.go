package audio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/google/go-cmp/cmp"
)

func createWAV(t testing.TB, rate, channels int) (*audio.WAVWriter, *os.File) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "test.wav"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	w, err := audio.NewWAVWriter(file, rate, channels)
	if err != nil {
		t.Fatal(err)
	}
	return w, file
}

// onDisk reads the file as another program would at this moment and checks that
// its sizes are those of its contents.
func onDisk(t testing.TB, file *os.File) []int16 {
	t.Helper()
	b, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if size := binary.LittleEndian.Uint32(b[4:]); int(size) != len(b)-8 {
		t.Errorf("the file has %d bytes, its header says %d", len(b), size+8)
	}
	if size := binary.LittleEndian.Uint32(b[40:]); int(size) != len(b)-44 {
		t.Errorf("the samples have %d bytes, the header says %d", len(b)-44, size)
	}
	_, pcm, err := readWAV(bytes.NewReader(b), 100)
	if err != io.EOF {
		t.Error(err)
	}
	return pcm
}

func TestWAVFileIsWholeAfterEveryFrame(t *testing.T) {
	w, file := createWAV(t, 8000, 1)
	if got := onDisk(t, file); len(got) != 0 {
		t.Fatalf("%v in a new file", got)
	}
	want := sine(8000, 440, -6, 1600)
	for i := 160; i <= len(want); i += 160 {
		if err := w.Write(want[i-160 : i]); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[:i], onDisk(t, file)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestWAVHeaderIsNeverMoreThan20MillisecondsBehind(t *testing.T) {
	w, file := createWAV(t, 8000, 2)
	for i := range 1000 {
		if err := w.Write(make([]int16, 2)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		stated := int(binary.LittleEndian.Uint32(b[40:])) / 4
		if written := i + 1; stated > written || written-stated >= 160 {
			t.Fatalf("the header says %d of %d frames", stated, written)
		}
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := onDisk(t, file); len(got) != 2000 {
		t.Errorf("%d samples after Sync", len(got))
	}
}

func TestWAVWriterCloseIsIdempotentAndFinal(t *testing.T) {
	w, file := createWAV(t, 48000, 2)
	if err := w.Write(pcm4); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(pcm4); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	if diff := cmp.Diff(pcm4, onDisk(t, file)); diff != "" {
		t.Error(diff)
	}
	if _, err := file.Write([]byte("x")); err != nil {
		t.Errorf("the file is not open any more: %v", err)
	}
}

func TestWAVWriterStatesItsFormat(t *testing.T) {
	w, file := createWAV(t, 44100, 2)
	if err := errors.Join(w.Write(pcm4), w.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	want := riff(44, format(1, 2, 44100, 16), chunk("data", 8, fourSamples))
	if diff := cmp.Diff([]byte(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestWAVWriterToAPipeNeedsNoSeek(t *testing.T) {
	var buf bytes.Buffer
	r, pipe, err := os.Pipe() // has a Seek method, which fails
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, to := range []io.Writer{&buf, pipe} {
		w, err := audio.NewWAVWriter(to, 8000, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(pcm4), w.Sync(), w.Write(pcm4), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	pipe.Close()
	for _, from := range []io.Reader{&buf, r} {
		_, pcm, err := readWAV(from, 3)
		if diff := cmp.Diff(append(pcm4[:4:4], pcm4...), pcm); diff != "" || err != io.EOF {
			t.Error(err, diff)
		}
	}
}

func TestWAVWriterBeginsWhereTheFileIs(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "test"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	file.WriteString("before")
	w, err := audio.NewWAVWriter(file, 8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(pcm4), w.Close()); err != nil {
		t.Fatal(err)
	}
	file.WriteString("after")
	got, _ := os.ReadFile(file.Name())
	want := "before" + riff(44, format(1, 1, 8000, 16), chunk("data", 8, fourSamples)) + "after"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestWAVWriterRefusesWhatIsNoWAV(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {-1, 1}, {8000, 0}, {8000, 3}, {1 << 30, 1}} {
		var format *audio.FormatError
		var buf bytes.Buffer
		if _, err := audio.NewWAVWriter(&buf, c[0], c[1]); !errors.As(err, &format) || buf.Len() != 0 {
			t.Errorf("%v: %v, %d bytes", c, err, buf.Len())
		}
	}
	w, file := createWAV(t, 8000, 2)
	var format *audio.FormatError
	if err := w.Write(make([]int16, 3)); !errors.As(err, &format) {
		t.Errorf("half a frame: %v", err)
	}
	if got := onDisk(t, file); len(got) != 0 {
		t.Errorf("half a frame was written: %v", got)
	}
}

// fullDisk takes room bytes and then nothing more, except over what is there.
type fullDisk struct {
	room int
	data []byte
	at   int
}

var errFull = errors.New("no space left")

func (d *fullDisk) Seek(to int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		d.at = int(to)
	}
	return int64(d.at), nil
}

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(len(b), d.room-d.at)
	if d.at+n > len(d.data) {
		d.data = append(d.data, make([]byte, d.at+n-len(d.data))...)
	}
	copy(d.data[d.at:], b[:n])
	d.at += n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestWAVFileIsWholeOnAFullDisk(t *testing.T) {
	disk := &fullDisk{room: 44 + 2*100 + 1}
	w, err := audio.NewWAVWriter(disk, 8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := sine(8000, 440, 0, 160)
	if err := w.Write(want); !errors.Is(err, errFull) {
		t.Errorf("Write: %v", err)
	}
	_, pcm, err := readWAV(bytes.NewReader(disk.data), 7)
	if diff := cmp.Diff(want[:100], pcm); diff != "" || err != io.EOF {
		t.Error(err, diff)
	}
	disk.room += 1000
	if err := errors.Join(w.Write(want[100:]), w.Close()); err != nil {
		t.Fatal(err)
	}
	_, pcm, err = readWAV(bytes.NewReader(disk.data), 7)
	if diff := cmp.Diff(want, pcm); diff != "" || err != io.EOF {
		t.Error("after room was made:", err, diff)
	}
}

func TestWAVWriterReportsAFileThatTakesNothing(t *testing.T) {
	if w, err := audio.NewWAVWriter(&fullDisk{}, 8000, 1); !errors.Is(err, errFull) || w != nil {
		t.Errorf("%v, %v", w, err)
	}
}

func BenchmarkWAVWriter(b *testing.B) { // one 20 ms frame at 48 kHz
	file, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	w, err := audio.NewWAVWriter(file, 48000, 1)
	if err != nil {
		b.Fatal(err)
	}
	pcm := make([]int16, 960)
	b.ReportAllocs()
	for b.Loop() {
		w.Write(pcm)
	}
}

func ExampleWAVWriter() {
	var file bytes.Buffer // an *os.File gets a header with the true length
	w, err := audio.NewWAVWriter(&file, 8000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Write([]int16{1, 2, 3, 4})
	fmt.Println(w.Close(), file.Len())
	// Output: <nil> 52
}
