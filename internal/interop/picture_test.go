package interop

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"image"
	"image/color"
	"os"
	"testing"
	"time"

	"golang.org/x/image/vp8"
)

// isPattern fails unless v shows callrx's moving test pattern.
func isPattern(t *testing.T, v picture) {
	t.Helper()
	isMoving(t, v)
	file, err := os.ReadFile("../../testdata/media/pattern.ivf")
	if err != nil {
		t.Fatal(err)
	}
	want := grid(decode(t, ivfFrames(file)[0]))
	if v.Width != 160 || v.Height != 120 || difference(v.Grid, want) > 30 {
		t.Errorf("the browser saw %dx%d %v, which differs by %.0f from the pattern %v", v.Width, v.Height, v.Grid, difference(v.Grid, want), want)
	}
}

// sees waits until a recording of the browser's camera has a second of pictures, and decodes those that can be decoded
// alone: they show something, and not always the same.
func (g *gopher) sees(r *recording) {
	g.t.Helper()
	var frames [][]byte
	for deadline := time.Now().Add(patience); len(frames) < 20 && time.Now().Before(deadline); pause() {
		frames = ivfFrames(r.bytes())
	}
	distinct := map[[32]byte]bool{}
	for _, f := range frames {
		distinct[sha256.Sum256(f)] = true
	}
	if len(distinct) < 10 {
		g.t.Fatalf("%s recorded %d pictures, %d of them different", g.who, len(frames), len(distinct))
	}
	shown := decode(g.t, frames[0])
	if b := shown.Bounds(); b.Dx() < 160 || difference(grid(shown), make([]int, 64)) < 20 {
		g.t.Errorf("%s recorded a picture of %v that shows %v", g.who, b, grid(shown))
	}
}

// ivfFrames are the whole pictures of an IVF file.
func ivfFrames(file []byte) (frames [][]byte) {
	if len(file) < 32 {
		return nil
	}
	for b := file[32:]; len(b) >= 12; {
		n := 12 + int(binary.LittleEndian.Uint32(b))
		if n > len(b) {
			break
		}
		frames, b = append(frames, b[12:n]), b[n:]
	}
	return frames
}

// decode decodes a VP8 keyframe.
func decode(t *testing.T, frame []byte) image.Image {
	t.Helper()
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(frame), len(frame))
	head, err := d.DecodeFrameHeader()
	if err != nil || !head.KeyFrame {
		t.Fatalf("a recording begins with a picture that is no keyframe: %+v, %v", head, err)
	}
	picture, err := d.DecodeFrame()
	if err != nil {
		t.Fatalf("a keyframe cannot be decoded: %v", err)
	}
	return picture
}

// grid is the mean colours of a picture as proof.see samples them.
func grid(m image.Image) []int {
	b := m.Bounds()
	cells := make([]int, 0, 64)
	for y := range 4 {
		for x := range 4 {
			cell := image.Rect(b.Dx()*x/4, b.Dy()*y/4, b.Dx()*(x+1)/4, b.Dy()*(y+1)/4).Add(b.Min)
			cells = append(cells, mean(m, cell)...)
		}
	}
	return cells
}

func mean(m image.Image, cell image.Rectangle) []int {
	var red, green, blue, n int
	for y := cell.Min.Y; y < cell.Max.Y; y++ {
		for x := cell.Min.X; x < cell.Max.X; x++ {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			red, green, blue, n = red+int(c.R), green+int(c.G), blue+int(c.B), n+1
		}
	}
	return []int{red / n, green / n, blue / n, 255}
}

// difference is how far two grids are apart, on average of their colours, of 255.
func difference(a, b []int) float64 {
	if len(a) != len(b) {
		return 255
	}
	sum, n := 0.0, 0
	for i := range a {
		if i%4 == 3 { // alpha
			continue
		}
		sum, n = sum+max(float64(a[i]-b[i]), float64(b[i]-a[i])), n+1
	}
	return sum / float64(n)
}
