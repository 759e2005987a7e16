package audio_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/google/go-cmp/cmp"
)

var rates = []int{8000, 16000, 24000, 32000, 44100, 48000}

func newResampler(t testing.TB, from, to, channels int) *audio.Resampler {
	t.Helper()
	r, err := audio.NewResampler(from, to, channels)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// resample returns in at another rate, without the first tenth of a second, in
// which the filter fills.
func resample(t testing.TB, from, to int, in []int16) []int16 {
	return newResampler(t, from, to, 1).Process(in)[to/10:]
}

func forEachPair(t *testing.T, f func(t *testing.T, from, to int)) {
	for _, from := range rates {
		for _, to := range rates {
			if from != to {
				t.Run(fmt.Sprintf("%d to %d", from, to), func(t *testing.T) { f(t, from, to) })
			}
		}
	}
}

func TestResampledToneKeepsFrequencyAndLevel(t *testing.T) {
	forEachPair(t, func(t *testing.T, from, to int) {
		low := float64(min(from, to))
		for _, hz := range []float64{60, 440, 0.25 * low, 0.415 * low} {
			out := resample(t, from, to, sine(from, hz, -6, from*3/10))
			gotHz, gotLevel := audio.DominantFrequency(out, to)
			within(t, fmt.Sprintf("%.0f Hz", hz), gotHz, hz, 1)
			within(t, fmt.Sprintf("level of %.0f Hz", hz), gotLevel, -6, 0.2)
			within(t, fmt.Sprintf("level of everything at %.0f Hz", hz), audio.Level(out), -6, 0.2)
		}
	})
}

// What a rate cannot carry must not come back as another frequency.
func TestResamplerRejectsAliases(t *testing.T) {
	forEachPair(t, func(t *testing.T, from, to int) {
		for _, part := range []float64{0.52, 0.6, 0.75, 0.99} {
			hz := part * float64(to)
			if hz >= float64(from)/2 {
				continue
			}
			if got := audio.Level(resample(t, from, to, sine(from, hz, 0, from*3/10))); got > -55 {
				t.Errorf("%.0f Hz is still there at %.1f dBFS", hz, got)
			}
		}
	})
}

// Going up, the spectrum between the old and the new limit must stay empty.
func TestResamplerRejectsImages(t *testing.T) {
	forEachPair(t, func(t *testing.T, from, to int) {
		if to < from {
			return
		}
		for _, hz := range []float64{440, 0.3 * float64(from), 0.415 * float64(from)} {
			out := resample(t, from, to, sine(from, hz, -1, from*3/10))
			if got := residue(out, hz, to); got > -55 {
				t.Errorf("beside %.0f Hz there is %.1f dBFS", hz, got)
			}
		}
	})
}

// residue returns the level of what is left of pcm without its best fit of hz.
func residue(pcm []int16, hz float64, rate int) float64 {
	cos, sin := quadrature(len(pcm), hz, rate)
	a, b := fit(pcm, cos, sin)
	rest := make([]int16, len(pcm))
	for i, s := range pcm {
		rest[i] = int16(float64(s) - a*cos[i] - b*sin[i])
	}
	return audio.Level(rest)
}

// An hour at lower rates of the same ratio, on which alone the length depends:
// 44100 to 48000, 48000 to 44100, 44100 to 8000, 8000 to 48000 and back.
func TestResamplerOutputIsExactOverAnHour(t *testing.T) {
	for _, c := range []struct{ from, to int }{{147, 160}, {160, 147}, {441, 80}, {1, 6}, {6, 1}} {
		r := newResampler(t, c.from, c.to, 1)
		in := make([]int16, c.from)
		for second := range 3600 {
			if got := len(r.Process(in)); got != c.to {
				t.Fatalf("%d to %d: second %d has %d samples", c.from, c.to, second, got)
			}
		}
	}
}

func TestEveryFrameOf20MillisecondsBecomesOne(t *testing.T) {
	forEachPair(t, func(t *testing.T, from, to int) {
		r := newResampler(t, from, to, 2)
		for i := range 50 {
			if got := len(r.Process(make([]int16, from/50*2))); got != to/50*2 {
				t.Fatalf("frame %d has %d samples, want %d", i, got, to/50*2)
			}
		}
	})
}

func TestResamplerIsTheSameHoweverItIsFed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	forEachPair(t, func(t *testing.T, from, to int) {
		in := make([]int16, 2*from/10)
		for i := range in {
			in[i] = int16(random.IntN(1<<16) - 1<<15)
		}
		whole := newResampler(t, from, to, 2).Process(in)
		if want := (len(in)/2*to + from - 1) / from; len(whole)/2 != want {
			t.Errorf("%d frames, want %d", len(whole)/2, want)
		}
		r := newResampler(t, from, to, 2)
		var parts []int16
		for len(in) > 0 {
			n := min(len(in), 2*random.IntN(200))
			parts = append(parts, r.Process(in[:n])...)
			in = in[n:]
		}
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Error(diff)
		}
	})
}

func TestResamplerKeepsChannelsApart(t *testing.T) {
	left, right := sine(48000, 440, -6, 24000), sine(48000, 1000, -20, 24000)
	var both []int16
	for i := range left {
		both = append(both, left[i], right[i])
	}
	out := newResampler(t, 48000, 16000, 2).Process(both)
	var got [2][]int16
	for i, s := range out {
		got[i%2] = append(got[i%2], s)
	}
	for i, want := range [][]int16{left, right} {
		if diff := cmp.Diff(newResampler(t, 48000, 16000, 1).Process(want), got[i]); diff != "" {
			t.Errorf("channel %d: %s", i, diff)
		}
	}
}

func TestResamplerDelaysAsItSays(t *testing.T) {
	forEachPair(t, func(t *testing.T, from, to int) {
		in := make([]int16, from/5)
		in[from/10] = 20000
		r := newResampler(t, from, to, 1)
		out := r.Process(in)
		loudest := 0
		for i, s := range out {
			if s > out[loudest] {
				loudest = i
			}
		}
		got := time.Duration(loudest) * time.Second / time.Duration(to)
		within(t, "ms", got.Seconds()*1000, 100+r.Delay().Seconds()*1000, 1000/float64(to))
		if r.Delay() > 4*time.Millisecond {
			t.Errorf("the delay is %v", r.Delay())
		}
	})
}

func TestResamplerClipsAndDoesNotWrap(t *testing.T) {
	in := make([]int16, 800)
	for i := range in {
		in[i] = 32767
		if i/50%2 == 1 {
			in[i] = -32768
		}
	}
	out := newResampler(t, 8000, 48000, 1).Process(in)
	for i := 1; i < len(out); i++ {
		if step := int(out[i]) - int(out[i-1]); step > 30000 || step < -30000 {
			t.Fatalf("from %d to %d at %d", out[i-1], out[i], i)
		}
	}
}

func TestResamplerBetweenEqualRatesChangesNothing(t *testing.T) {
	r := newResampler(t, 16000, 16000, 1)
	in := sine(16000, 440, 0, 320)
	if diff := cmp.Diff(in, r.Process(in)); diff != "" || r.Delay() != 0 {
		t.Errorf("delay %v, %s", r.Delay(), diff)
	}
}

func TestResamplerRefusesWhatItCannotDo(t *testing.T) {
	for _, c := range [][3]int{{0, 8000, 1}, {8000, -1, 1}, {8000, 8000, 0}, {48000, 44099, 1}} {
		r, err := audio.NewResampler(c[0], c[1], c[2])
		var format *audio.FormatError
		if r != nil || !errors.As(err, &format) {
			t.Errorf("%v: %v, %v", c, r, err)
		}
	}
}

func TestResamplerRefusesHalfFrames(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	newResampler(t, 8000, 16000, 2).Process(make([]int16, 3))
}

func TestResamplerDoesNotAllocate(t *testing.T) {
	for _, from := range rates {
		r := newResampler(t, from, 48000, 2)
		in := make([]int16, from/50*2)
		r.Process(in)
		if n := testing.AllocsPerRun(100, func() { r.Process(in) }); n != 0 {
			t.Errorf("from %d: %v allocations", from, n)
		}
	}
}

func BenchmarkResampler(b *testing.B) { // one 20 ms frame
	for _, c := range []struct{ from, to int }{
		{48000, 8000}, {48000, 16000}, {8000, 48000}, {16000, 48000}, {24000, 8000}, {44100, 48000},
	} {
		b.Run(fmt.Sprintf("%d-%d", c.from, c.to), func(b *testing.B) {
			r := newResampler(b, c.from, c.to, 1)
			in := sine(c.from, 440, -6, c.from/50)
			b.ReportAllocs()
			for b.Loop() {
				r.Process(in)
			}
		})
	}
}

func ExampleResampler() {
	r, err := audio.NewResampler(48000, 8000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	frame := make([]int16, 960) // 20 ms
	audio.NewTone(48000, 1, 440, -6).Read(frame)
	fmt.Println(len(r.Process(frame)), r.Delay())
	// Output: 160 3ms
}
