// Package pattern holds a test pattern as video: 160 by 120 pixels at 10 pictures
// a second, with moving shapes, a clock and the number of the picture.
package pattern

import (
	_ "embed"
	"strings"
)

//go:embed pattern.ivf
var vp8 string

// VP8 returns the pattern as an IVF file of VP8: 20 pictures, two seconds, of
// which only the first is a keyframe, so it can be shown over and over. The reader
// is the caller's own.
func VP8() *strings.Reader { return strings.NewReader(vp8) }
