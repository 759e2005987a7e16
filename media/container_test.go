package media

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOggPacketsOfAnySizeComeBack(t *testing.T) {
	var file bytes.Buffer
	w, err := newOggWriter(&file, 7, 1)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]byte
	for _, size := range []int{1, 254, 255, 256, 509, 510, 511, 1275, 7000} {
		packet := bytes.Repeat([]byte{byte(size)}, size)
		want = append(want, packet)
		if err := w.write(packet, 960); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.write(make([]byte, oggPacket), 960); err == nil {
		t.Error("a packet that no page can hold was taken")
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 1} { // a file that was cut short ends with its last whole packet
		r, err := newOggReader(bytes.NewReader(file.Bytes()[:file.Len()-cut*40]))
		if err != nil {
			t.Fatal(err)
		}
		var got [][]byte
		for {
			packet, err := r.packet()
			if err != nil {
				if err != io.EOF {
					t.Error(err)
				}
				break
			}
			got = append(got, packet)
		}
		if diff := cmp.Diff(want[:len(want)-cut], got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFilesThatAreNoneAreRefused(t *testing.T) {
	for name, data := range map[string]string{"empty": "", "text": "this is a text, and a long one at that, is it not", "zeros": string(make([]byte, 100))} {
		if _, err := newOggReader(bytes.NewReader([]byte(data))); err == nil {
			t.Errorf("%s is an Ogg file", name)
		}
		if _, err := newIVFReader(bytes.NewReader([]byte(data))); !errors.Is(err, errNotIVF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOgg(f *testing.F) {
	file, err := os.ReadFile("../testdata/media/speech.ogg")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file[:2000])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := newOggReader(bytes.NewReader(b))
		for total := 0; err == nil; {
			var packet []byte
			packet, err = r.packet()
			if total += len(packet); total > len(b) {
				t.Fatal("more came out than went in")
			}
		}
	})
}

func FuzzIVF(f *testing.F) {
	file, err := os.ReadFile("../testdata/media/pattern.ivf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file[:3000])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := newIVFReader(bytes.NewReader(b))
		for err == nil {
			_, err = r.picture()
		}
	})
}

func FuzzKeyframe(f *testing.F) {
	f.Add([]byte{0x90, 0x80, 0x80, 1, 0})
	f.Add([]byte{24, 0, 1, 0x65})
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, name := range []string{VP8, VP9, H264} {
			startsKeyframe(Codec{Name: name}, payload)
		}
	})
}
