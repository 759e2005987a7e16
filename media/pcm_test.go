package media_test

import (
	"errors"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// A keptEncoder stands for Opus: it keeps what it is given.
type keptEncoder struct {
	channels int
	mu       sync.Mutex
	pcm      []int16
	sizes    map[int]bool
}

func (e *keptEncoder) Encode(packet []byte, pcm []int16) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pcm = append(e.pcm, pcm...)
	e.sizes[len(pcm)] = true
	return append(packet, 0xfc, 0xff, 0xfe), nil
}

func TestPCMIsEncodedToOpusIfThereIsAnEncoder(t *testing.T) {
	for channels := 1; channels <= 2; channels++ {
		inBubble(t, func(t *testing.T, n *network) {
			kept := &keptEncoder{sizes: map[int]bool{}}
			speaker := newSpeaker(t, media.SpeakerConfig{Rate: 24000, Channels: channels})
			got := newPackets()
			play(t, speaker, interleave(sine(24000, time.Second), channels))
			caller, _ := pairIn(t, n,
				media.LegConfig{Directions: audioOnly, AudioSource: speaker, OpusEncoder: func(channels int) (media.Encoder, error) {
					kept.channels = channels
					return kept, nil
				}},
				media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
			time.Sleep(time.Second)
			if err := caller.Close(); err != nil {
				t.Error(err)
			}
			if kept.channels != channels || len(kept.sizes) != 1 || !kept.sizes[960*channels] {
				t.Errorf("an encoder of %d channels was given frames of %v samples", kept.channels, kept.sizes)
			}
			isTone(t, one(kept.pcm, channels)[:40000], 48000, 440, -12)
			if p := got.await(t, 40)[20]; !p.Codec.Is(media.Opus) {
				t.Error(p.Codec)
			}
		})
	}
}

func interleave(mono []int16, channels int) (pcm []int16) {
	for _, s := range mono {
		for range channels {
			pcm = append(pcm, s)
		}
	}
	return pcm
}

// one is the last channel.
func one(pcm []int16, channels int) (mono []int16) {
	for i := channels - 1; i < len(pcm); i += channels {
		mono = append(mono, pcm[i])
	}
	return mono
}

func TestStereoIsMixedForATelephoneAndBack(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		left := sine(16000, time.Second)
		pcm := interleave(left, 2)
		for i := 1; i < len(pcm); i += 2 {
			pcm[i] = 0 // nothing on the right
		}
		speaker := newSpeaker(t, media.SpeakerConfig{Channels: 2})
		play(t, speaker, pcm)
		heard := newRecording()
		pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: speaker},
			media.LegConfig{Directions: audioOnly, AudioSink: heard.sink(t, 16000, 2)})
		time.Sleep(time.Second)
		both := heard.snapshot()[:24000]
		isTone(t, one(both, 2), 16000, 440, -18)
		for i := 0; i < len(both); i += 2 {
			if both[i] != both[i+1] {
				t.Fatal("left and right differ")
			}
		}
	})
}

func TestFormatsAndFilesThatCannotBe(t *testing.T) {
	text := func() io.Reader { return strings.NewReader("not a file of any kind, but long enough for a header") }
	pipe, _ := io.Pipe()
	file := func(name string) io.Reader { return openFile(t, name) }
	once := func(name string) io.Reader { return io.MultiReader(openFile(t, name)) }
	loop := &media.FileOptions{Loop: true}
	for name, make := range map[string]func() error{
		"rate of sink":      func() error { _, err := media.NewPCMSink(8001, 1, nil); return err },
		"channels of sink":  func() error { _, err := media.NewPCMSink(8000, 3, nil); return err },
		"rate of writer":    func() error { _, err := media.NewPCMWriter(io.Discard, 1, 1); return err },
		"rate of WAV":       func() error { _, err := media.NewWAVSink(io.Discard, 1, 1); return err },
		"rate of listener":  func() error { _, err := media.NewListener(7000, 1); return err },
		"rate of speaker":   func() error { _, err := media.NewSpeaker(media.SpeakerConfig{Rate: 1}); return err },
		"buffer of speaker": func() error { _, err := media.NewSpeaker(media.SpeakerConfig{Buffer: 1}); return err },
		"rate of function":  func() error { _, err := media.NewPCMFunc(200000, 1, nil); return err },
		"rate of reader":    func() error { _, err := media.NewPCMReader(pipe, 0o7, 1); return err },
		"tone":              func() error { _, err := media.NewTone(5000, -20); return err },
		"no tone":           func() error { _, err := media.NewTone(math.NaN(), -20); return err },
		"loud tone":         func() error { _, err := media.NewTone(440, 1); return err },
		"no Ogg":            func() error { _, err := media.NewOggSource(text(), nil); return err },
		"no IVF":            func() error { _, err := media.NewIVFSource(text(), nil); return err },
		"no WAV":            func() error { _, err := media.NewWAVSource(text(), nil); return err },
		"no H.264":          func() error { _, err := media.NewH264Source(text(), nil); return err },
		"no frame rate": func() error {
			_, err := media.NewH264Source(file("pattern.h264"), &media.FileOptions{FrameRate: -1})
			return err
		},
		"Ogg once":   func() error { _, err := media.NewOggSource(once("speech.ogg"), loop); return err },
		"IVF once":   func() error { _, err := media.NewIVFSource(once("pattern.ivf"), loop); return err },
		"WAV once":   func() error { _, err := media.NewWAVSource(once("tone440.wav"), loop); return err },
		"H.264 once": func() error { _, err := media.NewH264Source(once("pattern.h264"), loop); return err },
	} {
		var config *errs.ConfigError
		if err := make(); !errors.As(err, &config) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiskThatIsFullEndsTheRecordingAndNotTheLeg(t *testing.T) {
	for name, make := range map[string]func(io.Writer) media.Sink{
		"WAV": func(w io.Writer) media.Sink { s, _ := media.NewWAVSink(w, 8000, 1); return s },
		"PCM": func(w io.Writer) media.Sink { s, _ := media.NewPCMWriter(w, 8000, 1); return s },
		"Ogg": func(w io.Writer) media.Sink { return media.NewOggSink(w) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				reported := newErrors()
				disk := &fullDisk{room: 5000}
				_, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly},
					media.LegConfig{Directions: audioOnly, AudioSink: make(disk), OnError: reported.note})
				time.Sleep(5 * time.Second)
				if err := reported.only(t); !errors.Is(err, errFull) {
					t.Error(err)
				}
				if got := callee.Stats().Audio.PacketsReceived; got < 240 || callee.State() != media.StateConnected {
					t.Errorf("%d packets", got)
				}
				if err := callee.Close(); !errors.Is(err, errFull) {
					t.Error(err)
				}
			})
		})
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{ room int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

type noted struct{ c chan error }

func newErrors() noted         { return noted{make(chan error, 100)} }
func (e noted) note(err error) { e.c <- err }

func (e noted) only(t *testing.T) error {
	t.Helper()
	if len(e.c) != 1 {
		t.Fatalf("%d errors", len(e.c))
	}
	return <-e.c
}
