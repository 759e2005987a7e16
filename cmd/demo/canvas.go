package main

import (
	"strings"

	"github.com/callrx/callrx/session"
)

const canvasWidth, canvasHeight = 40, 9 // characters

// canvas draws a layout with the names of who is where.
func canvas(layers []session.LayoutLayer, name func(memberID string) string) string {
	rows := make([][]byte, canvasHeight)
	for y := range rows {
		rows[y] = []byte(strings.Repeat(" ", canvasWidth))
	}
	for _, l := range layers {
		left, right := column(l.X), column(l.X+l.Width)
		top, bottom := row(l.Y), row(l.Y+l.Height)
		for y := top; y <= bottom; y++ {
			rows[y][left], rows[y][right] = '|', '|'
		}
		for x := left; x <= right; x++ {
			rows[top][x], rows[bottom][x] = '-', '-'
		}
		for _, y := range []int{top, bottom} {
			rows[y][left], rows[y][right] = '+', '+'
		}
		if room := right - left - 1; l.MemberID != "" && room > 0 && bottom > top+1 {
			text := name(l.MemberID)
			copy(rows[top+1][left+1:right], text[:min(room, len(text))])
		}
	}
	var lines []string
	for _, r := range rows {
		lines = append(lines, strings.TrimRight(string(r), " "))
	}
	return strings.Join(lines, "\n")
}

// column and row are where a percentage of the canvas is.
func column(percent float64) int { return on(canvasWidth, percent) }
func row(percent float64) int    { return on(canvasHeight, percent) }

func on(size int, percent float64) int {
	return max(0, min(size-1, int(percent/100*float64(size-1)+0.5)))
}
