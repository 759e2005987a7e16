package audio

import (
	"math"
	"time"
)

// The filter of a [Resampler] is a sinc under a Kaiser window, cut into one
// phase for each place that an output sample can have between two input
// samples.
const (
	// crossings is how many zeros of the sinc lie on each side of its middle.
	// 24 keep speech whole up to 0.42 of the lower rate (3.4 of 8 kHz) and delay
	// it by 24 samples of the lower rate (3 ms at 8 kHz).
	crossings = 24
	// cutoff is where the filter is half-way down, as a part of the lower rate.
	cutoff = 0.462
	// kaiserBeta makes what the filter stops 60 dB weaker.
	kaiserBeta = 5.65
	// maxCoefficients bounds the memory of a filter (4 bytes each).
	maxCoefficients = 1 << 20
)

// A Resampler changes the sampling rate of PCM, as a stream: what it returns for
// consecutive pieces, joined, is what it would have returned for the whole. After
// n frames in there are always exactly ceil(n*to/from) frames out, so it neither
// drifts nor collects.
type Resampler struct {
	channels int
	up, down int // to and from in lowest terms
	taps     int // coefficients of one phase
	filter   []float32
	history  [][]float32 // a channel each: taps-1 frames from before, then the new ones
	next     int         // where the next output is, in 1/up frames after the first new frame
	out      []int16
	from     int
}

// NewResampler returns a resampler from one rate to another of interleaved PCM.
// It returns a [*FormatError] if a rate or the number of channels is not
// positive, or if the rates have so little in common (such as 48000 and 44099)
// that the filter would need more than 4 MB.
func NewResampler(from, to, channels int) (*Resampler, error) {
	if from <= 0 || to <= 0 || channels <= 0 {
		return nil, formatErrorf("resample", "from %d to %d Hz with %d channels", from, to, channels)
	}
	divisor := gcd(from, to)
	r := &Resampler{channels: channels, up: to / divisor, down: from / divisor, from: from}
	if r.up == r.down {
		return r, nil
	}
	low := float64(min(from, to))
	half := crossings * float64(from) / low // frames of input on each side
	if 2*half*float64(r.up) > maxCoefficients {
		return nil, formatErrorf("resample", "from %d to %d Hz: the rates have too little in common", from, to)
	}
	r.taps = 2 * int(math.Ceil(half))
	r.filter = polyphase(r.up, r.taps, half, 2*cutoff*low/float64(from))
	r.history = make([][]float32, channels)
	for c := range r.history {
		r.history[c] = make([]float32, r.taps-1)
	}
	return r, nil
}

// Delay is how much later a sound comes out than it went in.
func (r *Resampler) Delay() time.Duration {
	return time.Duration(r.taps/2) * time.Second / time.Duration(r.from)
}

// Process takes the next samples and returns what they complete. The result is
// valid until the next call; between equal rates it is in itself. It panics if in
// ends in the middle of a frame.
func (r *Resampler) Process(in []int16) []int16 {
	if len(in)%r.channels != 0 {
		panic("audio: a piece to resample ends in the middle of a frame")
	}
	if r.up == r.down {
		return in
	}
	frames := len(in) / r.channels
	end := frames * r.up
	count := max(0, (end-r.next+r.down-1)/r.down)
	if need := count * r.channels; cap(r.out) < need {
		r.out = make([]int16, need)
	}
	r.out = r.out[:count*r.channels]
	for c := range r.channels {
		r.channel(c, in, frames)
	}
	r.next += count*r.down - end
	return r.out
}

// channel fills channel c of r.out.
func (r *Resampler) channel(c int, in []int16, frames int) {
	h := r.history[c]
	for i := range frames {
		h = append(h, float32(in[i*r.channels+c]))
	}
	at := r.next
	for i := c; i < len(r.out); i += r.channels {
		frame, phase := at/r.up, at%r.up
		sum := dot(r.filter[phase*r.taps:(phase+1)*r.taps], h[frame:frame+r.taps])
		r.out[i] = clip(float64(sum))
		at += r.down
	}
	kept := copy(h, h[frames:])
	r.history[c] = h[:kept]
}

// dot is the inner product. Four sums let the processor overlap them.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return s0 + s1 + s2 + s3
}

// polyphase returns the filter, phase after phase: up phases of taps
// coefficients that are half on each side of the middle and pass what is below
// band, a part of half the input rate. Each phase passes a constant unchanged.
func polyphase(up, taps int, half, band float64) []float32 {
	filter := make([]float32, up*taps)
	row := make([]float64, taps)
	for phase := range up {
		middle := float64(taps/2-1) + float64(phase)/float64(up)
		sum := 0.0
		for i := range row {
			x := float64(i) - middle
			row[i] = sinc(band*x) * kaiser(x/half)
			sum += row[i]
		}
		for i, v := range row {
			filter[phase*taps+i] = float32(v / sum)
		}
	}
	return filter
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window at x, which reaches from -1 to 1.
func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel(kaiserBeta*math.Sqrt(1-x*x)) / bessel(kaiserBeta)
}

// bessel is the modified Bessel function of the first kind and order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
