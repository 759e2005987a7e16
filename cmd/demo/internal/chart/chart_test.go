package chart

import (
	"image"
	"image/color"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var blue = color.RGBA{0x1f, 0x77, 0xb4, 0xff}

// sample has two panels over 100 seconds, with nothing measured from 40 to 60.
func sample() Chart {
	c := Chart{
		Title: "A title", Subtitle: "a subtitle", Seconds: 100,
		Bands: []Band{{0, 50, "early", "a note", color.RGBA{0xdc, 0xee, 0xd2, 0xff}}, {50, 100, "late", "", color.RGBA{0xf3, 0xb4, 0xae, 0xff}}},
		Marks: []Mark{{20, "something was tried", Neutral}, {22, "it failed", Bad}, {99, "it went well in the end", Good}},
	}
	for _, height := range []float64{3, 40} {
		p := Panel{Name: "a figure", Unit: "ms", High: 10, Color: blue}
		for at := 0.0; at <= 100; at++ {
			p.Points = append(p.Points, Point{At: at, Value: height, Hole: at > 40 && at < 60})
		}
		c.Panels = append(c.Panels, p)
	}
	return c
}

// count counts the pixels of a colour in a part of a picture.
func count(img *image.RGBA, in image.Rectangle, c color.RGBA) (n int) {
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if img.RGBAAt(x, y) == c {
				n++
			}
		}
	}
	return n
}

// between is the part of a panel from one time to another.
func between(c Chart, panel int, from, to float64) image.Rectangle {
	a := c.PanelArea(panel)
	return image.Rect(int(c.x(from)), a.Min.Y, int(c.x(to)), a.Max.Y)
}

func TestEachPanelHasItsLine(t *testing.T) {
	c := sample()
	img, err := c.Draw()
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Panels {
		if n, want := count(img, between(c, i, 0, 40), blue), int(c.x(40)-c.x(0)); n < want {
			t.Errorf("panel %d has %d pixels of its colour, want one for each of %d columns", i, n, want)
		}
		if n := count(img, between(c, i, 41, 59), blue); n != 0 {
			t.Errorf("panel %d has %d pixels where nothing was measured", i, n)
		}
	}
}

// The line of the first panel is where its scale says.
func TestLineIsAtItsValue(t *testing.T) {
	c := sample()
	img, err := c.Draw()
	if err != nil {
		t.Fatal(err)
	}
	a := c.PanelArea(0)
	top := 0
	for y := a.Min.Y; y < a.Max.Y && top == 0; y++ {
		if img.RGBAAt(int(c.x(10)), y) == blue {
			top = y
		}
	}
	if want := float64(a.Max.Y) - 0.3*float64(a.Dy()-6); math.Abs(float64(top)-want) > 3 {
		t.Errorf("3 of 10 is at %d, want %v", top, want)
	}
}

func TestBandsColourTheirTime(t *testing.T) {
	c := sample()
	img, err := c.Draw()
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range c.Bands {
		x := int(c.x((b.From+b.To)/2)) + 20 // beside the middle, where its name is
		if got := img.RGBAAt(x, headHeight+2); got != b.Color {
			t.Errorf("band %d is headed in %v", i, got)
		}
		if got := img.RGBAAt(int(c.x(50)), c.PanelArea(1).Min.Y+2); got != pale(c.Bands[1].Color) {
			t.Errorf("behind the panel is %v", got)
		}
	}
}

// Labels are in the picture, and no two of a row overlap.
func TestLabelsKeepOutOfEachOthersWay(t *testing.T) {
	p, err := newPen()
	if err != nil {
		t.Fatal(err)
	}
	c := sample()
	for at := range 10 {
		c.Marks = append(c.Marks, Mark{float64(10 * at), "something else was tried here", Neutral})
	}
	slices.SortStableFunc(c.Marks, func(a, b Mark) int { return int(a.At - b.At) })
	labels, rows := c.labels(p)
	for i, l := range labels {
		end := l.from + p.measure(l.Label, p.small)
		if l.from < 0 || end > width {
			t.Errorf("%q goes from %v to %v", l.Label, l.from, end)
		}
		for _, other := range labels[:i] {
			if other.y == l.y && other.from+p.measure(other.Label, p.small) > min(l.from, l.x) && end > other.from {
				t.Errorf("%q at %v and at %v overlap", l.Label, other.from, l.from)
			}
		}
	}
	if rows < 2 || rows > len(labels) {
		t.Errorf("%d rows for %d labels", rows, len(labels))
	}
}

func TestMarksAreInTheirColour(t *testing.T) {
	c := sample()
	img, err := c.Draw()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Marks {
		if n := count(img, between(c, 0, m.At-0.2, m.At+0.3), m.Kind.color()); n < 50 {
			t.Errorf("the line of %q has %d pixels", m.Label, n)
		}
	}
}

func TestChartWithoutAnythingIsDrawn(t *testing.T) {
	img, err := Chart{Panels: []Panel{{Name: "nothing", High: 1}}}.Draw()
	if err != nil || img.Bounds().Dx() != width {
		t.Errorf("%v", err)
	}
}

func TestScalesEndAtRoundNumbers(t *testing.T) {
	for v, want := range map[float64]float64{0: 1, 1: 1, 1.2: 1.5, 7: 8, 47: 50, 95: 100, 100: 100, 127: 150, 815: 1000} {
		if got := round(v); got != want {
			t.Errorf("a scale for %v ends at %v, want %v", v, got, want)
		}
	}
	fixed := Panel{High: 5, Fixed: true, Points: []Point{{Value: 9}}}
	if fixed.top() != 5 {
		t.Errorf("a fixed scale ends at %v", fixed.top())
	}
}

func TestTicksAreRoundAndNotTooMany(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		most      int
		want      []float64
	}{
		{1, 5, 4, []float64{1, 2, 3, 4, 5}}, {0, 1000, 4, []float64{0, 500, 1000}}, {0, 150, 4, []float64{0, 50, 100, 150}},
		{0, 80, 4, []float64{0, 20, 40, 60, 80}}, {0, 86.5, 10, []float64{0, 10, 20, 30, 40, 50, 60, 70, 80}},
	} {
		if diff := cmp.Diff(c.want, ticks(c.low, c.high, c.most)); diff != "" {
			t.Errorf("ticks from %v to %v (-want +got):\n%s", c.low, c.high, diff)
		}
	}
}
