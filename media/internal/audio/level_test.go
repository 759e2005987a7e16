package audio_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/callrx/callrx/media/internal/audio"
)

func TestLevelOfKnownSignals(t *testing.T) {
	square := make([]int16, 1000)
	for i := range square {
		square[i] = int16(32767 - 65534*(i%2))
	}
	for _, c := range []struct {
		name string
		pcm  []int16
		want float64
	}{
		{"nothing", nil, audio.SilenceLevel},
		{"silence", make([]int16, 100), audio.SilenceLevel},
		{"full-scale sine", sine(8000, 400, 0, 8000), 0},
		{"a tenth of it", sine(8000, 400, -20, 8000), -20},
		{"a thousandth of it", sine(8000, 400, -60, 8000), -60},
		{"full-scale square", square, 3.01},
		{"lowest sample", []int16{math.MinInt16, math.MinInt16}, 3.01},
	} {
		within(t, c.name, audio.Level(c.pcm), c.want, 0.05)
	}
}

func TestDominantFrequencyIsExactOn200Milliseconds(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000, 32000, 44100, 48000} {
		for _, hz := range []float64{50, 100.3, 440, 441.7, 697, 1000, 1633.4, 2500, 3400} {
			for _, level := range []float64{0, -20, -50} {
				gotHz, gotLevel := audio.DominantFrequency(sine(rate, hz, level, rate/5), rate)
				within(t, fmt.Sprintf("%g Hz at %d", hz, rate), gotHz, hz, 0.5)
				within(t, fmt.Sprintf("level of %g Hz at %d", hz, rate), gotLevel, level, 0.1)
			}
		}
	}
}

func TestDominantFrequencyBearsNoiseOffsetAndWeakerTones(t *testing.T) {
	pcm := sine(48000, 440, -12, 9600)
	other := sine(48000, 1200, -18, 9600)
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range pcm {
		pcm[i] += other[i] + 3000 + int16(noise.IntN(2000)-1000)
	}
	hz, level := audio.DominantFrequency(pcm, 48000)
	within(t, "frequency", hz, 440, 1)
	within(t, "level", level, -12, 0.2)
}

func TestDominantFrequencyOfNoSignal(t *testing.T) {
	offset := make([]int16, 1600)
	for i := range offset {
		offset[i] = 1234
	}
	for name, pcm := range map[string][]int16{
		"nothing": nil, "15 samples": sine(8000, 1000, 0, 15), "silence": make([]int16, 1600), "offset": offset,
	} {
		if hz, level := audio.DominantFrequency(pcm, 8000); hz != 0 || level != audio.SilenceLevel {
			t.Errorf("%s: %v Hz at %v dBFS", name, hz, level)
		}
	}
}

func TestDominantFrequencyOfAnyLength(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	for n := range 600 {
		pcm := make([]int16, n)
		for i := range pcm {
			pcm[i] = int16(noise.IntN(65536) - 32768)
		}
		hz, level := audio.DominantFrequency(pcm, 8000)
		if !(hz >= 0 && hz <= 4000) || !(level >= audio.SilenceLevel && level < 6) {
			t.Errorf("%d samples: %v Hz at %v dBFS", n, hz, level)
		}
	}
}

func BenchmarkLevel(b *testing.B) {
	pcm := sine(48000, 440, -6, 960)
	b.ReportAllocs()
	for b.Loop() {
		audio.Level(pcm)
	}
}

func BenchmarkDominantFrequency(b *testing.B) { // of 200 ms
	pcm := sine(48000, 440, -6, 9600)
	b.ReportAllocs()
	for b.Loop() {
		audio.DominantFrequency(pcm, 48000)
	}
}

func ExampleDominantFrequency() {
	pcm := make([]int16, 1600) // 200 ms at 8 kHz
	audio.NewTone(8000, 1, 440, -20).Read(pcm)
	hz, level := audio.DominantFrequency(pcm, 8000)
	fmt.Printf("%.0f Hz at %.0f dBFS, all in all %.0f dBFS\n", hz, level, audio.Level(pcm))
	// Output: 440 Hz at -20 dBFS, all in all -20 dBFS
}

func quadrature(n int, hz float64, rate int) (cos, sin []float64) {
	for i := range n {
		s, c := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		cos, sin = append(cos, c), append(sin, s)
	}
	return cos, sin
}

// fit returns the a and b with which a*cos + b*sin is nearest to pcm.
func fit(pcm []int16, cos, sin []float64) (a, b float64) {
	var cc, ss, cs, pc, ps float64
	for i, s := range pcm {
		cc += cos[i] * cos[i]
		ss += sin[i] * sin[i]
		cs += cos[i] * sin[i]
		pc += float64(s) * cos[i]
		ps += float64(s) * sin[i]
	}
	d := cc*ss - cs*cs
	return (pc*ss - ps*cs) / d, (ps*cc - pc*cs) / d
}
