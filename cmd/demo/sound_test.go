package main

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// sine is a tone at a level in dBFS.
func sine(hz, dBFS float64, length time.Duration) sound {
	s := make(sound, length*soundRate/time.Second)
	for i := range s {
		s[i] = int16(math.Round(32767 * math.Pow(10, dBFS/20) * math.Sin(2*math.Pi*hz*float64(i)/soundRate)))
	}
	return s
}

func TestSoundIsMeasured(t *testing.T) {
	for _, c := range []struct{ hz, dBFS float64 }{{440, 0}, {440, -20}, {1000, -50}} {
		s := sine(c.hz, c.dBFS, 500*time.Millisecond)
		if level := s.level(); math.Abs(level-c.dBFS) > 0.1 {
			t.Errorf("%.0f Hz at %.0f dBFS has a level of %.2f", c.hz, c.dBFS, level)
		}
		if hz := s.pitch(); math.Abs(hz-c.hz) > 2 {
			t.Errorf("%.0f Hz at %.0f dBFS has a pitch of %.1f", c.hz, c.dBFS, hz)
		}
	}
	if level := make(sound, 320).level(); level > silence {
		t.Errorf("silence has a level of %.1f", level)
	}
}

func TestLoudestPartIsFoundWhereverItIs(t *testing.T) {
	quiet, loud := make(sound, soundRate), sine(440, -20, time.Second)
	s := append(append(append(sound(nil), quiet...), loud...), quiet...)
	if got := s.loudest(time.Second); math.Abs(got+20) > 0.5 {
		t.Errorf("loudest second at %.1f dBFS, want -20", got)
	}
	if got := s[:100].loudest(time.Second); got > silence {
		t.Errorf("a sound shorter than a second is at %.1f dBFS", got)
	}
}

// A file that a player would refuse, or cut short, is refused.
func TestRecordingMustBeWhole(t *testing.T) {
	le, path := binary.LittleEndian, filepath.Join(t.TempDir(), "a.wav")
	whole := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"+
		"\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00"), 1, 0, 2, 0)
	le.PutUint32(whole[4:], uint32(len(whole)-8))
	for name, c := range map[string]struct {
		spoil func(b []byte) []byte
		ok    bool
	}{
		"whole":           {func(b []byte) []byte { return b }, true},
		"empty":           {func(b []byte) []byte { return nil }, false},
		"cut short":       {func(b []byte) []byte { return b[:len(b)-2] }, false},
		"header not kept": {func(b []byte) []byte { le.PutUint32(b[40:], 0); return b }, false},
		"other rate":      {func(b []byte) []byte { le.PutUint32(b[24:], 8000); return b }, false},
		"no WAV":          {func(b []byte) []byte { copy(b, "OggS"); return b }, false},
	} {
		if err := os.WriteFile(path, c.spoil(append([]byte(nil), whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := readRecording(path)
		if (err == nil) != c.ok || c.ok && (len(s) != 2 || s[1] != 2) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}
