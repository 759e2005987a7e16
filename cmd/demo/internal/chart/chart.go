// Package chart draws what was measured over a time: panels one below the other over the same seconds, with
// bands for what the time was like and marks for what happened in it.
package chart

import (
	"image"
	"image/color"
)

// A Chart is what is to be drawn. Times are seconds from its beginning.
type Chart struct {
	Title, Subtitle string
	Seconds         float64 // how long it is
	Bands           []Band
	Panels          []Panel
	Marks           []Mark
}

// A Band is a time with a name.
type Band struct {
	From, To float64
	Name     string
	Note     string // in smaller letters below the name
	Color    color.RGBA
}

// A Panel is one figure. Where Points have a hole nothing is drawn.
type Panel struct {
	Name, Unit string
	Low, High  float64 // of the scale; High grows to a round number above the highest point
	Fixed      bool    // High does not grow
	Points     []Point
	Color      color.RGBA
}

// A Point is a value at a time.
type Point struct {
	At, Value float64
	Hole      bool // there was nothing to measure
}

// A Mark is something that happened.
type Mark struct {
	At    float64
	Label string
	Kind  Kind
}

// Kind is what a mark means.
type Kind int

const (
	Neutral Kind = iota
	Bad
	Good
)

// The size of the picture and of its parts, in pixels.
const (
	width       = 1600
	left, right = 150, 40

	headHeight    = 92
	bandHeight    = 54
	panelHeight   = 200
	panelGap      = 22
	axisHeight    = 46
	markRowHeight = 26
	foot          = 20
)

// Draw draws it.
func (c Chart) Draw() (*image.RGBA, error) {
	p, err := newPen()
	if err != nil {
		return nil, err
	}
	labels, rows := c.labels(p)
	p.begin(width, c.PanelArea(len(c.Panels)-1).Max.Y+axisHeight+rows*markRowHeight+foot)
	c.head(p)
	c.bands(p)
	for i := range c.Panels {
		c.panel(p, i)
	}
	c.axis(p)
	c.marks(p, labels)
	return p.img, nil
}

// PanelArea is where the points of a panel are drawn.
func (c Chart) PanelArea(i int) image.Rectangle {
	y := headHeight + bandHeight + i*(panelHeight+panelGap)
	return image.Rect(left, y, width-right, y+panelHeight)
}

// x is where a time is.
func (c Chart) x(at float64) float64 {
	return left + at/max(c.Seconds, 1)*float64(width-left-right)
}

func (c Chart) head(p *pen) {
	p.text(left, 46, c.Title, p.title, ink, toLeft)
	p.text(left, 76, c.Subtitle, p.plain, faint, toLeft)
}

// bands are drawn over everything that is below them, their names on top.
func (c Chart) bands(p *pen) {
	for _, b := range c.Bands {
		from, to := c.x(b.From), c.x(b.To)
		p.rect(from, headHeight, to, headHeight+bandHeight-8, b.Color)
		for i := range c.Panels {
			a := c.PanelArea(i)
			p.rect(from, float64(a.Min.Y), to, float64(a.Max.Y), pale(b.Color))
		}
		middle := (from + to) / 2
		p.fitted(middle, headHeight+20, to-from-8, b.Name, p.bold, ink)
		p.fitted(middle, headHeight+39, to-from-8, b.Note, p.small, faint)
	}
}

// axis is the seconds, below the last panel.
func (c Chart) axis(p *pen) {
	bottom := float64(c.PanelArea(len(c.Panels) - 1).Max.Y)
	for _, s := range ticks(0, c.Seconds, 10) {
		x := c.x(s)
		p.rect(x-0.5, bottom, x+0.5, bottom+6, faint)
		p.text(x, bottom+24, number(s)+" s", p.small, faint, toMiddle)
	}
}

// panel draws one figure.
func (c Chart) panel(p *pen, i int) {
	panel, a := c.Panels[i], c.PanelArea(i)
	high := panel.top()
	y := func(v float64) float64 {
		share := (min(max(v, panel.Low), high) - panel.Low) / (high - panel.Low)
		return float64(a.Max.Y) - share*float64(a.Dy()-6)
	}
	for _, v := range ticks(panel.Low, high, 4) {
		p.rect(left, y(v)-0.5, width-right, y(v)+0.5, grid)
		p.text(left-12, y(v)+5, number(v), p.small, faint, toRight)
	}
	p.rect(left-1, float64(a.Min.Y), left, float64(a.Max.Y), faint)
	middle := float64(a.Min.Y+a.Max.Y) / 2
	p.text(20, middle-2, panel.Name, p.bold, panel.Color, toLeft)
	p.text(20, middle+18, panel.Unit, p.small, faint, toLeft)
	for _, run := range panel.runs() {
		var line []point
		for _, v := range run {
			line = append(line, point{c.x(v.At), y(v.Value)})
		}
		p.area(line, float64(a.Max.Y), thin(panel.Color))
		p.stroke(line, 2.6, panel.Color)
	}
}

// runs are the points between holes.
func (p Panel) runs() (runs [][]Point) {
	var run []Point
	for _, v := range append(p.Points, Point{Hole: true}) {
		switch {
		case !v.Hole:
			run = append(run, v)
		case len(run) > 0:
			runs, run = append(runs, run), nil
		}
	}
	return runs
}

// top is where the scale ends.
func (p Panel) top() float64 {
	if p.Fixed {
		return p.High
	}
	high := p.High
	for _, v := range p.Points {
		if !v.Hole {
			high = max(high, v.Value)
		}
	}
	return round(high)
}

// A label is where that of a mark is.
type label struct {
	Mark
	x, from, y float64 // of the dot, of the text, of both
}

// labels puts those of the marks into as many rows as keep them out of each other's way.
func (c Chart) labels(p *pen) (all []label, rows int) {
	top := float64(c.PanelArea(len(c.Panels)-1).Max.Y + axisHeight)
	var ends []float64 // of the last label in each row
	for _, m := range c.Marks {
		l := label{Mark: m, x: c.x(m.At)}
		length := p.measure(m.Label, p.small)
		if l.from = l.x + 12; l.from+length > width-4 { // the text stays in the picture
			l.from = l.x - 12 - length
		}
		row := 0
		for row < len(ends) && ends[row] > min(l.from, l.x-12) {
			row++
		}
		if row == len(ends) {
			ends = append(ends, 0)
		}
		ends[row], l.y = max(l.from+length, l.x), top+(float64(row)+0.5)*markRowHeight
		all = append(all, l)
	}
	return all, len(ends)
}

// marks are lines through all panels, with their labels below.
func (c Chart) marks(p *pen, labels []label) {
	if len(labels) == 0 {
		return
	}
	for _, l := range labels {
		p.dashes(l.x, float64(c.PanelArea(0).Min.Y), l.y, l.Kind.color())
	}
	for _, l := range labels {
		p.rect(l.from-3, l.y-10, l.from+p.measure(l.Label, p.small)+3, l.y+10, paper)
		p.dot(l.x, l.y, 5.5, l.Kind.color())
		p.text(l.from, l.y+5, l.Label, p.small, l.Kind.color(), toLeft)
	}
	p.text(20, labels[0].y+5, "recovery", p.bold, ink, toLeft)
}
