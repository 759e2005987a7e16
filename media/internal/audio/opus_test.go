package audio_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/google/go-cmp/cmp"
)

// opusPackets returns the packets of an Ogg file without its two headers.
func opusPackets(t testing.TB, file string) [][]byte {
	t.Helper()
	return oggPackets(t, file)[2:]
}

// oggPackets returns all packets of an Ogg file (RFC 3533).
func oggPackets(t testing.TB, file string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	var packet []byte
	for len(b) > 0 {
		if !bytes.HasPrefix(b, []byte("OggS")) {
			t.Fatalf("%s is not Ogg", file)
		}
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
	return packets
}

func opusFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/opus/*.ogg")
	if err != nil || len(files) < 30 {
		t.Fatalf("only %d files: %v", len(files), err)
	}
	return files
}

func newOpusDecoder(t testing.TB, rate, channels int) *audio.OpusDecoder {
	t.Helper()
	d, err := audio.NewOpusDecoder(rate, channels)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decodeAll(t testing.TB, d *audio.OpusDecoder, rate, channels int, packets [][]byte) (pcm []int16) {
	t.Helper()
	for i, packet := range packets {
		part, err := d.Decode(packet)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		length, err := audio.PacketDuration(packet)
		if err != nil {
			t.Fatal(err)
		}
		if want := int(length*time.Duration(rate)/time.Second) * channels; len(part) != want {
			t.Fatalf("packet %d has %d samples, want %d", i, len(part), want)
		}
		pcm = append(pcm, part...)
	}
	return pcm
}

func channel(pcm []int16, channels, c int) (one []int16) {
	for i := c; i < len(pcm); i += channels {
		one = append(one, pcm[i])
	}
	return one
}

func TestFilesCoverEveryOpusConfiguration(t *testing.T) {
	var seen [32]bool
	for _, file := range opusFiles(t) {
		for _, packet := range opusPackets(t, file) {
			seen[packet[0]>>3] = true
		}
	}
	for configuration, ok := range seen {
		if !ok {
			t.Errorf("configuration %d is in no file", configuration)
		}
	}
}

// Right length, frequency and level.
func TestOpusDecodesEveryConfigurationToEveryRate(t *testing.T) {
	for _, file := range opusFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".ogg")
		packets := opusPackets(t, file)
		for _, out := range []struct{ rate, channels int }{
			{8000, 1}, {12000, 2}, {16000, 1}, {24000, 2}, {48000, 1}, {48000, 2},
		} {
			t.Run(fmt.Sprintf("%s/%d/%d", name, out.rate, out.channels), func(t *testing.T) {
				pcm := decodeAll(t, newOpusDecoder(t, out.rate, out.channels), out.rate, out.channels, packets)
				for c := range out.channels {
					checkOpusTone(t, channel(pcm, out.channels, c), out.rate, c, out.channels, strings.HasPrefix(name, "stereo"))
				}
			})
		}
	}
}

// checkOpusTone measures 200 ms from the middle of one channel.
func checkOpusTone(t *testing.T, pcm []int16, rate, c, channels int, stereo bool) {
	t.Helper()
	wantHz, wantLevel := 440.0, -6.0
	if stereo && c == 1 {
		wantHz = 1000
	}
	hz, level := audio.DominantFrequency(pcm[rate/8:rate/8+rate/5], rate)
	if stereo && channels == 1 { // both, at half their level
		wantLevel = -12
		if math.Abs(hz-1000) < 100 {
			wantHz = 1000
		}
	}
	within(t, "frequency", hz, wantHz, 2)
	within(t, "level", level, wantLevel, 1.5)
}

func TestOpusDecodesRealSpeech(t *testing.T) {
	pcm := decodeAll(t, newOpusDecoder(t, 16000, 1), 16000, 1, opusPackets(t, "../../../testdata/media/speech.ogg"))
	file, err := os.Open("../../../testdata/media/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, original, _ := readWAV(file, 16000)
	within(t, "seconds", float64(len(pcm))/16000, float64(len(original))/16000, 0.04)
	within(t, "level", audio.Level(pcm), audio.Level(original), 1)
	if got := bestCorrelation(original, pcm, 400); got < 0.9 {
		t.Errorf("the decoded speech resembles the original by %.3f", got)
	}
}

// bestCorrelation returns how alike a and b are, from -1 to 1, with b shifted by
// the number of samples up to shift that fits best.
func bestCorrelation(a, b []int16, shift int) float64 {
	best := -1.0
	for s := range shift {
		var ab, aa, bb float64
		for i := range min(len(a), len(b)-s) {
			x, y := float64(a[i]), float64(b[i+s])
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
		best = max(best, ab/math.Sqrt(aa*bb))
	}
	return best
}

// A sender may change mode, bandwidth and channels from packet to packet.
func TestOpusDecoderFollowsEveryChangeOfMode(t *testing.T) {
	files := opusFiles(t)
	d := newOpusDecoder(t, 48000, 2)
	for _, step := range []int{1, 7, 16} { // visits the files in three orders
		for i := range files {
			packets := opusPackets(t, files[i*step%len(files)])
			decodeAll(t, d, 48000, 2, packets[:min(4, len(packets))])
		}
	}
}

func TestOpusPacketWithoutDataFadesOut(t *testing.T) {
	for _, toc := range []byte{1 << 3, 9 << 3, 31 << 3, 31<<3 | 1, 31<<3 | 2, 31<<3 | 3} {
		d := newOpusDecoder(t, 48000, 1)
		before := decodeAll(t, d, 48000, 1, opusPackets(t, "testdata/opus/celt-fb-20.ogg")[:10])
		last := before[len(before)-1]
		packet := [][]byte{{toc}, {toc}, {toc, 0}, {toc, 2}}[toc&3]
		pcm, err := d.Decode(packet)
		if err != nil {
			t.Fatal(err)
		}
		if step := int(pcm[0]) - int(last); step > 100 || step < -100 {
			t.Errorf("%#x: a click from %d to %d", toc, last, pcm[0])
		}
		pcm, err = d.Decode(packet)
		if got := audio.Level(pcm); got != audio.SilenceLevel || err != nil {
			t.Errorf("%#x: the second such packet is at %.1f dBFS, %v", toc, got, err)
		}
	}
}

func TestConcealmentNeitherClicksNorStays(t *testing.T) {
	packets := opusPackets(t, "testdata/opus/stereo-celt-fb-20.ogg")
	d := newOpusDecoder(t, 48000, 2)
	if got := d.Conceal(960); len(got) != 1920 || audio.Level(got) != audio.SilenceLevel {
		t.Errorf("at the start: %d samples at %.1f dBFS", len(got), audio.Level(got))
	}
	before := decodeAll(t, d, 48000, 2, packets[:10])
	gap := append([]int16(nil), d.Conceal(960)...)
	for c := range 2 {
		if step := int(gap[c]) - int(before[len(before)-2+c]); step > 2500 || step < -2500 {
			t.Errorf("channel %d: a click of %d", c, step)
		}
	}
	if got := audio.Level(gap); got < -20 || got > -6 {
		t.Errorf("the gap is at %.1f dBFS", got)
	}
	if last := gap[len(gap)-1]; last > 100 || last < -100 {
		t.Errorf("the gap ends at %d", last)
	}
	if got := d.Conceal(1 << 20); audio.Level(got) != audio.SilenceLevel || len(got) != 120*48*2 {
		t.Errorf("after 20 ms there are %d samples at %.1f dBFS", len(got), audio.Level(got))
	}
	decodeAll(t, d, 48000, 2, packets[11:])
}

func TestConcealmentIsTheSameInPieces(t *testing.T) {
	packets := opusPackets(t, "testdata/opus/stereo-celt-fb-20.ogg")[:10]
	one, many := newOpusDecoder(t, 48000, 2), newOpusDecoder(t, 48000, 2)
	decodeAll(t, one, 48000, 2, packets)
	decodeAll(t, many, 48000, 2, packets)
	var pieces []int16
	for _, n := range []int{0, 1, 119, 480, 500} {
		pieces = append(pieces, many.Conceal(n)...)
	}
	if diff := cmp.Diff(one.Conceal(1100), pieces); diff != "" {
		t.Error(diff)
	}
}

func TestShortFramesFillTheTailOfTheDecoder(t *testing.T) {
	d := newOpusDecoder(t, 48000, 1)
	decodeAll(t, d, 48000, 1, opusPackets(t, "testdata/opus/celt-fb-2.5.ogg")[:100])
	hz, _ := audio.DominantFrequency(d.Conceal(960), 48000)
	within(t, "frequency of the gap", hz, 440, 25)
}

func TestOpusDecoderRefusesOtherOutputs(t *testing.T) {
	for _, c := range [][2]int{{44100, 1}, {0, 1}, {48000, 0}, {48000, 3}} {
		var format *audio.FormatError
		if d, err := audio.NewOpusDecoder(c[0], c[1]); d != nil || !errors.As(err, &format) || errors.Unwrap(format) == nil {
			t.Errorf("%v: %v, %v", c, d, err)
		}
	}
}

func TestOpusDecoderSurvivesMalformedPackets(t *testing.T) {
	packets := opusPackets(t, "testdata/opus/celt-fb-20.ogg")
	d := newOpusDecoder(t, 48000, 1)
	for _, bad := range [][]byte{
		nil, {3}, {3, 0}, {3, 63}, {1, 2}, {2, 255}, {2, 200, 1}, {3, 0x82, 200, 1}, {3, 0x41, 255}, bytes.Repeat([]byte{0}, 1300),
	} {
		var format *audio.FormatError
		if _, err := d.Decode(bad); !errors.As(err, &format) {
			t.Errorf("%.8x: %v", bad, err)
		}
	}
	pcm := decodeAll(t, d, 48000, 1, packets)
	checkOpusTone(t, pcm, 48000, 0, 1, false)
}

func TestOpusDecoderAllocatesNothingOrLittle(t *testing.T) {
	for name, most := range map[string]float64{"silk-wb-20": 0, "celt-fb-20": 0, "hybrid-fb-20": 4} {
		d := newOpusDecoder(t, 48000, 1)
		packets := opusPackets(t, "testdata/opus/"+name+".ogg")
		decodeAll(t, d, 48000, 1, packets)
		i := 0
		n := testing.AllocsPerRun(100, func() {
			d.Decode(packets[5+i%10])
			i++
		})
		if n > most {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}

func FuzzOpusDecoder(f *testing.F) {
	for _, file := range opusFiles(f) {
		packets := opusPackets(f, file)
		f.Add(packets[1], packets[len(packets)-2])
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := newOpusDecoder(t, 48000, 2)
		for _, packet := range [][]byte{first, second, first} {
			pcm, err := d.Decode(packet)
			length, lengthErr := audio.PacketDuration(packet)
			if err == nil && (lengthErr != nil || len(pcm) != int(length*48/time.Millisecond)*2) {
				t.Fatalf("%x: %d samples, %v, %v", packet, len(pcm), length, lengthErr)
			}
		}
	})
}

func BenchmarkOpusDecoder(b *testing.B) { // one 20 ms packet to 48 kHz
	for _, name := range []string{"silk-nb-20", "silk-wb-20", "hybrid-fb-20", "celt-fb-20", "stereo-celt-fb-20"} {
		b.Run(name, func(b *testing.B) {
			packets := opusPackets(b, "testdata/opus/"+name+".ogg")
			channels := 1 + int(packets[0][0]>>2&1)
			d := newOpusDecoder(b, 48000, channels)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(packets[i%len(packets)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func ExampleOpusDecoder() {
	d, err := audio.NewOpusDecoder(16000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	pcm, err := d.Decode([]byte{0xf8, 0xff, 0xfe}) // 20 ms of silence
	fmt.Println(len(pcm), audio.Level(pcm), err)
	_, err = d.Decode(nil)
	fmt.Println(err)
	// Output:
	// 320 -127 <nil>
	// decode Opus: an empty packet
}
