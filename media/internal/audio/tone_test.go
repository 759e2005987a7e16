package audio_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sine returns d samples of one channel, the way a test wants it.
func sine(rate int, hz, dBFS float64, n int) []int16 {
	pcm := make([]int16, n)
	audio.NewTone(rate, 1, hz, dBFS).Read(pcm)
	return pcm
}

func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %.3f, want %.3f +/- %g", what, got, want, tolerance)
	}
}

func TestToneIsTheSineItSays(t *testing.T) {
	for i, s := range sine(48000, 440, -6, 4800) {
		want := 32767 * math.Pow(10, -6.0/20) * math.Sin(2*math.Pi*440*float64(i)/48000)
		if math.Abs(float64(s)-want) > 0.51 {
			t.Fatalf("sample %d is %d, want %.2f", i, s, want)
		}
	}
}

func TestToneKeepsItsPhaseForAnHour(t *testing.T) {
	tone := audio.NewTone(1000, 1, 440.1, -3) // the rate is low to be done sooner
	pcm := make([]int16, 20)
	const frames = 3600 * 50
	for range frames {
		tone.Read(pcm)
	}
	for i, s := range pcm {
		n := float64((frames-1)*20 + i)
		want := 32767 * math.Pow(10, -3.0/20) * math.Sin(2*math.Pi*math.Mod(440.1*n/1000, 1))
		if math.Abs(float64(s)-want) > 1 {
			t.Fatalf("after an hour sample %d is %d, want %.2f", i, s, want)
		}
	}
}

func TestToneIsTheSameHoweverItIsRead(t *testing.T) {
	whole := sine(16000, 1000, -10, 1000)
	tone := audio.NewTone(16000, 1, 1000, -10)
	var parts []int16
	for _, n := range []int{0, 1, 320, 7, 672} {
		part := make([]int16, n)
		got, err := tone.Read(part)
		if got != n || err != nil {
			t.Fatalf("Read of %d: %d, %v", n, got, err)
		}
		parts = append(parts, part...)
	}
	if diff := cmp.Diff(whole, parts); diff != "" {
		t.Error(diff)
	}
}

func TestToneFillsWholeFramesOfEveryChannel(t *testing.T) {
	mono := sine(8000, 500, 0, 10)
	stereo := make([]int16, 21)
	stereo[20] = 77
	if n, _ := audio.NewTone(8000, 2, 500, 0).Read(stereo); n != 20 || stereo[20] != 77 {
		t.Fatalf("filled %d samples, and the rest is %d", n, stereo[20])
	}
	for i, s := range mono {
		if stereo[2*i] != s || stereo[2*i+1] != s {
			t.Fatalf("frame %d is %v, want %d twice", i, stereo[2*i:2*i+2], s)
		}
	}
}

func TestToneAboveFullScaleClips(t *testing.T) {
	var highest, lowest int16
	for _, s := range sine(8000, 440, 6, 800) {
		highest, lowest = max(highest, s), min(lowest, s)
	}
	if highest != math.MaxInt16 || lowest != math.MinInt16 {
		t.Errorf("from %d to %d", lowest, highest)
	}
}

func TestToneRefusesWhatIsNoTone(t *testing.T) {
	for _, f := range []func(){
		func() { audio.NewTone(0, 1, 440, 0) },
		func() { audio.NewTone(8000, 0, 440, 0) },
		func() { audio.NewTone(8000, 1, 4001, 0) },
		func() { audio.NewTone(8000, 1, -1, 0) },
		func() { audio.NewTone(8000, 1, math.NaN(), 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		}()
	}
}

func BenchmarkTone(b *testing.B) {
	tone, pcm := audio.NewTone(48000, 1, 440, -6), make([]int16, 960)
	b.ReportAllocs()
	for b.Loop() {
		tone.Read(pcm)
	}
}

func ExampleTone() {
	tone := audio.NewTone(8000, 1, 2000, 0)
	pcm := make([]int16, 4)
	tone.Read(pcm)
	fmt.Println(pcm)
	// Output: [0 32767 0 -32767]
}
