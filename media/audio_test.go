package media_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/media/internal/audio"
)

// recording collects samples.
type recording struct {
	mu  sync.Mutex
	pcm []int16
}

func newRecording() *recording { return &recording{} }

func (r *recording) add(pcm []int16) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pcm = append(r.pcm, pcm...)
	return nil
}

func (r *recording) snapshot() []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]int16(nil), r.pcm...)
}

func (r *recording) sink(t testing.TB, rate, channels int) *media.PCMSink {
	t.Helper()
	sink, err := media.NewPCMSink(rate, channels, r.add)
	if err != nil {
		t.Fatal(err)
	}
	return sink
}

func tone(t testing.TB, hz, dBFS float64) media.Source {
	t.Helper()
	source, err := media.NewTone(hz, dBFS)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// isTone measures half a second of sound.
func isTone(t testing.TB, pcm []int16, rate int, hz, dBFS float64) {
	t.Helper()
	gotHz, got := audio.DominantFrequency(pcm[len(pcm)-rate/2:], rate)
	if math.Abs(gotHz-hz) > 5 || math.Abs(got-dBFS) > 1 {
		t.Errorf("%.1f Hz at %.1f dBFS, want %.1f at %.1f", gotHz, got, hz, dBFS)
	}
}

func TestToneIsHeardAtItsFrequencyAndLevel(t *testing.T) {
	for _, codec := range []string{media.PCMU, media.PCMA} {
		for _, rate := range []int{8000, 16000, 24000, 48000} {
			t.Run(fmt.Sprint(codec, rate), func(t *testing.T) {
				inBubble(t, func(t *testing.T, n *network) {
					heard := newRecording()
					caller, callee := pairIn(t, n,
						media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 440, -12), CodecPreferences: []string{codec}},
						media.LegConfig{Directions: audioOnly, AudioSink: heard.sink(t, rate, 1), CodecPreferences: []string{codec}})
					time.Sleep(2 * time.Second)
					isTone(t, heard.snapshot(), rate, 440, -12)
					stats := callee.Stats().Audio
					if stats.ReceiveCodec != codec+"/8000" || math.Abs(stats.ReceiveLevel+12) > 1 || stats.PacketsLost != 0 {
						t.Errorf("stats: %+v", stats)
					}
					if got := caller.Stats().Audio; got.SendCodec != codec+"/8000" || math.Abs(got.SendLevel+12) > 0.5 {
						t.Errorf("stats of the caller: %+v", got)
					}
				})
			})
		}
	}
}

func TestMuteIsSilenceAndTheStreamGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		speech, err := media.NewOggSource(openFile(t, "speech.ogg"), &media.FileOptions{Loop: true})
		if err != nil {
			t.Fatal(err)
		}
		for name, test := range map[string]struct {
			source media.Source
			quiet  []byte
			ticks  uint32
		}{
			"PCM":     {tone(t, 440, -6), bytes.Repeat([]byte{0xff}, 160), 160},
			"packets": {speech, []byte{0xf8, 0xff, 0xfe}, 960},
		} {
			caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: test.source},
				media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
			before := len(got.snapshot())
			for range 3 {
				caller.Mute(media.KindAudio, true)
				time.Sleep(200 * time.Millisecond)
				synctest.Wait() // the last packet has arrived
				if all := got.snapshot(); !bytes.Equal(all[len(all)-1].Payload, test.quiet) {
					t.Errorf("%s muted: % x", name, all[len(all)-1].Payload)
				}
				caller.Mute(media.KindAudio, false)
				time.Sleep(400 * time.Millisecond)
				synctest.Wait()
				if all := got.snapshot(); bytes.Equal(all[len(all)-1].Payload, test.quiet) {
					t.Errorf("%s is still muted", name)
				}
			}
			all := got.snapshot()[before:]
			for i, p := range all {
				if p.SequenceNumber-all[0].SequenceNumber != uint16(i) || p.Timestamp-all[0].Timestamp != uint32(i)*test.ticks {
					t.Fatalf("%s: packet %d is %d at %d", name, i, p.SequenceNumber, p.Timestamp)
				}
			}
			_ = caller.Close()
			_ = callee.Close()
		}
	})
}

func TestMutedVideoStopsAndBeginsWithAKeyframe(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		caller, _ := pairIn(t, n,
			media.LegConfig{Directions: media.Directions{Video: media.SendOnly}, VideoSource: media.NewTestPattern()},
			media.LegConfig{Directions: media.Directions{Video: media.RecvOnly}, VideoSink: got.sink()})
		time.Sleep(3 * time.Second)
		caller.Mute(media.KindVideo, true)
		synctest.Wait() // what was on its way has arrived
		muted := len(got.snapshot())
		time.Sleep(500 * time.Millisecond)
		if n := len(got.snapshot()); n != muted {
			t.Errorf("%d packets although muted", n-muted)
		}
		caller.Mute(media.KindVideo, false)
		time.Sleep(3 * time.Second)
		all := got.snapshot()
		first := all[muted]
		if first.Payload[0]&0x10 == 0 || first.Payload[4]&1 != 0 {
			t.Errorf("it begins with % x", first.Payload[:8])
		}
		if first.SequenceNumber != all[muted-1].SequenceNumber+1 {
			t.Error("mute looks like loss")
		}
	})
}

func TestRecordingIsAsLongAsTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		name := t.TempDir() + "/heard.wav"
		out, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		sink, err := media.NewWAVSink(out, 16000, 1)
		if err != nil {
			t.Fatal(err)
		}
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 440, -12)},
			media.LegConfig{Directions: audioOnly, AudioSink: sink})
		start := time.Now()
		n.loss.Store(20)
		time.Sleep(20 * time.Second)
		caller.Mute(media.KindAudio, true)
		time.Sleep(20 * time.Second)
		caller.Mute(media.KindAudio, false)
		n.cut.Store(true)
		time.Sleep(3 * time.Second)
		n.cut.Store(false)
		time.Sleep(20*time.Second + 7*time.Millisecond)
		took := time.Since(start)
		stats := callee.Stats().Audio
		if err := callee.Close(); err != nil {
			t.Error(err)
		}
		pcm := readWAV(t, name)
		length := time.Duration(len(pcm)) * time.Second / 16000
		if d := took - length; d < -20*time.Millisecond || d > 20*time.Millisecond {
			t.Errorf("the file lasts %v, the call %v", length, took)
		}
		if loss := float64(stats.PacketsLost) / float64(stats.PacketsReceived); loss < 0.05 || loss > 0.15 {
			t.Errorf("lost %d of %d", stats.PacketsLost, stats.PacketsReceived)
		}
		for _, at := range []int{10, 60} { // what was lost is a little quieter
			hz, level := audio.DominantFrequency(pcm[16000*(at-1):16000*at], 16000)
			if math.Abs(hz-440) > 5 || math.Abs(level+12) > 2 {
				t.Errorf("after %d s: %.1f Hz at %.1f dBFS", at, hz, level)
			}
		}
		isSilent(t, pcm[16000*25:16000*35])
		if jitter := sink.Stats(); jitter.Concealed < 5*time.Second || jitter.Late != 0 || jitter.Skipped != 0 {
			t.Errorf("%+v", jitter)
		}
	})
}

func TestWAVFileIsPlayedToItsEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		source, err := media.NewWAVSource(openFile(t, "tone440.wav"), nil)
		if err != nil {
			t.Fatal(err)
		}
		heard, ended := newRecording(), newEnds()
		pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: source, OnSourceEnd: ended.note},
			media.LegConfig{Directions: audioOnly, AudioSink: heard.sink(t, 16000, 1)})
		<-ended.c
		time.Sleep(time.Second)
		pcm := heard.snapshot()
		isTone(t, pcm[:14000], 16000, 440, -6)
		isSilent(t, pcm[len(pcm)-320:])
	})
}

func TestFilesThatLoopGoOn(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		wav, err := media.NewWAVSource(openFile(t, "tone440.wav"), &media.FileOptions{Loop: true})
		if err != nil {
			t.Fatal(err)
		}
		heard, video := newRecording(), newPackets()
		pairIn(t, n, media.LegConfig{Directions: bothKinds, AudioSource: wav, VideoSource: media.NewTestPattern()},
			media.LegConfig{Directions: bothKinds, AudioSink: heard.sink(t, 16000, 1), VideoSink: video.sink()})
		time.Sleep(10*time.Second + 500*time.Millisecond)
		isTone(t, heard.snapshot(), 16000, 440, -6)
		var last media.Packet
		shown := 0
		for i, p := range video.snapshot() {
			if i > 0 && last.Marker && p.Timestamp-last.Timestamp != 9000 {
				t.Errorf("a picture comes %d ticks after the one before", p.Timestamp-last.Timestamp)
			}
			if last = p; p.Marker {
				shown++
			}
		}
		if shown < 104 || shown > 106 {
			t.Errorf("%d pictures", shown)
		}
	})
}

func readWAV(t *testing.T, name string) []int16 {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := audio.NewWAVReader(file)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 1<<20)
	n, _ := reader.Read(pcm)
	return pcm[:n]
}
