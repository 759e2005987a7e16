package audio

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// SilenceLevel is the lowest level, that of digital silence, in dBFS. It is the
// 127 of RFC 6464; the quietest sound that PCM can hold is far above it.
const SilenceLevel = -127.0

// fullScale is the root mean square of a sine that just reaches full scale.
const fullScale = math.MaxInt16 / math.Sqrt2

// Level returns the level of pcm in dBFS, all channels together. No samples are
// silence.
func Level(pcm []int16) float64 {
	return decibels(RMS(pcm) * -math.MinInt16 / fullScale)
}

// RMS is the root mean square of pcm, all channels together, from 0 to 1.
func RMS(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var sum int64
	for _, s := range pcm {
		sum += int64(s) * int64(s)
	}
	return math.Sqrt(float64(sum)/float64(len(pcm))) / -math.MinInt16
}

// decibels returns the level of a ratio of amplitudes.
func decibels(ratio float64) float64 {
	return max(SilenceLevel, 20*math.Log10(ratio))
}

// DominantFrequency returns the strongest frequency in pcm, one channel at rate,
// and the level of the sine there. On 200 ms of a steady sine it is right to
// within 1 Hz and 0.1 dB. It looks from two periods within pcm up to half the
// rate; with less than 16 samples, or silence, it returns 0 and [SilenceLevel].
func DominantFrequency(pcm []int16, rate int) (hz, dBFS float64) {
	if len(pcm) < 16 {
		return 0, SilenceLevel
	}
	spectrum, gain := windowedSpectrum(pcm)
	bins := len(spectrum) / 2
	peak, highest := 0, 0.0
	for k := 2 * len(spectrum) / len(pcm); k < bins; k++ {
		if m := cmplx.Abs(spectrum[k]); m > highest {
			peak, highest = k, m
		}
	}
	if highest*gain < 0.01 { // far below one step of PCM: rounding noise
		return 0, SilenceLevel
	}
	offset, height := vertex(
		math.Log(cmplx.Abs(spectrum[peak-1])), math.Log(highest), math.Log(cmplx.Abs(spectrum[peak+1])))
	hz = (float64(peak) + offset) * float64(rate) / float64(len(spectrum))
	hz = min(hz, float64(rate)/2)
	return hz, decibels(math.Exp(height) * gain / math.MaxInt16)
}

// windowedSpectrum returns the spectrum of pcm without its mean, under a Hann
// window and at least twice finer than its length gives, and the factor
// from a magnitude in it to the amplitude of a sine.
func windowedSpectrum(pcm []int16) (spectrum []complex128, gain float64) {
	var sum int64
	for _, s := range pcm {
		sum += int64(s)
	}
	mean := float64(sum) / float64(len(pcm))
	spectrum = make([]complex128, 1<<bits.Len(uint(2*len(pcm)-1)))
	turn := 2 * math.Pi / float64(len(pcm))
	for i, s := range pcm {
		spectrum[i] = complex((float64(s)-mean)*(0.5-0.5*math.Cos(turn*float64(i))), 0)
	}
	fft(spectrum)
	return spectrum, 4 / float64(len(pcm)) // half for the window, half for each side
}

// vertex returns where and how high the parabola through (-1, a), (0, b) and
// (1, c) peaks. On the logarithm of a Hann window's main lobe it is very nearly
// where the frequency is.
func vertex(a, b, c float64) (at, height float64) {
	if curve := a - 2*b + c; curve < 0 {
		at = (a - c) / (2 * curve)
	}
	return at, b - (a-c)*at/4
}

// fft replaces x, whose length is a power of two, by its discrete Fourier
// transform.
func fft(x []complex128) {
	shift := 64 - (bits.Len(uint(len(x))) - 1)
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for half := 1; half < len(x); half *= 2 {
		for k := range half {
			twiddle := cmplx.Rect(1, -math.Pi*float64(k)/float64(half))
			for i := k; i < len(x); i += 2 * half {
				odd := twiddle * x[i+half]
				x[i], x[i+half] = x[i]+odd, x[i]-odd
			}
		}
	}
}
