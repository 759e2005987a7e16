package sessiontest

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	layoutGrid      = "grid-responsive"
	layoutHighlight = "highlight-1-responsive"

	mobileSuffix = "-mobile"
)

// layouts returns the names that call.layout.list tells; the first is that of a new room.
func layouts() []string {
	names := []string{
		layoutGrid, layoutGrid + mobileSuffix, layoutHighlight, layoutHighlight + mobileSuffix, "1x1", "2x1", "2x2", "5up",
	}
	for n := 3; n <= 10; n++ {
		names = append(names, strconv.Itoa(n)+"x"+strconv.Itoa(n))
	}
	return names
}

func isLayout(name string) bool { return slices.Contains(layouts(), name) }

// slot is one place of a layout, in percent of the canvas.
type slot struct {
	position            string
	x, y, width, height float64
}

// slotsOf returns the places of a layout for so many members. A responsive layout has as many as there are
// members, the highlight six at most; a fixed one always has the same.
func slotsOf(layout string, members int) []slot {
	name, mobile := strings.CutSuffix(layout, mobileSuffix)
	switch {
	case name == layoutHighlight:
		return highlightSlots(members, mobile)
	case name == layoutGrid && mobile:
		return gridSlots(min(2, members), (members+1)/2, members)
	case name == layoutGrid:
		columns := int(math.Ceil(math.Sqrt(float64(members))))
		return gridSlots(columns, divideUp(members, columns), members)
	case name == "5up": // one above, four below
		return append(
			[]slot{{position: "reserved-1", x: 0, y: 0, width: 100, height: 75}}, rowSlots(0, 75, 25, 25, 4, false)...,
		)
	}
	columns, rows, _ := strings.Cut(name, "x")
	c, _ := strconv.Atoi(columns)
	r, _ := strconv.Atoi(rows)
	return gridSlots(c, r, c*r)
}

func divideUp(n, by int) int {
	if by == 0 {
		return 0
	}
	return (n + by - 1) / by
}

// gridSlots lays out slots row by row.
func gridSlots(columns, rows, n int) []slot {
	slots := make([]slot, n)
	for i := range slots {
		slots[i] = slot{
			position: "standard-" + strconv.Itoa(i+1),
			x:        float64(i%columns) * 100 / float64(columns), y: float64(i/columns) * 100 / float64(rows),
			width: 100 / float64(columns), height: 100 / float64(rows),
		}
	}
	return slots
}

// highlightSlots has one large place, which may be reserved, and up to five small ones beside or, on a
// phone, below it.
func highlightSlots(members int, mobile bool) []slot {
	small := min(members-1, 5)
	if small <= 0 {
		return []slot{{position: "reserved-1", width: 100, height: 100}}[:max(members, 0)]
	}
	part := 100 / float64(max(small, 3))
	if mobile {
		return append([]slot{{position: "reserved-1", width: 100, height: 75}}, rowSlots(0, 75, part, 25, small, false)...)
	}
	return append([]slot{{position: "reserved-1", width: 75, height: 100}}, rowSlots(75, 0, 25, part, small, true)...)
}

// rowSlots returns n small places side by side, or one below another.
func rowSlots(x, y, width, height float64, n int, down bool) []slot {
	slots := make([]slot, n)
	for i := range slots {
		slots[i] = slot{position: "standard-" + strconv.Itoa(i+1), x: x, y: y, width: width, height: height}
		if down {
			y += height
		} else {
			x += width
		}
	}
	return slots
}
