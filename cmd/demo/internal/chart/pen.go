package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// A pen draws on a picture, with smooth edges.
type pen struct {
	img                       *image.RGBA
	title, bold, plain, small font.Face
}

type point struct{ x, y float64 }

func newPen() (*pen, error) {
	p := &pen{}
	for _, f := range []struct {
		face *font.Face
		ttf  []byte
		size float64
	}{{&p.title, gobold.TTF, 28}, {&p.bold, gobold.TTF, 17}, {&p.plain, goregular.TTF, 17}, {&p.small, goregular.TTF, 15}} {
		parsed, err := opentype.Parse(f.ttf)
		if err == nil {
			*f.face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: f.size, DPI: 72, Hinting: font.HintingFull})
		}
		if err != nil {
			return nil, fmt.Errorf("read font: %w", err)
		}
	}
	return p, nil
}

// begin takes a sheet of paper.
func (p *pen) begin(width, height int) {
	p.img = image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(p.img, p.img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
}

// align is which side of a text its place is.
type align int

const (
	toLeft align = iota
	toMiddle
	toRight
)

// text writes with the baseline at y.
func (p *pen) text(x, y float64, text string, face font.Face, c color.RGBA, at align) {
	switch at {
	case toMiddle:
		x -= p.measure(text, face) / 2
	case toRight:
		x -= p.measure(text, face)
	}
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: face, Dot: fixed.P(int(math.Round(x)), int(math.Round(y)))}
	d.DrawString(text)
}

// fitted writes around x, if there is room for it.
func (p *pen) fitted(x, y, room float64, text string, face font.Face, c color.RGBA) {
	if p.measure(text, face) <= room {
		p.text(x, y, text, face, c, toMiddle)
	}
}

func (p *pen) measure(text string, face font.Face) float64 {
	return float64(font.MeasureString(face, text)) / 64
}

func (p *pen) rect(x0, y0, x1, y1 float64, c color.RGBA) {
	p.fill(c, []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}})
}

// fill fills shapes that all turn the same way; where they overlap is filled once.
func (p *pen) fill(c color.RGBA, shapes ...[]point) {
	b := around(shapes).Intersect(p.img.Bounds())
	if b.Empty() {
		return
	}
	r := vector.NewRasterizer(b.Dx(), b.Dy())
	for _, shape := range shapes {
		for i, at := range shape {
			x, y := float32(at.x)-float32(b.Min.X), float32(at.y)-float32(b.Min.Y)
			if i == 0 {
				r.MoveTo(x, y)
			} else {
				r.LineTo(x, y)
			}
		}
		r.ClosePath()
	}
	r.Draw(p.img, b, image.NewUniform(c), image.Point{})
}

// around is the smallest rectangle with all shapes in it.
func around(shapes [][]point) (b image.Rectangle) {
	for _, shape := range shapes {
		for _, at := range shape {
			x, y := int(math.Floor(at.x)), int(math.Floor(at.y))
			b = b.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return b
}

// stroke draws a line through points, with round corners.
func (p *pen) stroke(line []point, thick float64, c color.RGBA) {
	var shapes [][]point
	for i, at := range line {
		shapes = append(shapes, disc(at, thick/2))
		if i == 0 {
			continue
		}
		from := line[i-1]
		dx, dy := at.x-from.x, at.y-from.y
		length := max(math.Hypot(dx, dy), 1e-9)
		nx, ny := dy/length*thick/2, -dx/length*thick/2
		shapes = append(shapes, []point{{from.x + nx, from.y + ny}, {at.x + nx, at.y + ny}, {at.x - nx, at.y - ny}, {from.x - nx, from.y - ny}})
	}
	p.fill(c, shapes...)
}

// area fills what is between a line and the bottom.
func (p *pen) area(line []point, bottom float64, c color.RGBA) {
	if len(line) < 2 {
		return
	}
	shape := append([]point{{line[0].x, bottom}}, line...)
	p.fill(c, append(shape, point{line[len(line)-1].x, bottom}))
}

func (p *pen) dot(x, y, radius float64, c color.RGBA) { p.fill(c, disc(point{x, y}, radius)) }

// dashes draws a broken line straight down.
func (p *pen) dashes(x, top, bottom float64, c color.RGBA) {
	x = math.Round(x)
	for y := top; y < bottom; y += 9 {
		p.rect(x-1, y, x+1, min(y+5, bottom), c)
	}
}

// disc is a circle with so many corners that nobody sees them.
func disc(at point, radius float64) []point {
	const corners = 24
	shape := make([]point, corners)
	for i := range shape {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		shape[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	return shape
}
