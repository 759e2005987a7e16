package chart

import (
	"image/color"
	"math"
	"strconv"
)

// round is the next number above v that people like: 1, 2 or 5 and zeros, or half way there.
func round(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if v <= n*unit {
			return n * unit
		}
	}
	return 10 * unit
}

// ticks are round numbers from low to high, so many or somewhat fewer.
func ticks(low, high float64, most int) (all []float64) {
	step := math.Pow(10, math.Floor(math.Log10(max(high-low, 1e-9)/float64(most))))
	for _, n := range []float64{1, 2, 5, 10} {
		if (high-low)/(n*step) <= float64(most) {
			step *= n
			break
		}
	}
	for i := math.Ceil(low / step); i*step <= high*(1+1e-9); i++ {
		all = append(all, i*step)
	}
	return all
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// The colours of what is no data.
var (
	paper = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink   = color.RGBA{0x1f, 0x29, 0x37, 0xff}
	faint = color.RGBA{0x5b, 0x66, 0x75, 0xff}
	grid  = color.RGBA{0xd8, 0xdd, 0xe3, 0xff}
)

func (k Kind) color() color.RGBA {
	switch k {
	case Bad:
		return color.RGBA{0xc0, 0x2b, 0x2b, 0xff}
	case Good:
		return color.RGBA{0x1e, 0x7d, 0x3c, 0xff}
	}
	return color.RGBA{0x4a, 0x3f, 0x9e, 0xff}
}

// pale is a colour mixed with much paper.
func pale(c color.RGBA) color.RGBA { return mix(c, paper, 0.35) }

func mix(a, b color.RGBA, share float64) color.RGBA {
	part := func(a, b uint8) uint8 { return uint8(float64(a)*share + float64(b)*(1-share) + 0.5) }
	return color.RGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), 0xff}
}

// thin is a colour through which others can be seen, with its alpha multiplied in.
func thin(c color.RGBA) color.RGBA {
	return color.RGBA{c.R / 6, c.G / 6, c.B / 6, 0xff / 6}
}
