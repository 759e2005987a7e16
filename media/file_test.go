package media_test

import (
	"bytes"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/internal/audio"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

const testMedia = "../testdata/media/"

func openFile(t testing.TB, name string) *os.File {
	t.Helper()
	file, err := os.Open(testMedia + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() }) // usually closed already
	return file
}

// buffer is a file in memory that says whether it was closed.
type buffer struct {
	bytes.Buffer
	closed bool
}

func (b *buffer) Close() error {
	b.closed = true
	return nil
}

func TestOpusFilePassesThroughAndIsHeard(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		source, err := media.NewOggSource(openFile(t, "speech.ogg"), nil)
		if err != nil {
			t.Fatal(err)
		}
		heard := newRecording()
		ended := make(chan media.Kind, 1)
		_, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: source, OnSourceEnd: func(k media.Kind) { ended <- k }},
			media.LegConfig{Directions: audioOnly, AudioSink: heard.sink(t, 16000, 1)})
		<-ended
		time.Sleep(200 * time.Millisecond) // the last of it arrives
		pcm := heard.snapshot()
		if got := callee.Stats().Audio; got.ReceiveCodec != "opus/48000/2" || got.PacketsLost != 0 {
			t.Errorf("stats %+v", got)
		}
		want := decodeOgg(t, testMedia+"speech.ogg", 16000)
		if !contains(pcm, want) {
			t.Error("what is heard is not what the file holds, sample by sample")
		}
		isSilent(t, pcm[len(pcm)-320:])
	})
}

// decodeOgg decodes a file without a network between.
func decodeOgg(t *testing.T, name string, rate int) (pcm []int16) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder, err := audio.NewOpusDecoder(rate, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, packet := range oggPackets(t, file) {
		part, err := decoder.Decode(packet)
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(pcm, part...)
	}
	return pcm
}

// contains looks for samples among others.
func contains(all, part []int16) bool {
	for i := 0; i+len(part) <= len(all); i++ {
		if all[i] == part[0] && slices.Equal(all[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

func isSilent(t *testing.T, pcm []int16) {
	t.Helper()
	if level := audio.Level(pcm); level != audio.SilenceLevel {
		t.Errorf("%.1f dBFS are not silence", level)
	}
}

// oggPackets takes a file apart without the code under test.
func oggPackets(t *testing.T, r io.Reader) (packets [][]byte) {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var packet []byte
	for len(b) > 0 {
		count := int(b[26])
		sizes, body := b[27:27+count], b[27+count:]
		for _, size := range sizes {
			packet = append(packet, body[:size]...)
			body = body[size:]
			if size < 255 {
				packets = append(packets, packet)
				packet = nil
			}
		}
		b = body
	}
	return packets[2:]
}

func TestOpusToneIsHeardAtItsFrequencyAndLevel(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		file, err := os.ReadFile("internal/audio/testdata/opus/celt-fb-20.ogg") // 440 Hz at -6 dBFS
		if err != nil {
			t.Fatal(err)
		}
		source, err := media.NewOggSource(bytes.NewReader(file), &media.FileOptions{Loop: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, rate := range []int{16000, 44100, 48000} {
			heard := newRecording()
			caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: source},
				media.LegConfig{Directions: audioOnly, AudioSink: heard.sink(t, rate, 2)})
			time.Sleep(2 * time.Second)
			pcm := heard.snapshot()
			mono := make([]int16, len(pcm)/2)
			for i := range mono {
				mono[i] = pcm[2*i]
			}
			isTone(t, mono, rate, 440, -6)
			_, _ = caller.Close(), callee.Close()
		}
	})
}

func TestOpusRecordingIsAsLongAsTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		source, err := media.NewOggSource(openFile(t, "speech.ogg"), &media.FileOptions{Loop: true})
		if err != nil {
			t.Fatal(err)
		}
		file := &buffer{}
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: source},
			media.LegConfig{Directions: audioOnly, AudioSink: media.NewOggSink(file)})
		start := time.Now()
		time.Sleep(5 * time.Second)
		caller.Mute(media.KindAudio, true)
		time.Sleep(5 * time.Second)
		caller.Mute(media.KindAudio, false)
		caller.SetDirections(media.Directions{})
		time.Sleep(3333 * time.Millisecond)
		caller.SetDirections(audioOnly)
		time.Sleep(2 * time.Second)
		if err := callee.Close(); err != nil {
			t.Error(err)
		}
		took := time.Since(start)
		if !file.closed {
			t.Error("the file is not closed")
		}
		length := oggLength(t, file.Bytes())
		if d := took - length; d < -20*time.Millisecond || d > 20*time.Millisecond {
			t.Errorf("the file lasts %v, the call %v", length, took)
		}
	})
}

// oggLength has pion read a file, with its checksums, and adds up what it holds.
func oggLength(t *testing.T, file []byte) time.Duration {
	t.Helper()
	reader, err := oggreader.NewWithOptions(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var length time.Duration
	var granule uint64
	for i := 0; ; i++ {
		payload, header, err := reader.ParseNextPage()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		granule = header.GranulePosition
		if i < 2 || len(payload) == 0 {
			continue
		}
		d, err := audio.PacketDuration(payload)
		if err != nil {
			t.Fatal(err)
		}
		length += d
	}
	if want := time.Duration(granule) * time.Second / 48000; length != want {
		t.Errorf("the file says it lasts %v and holds %v", want, length)
	}
	return length
}
