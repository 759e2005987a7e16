package main

import (
	"strings"
	"testing"

	"github.com/callrx/callrx/session"
)

func TestCanvasShowsWhoIsWhere(t *testing.T) {
	got := canvas([]session.LayoutLayer{
		{MemberID: "1", Width: 75, Height: 100},
		{MemberID: "2", X: 75, Width: 25, Height: 50},
		{X: 75, Y: 50, Width: 25, Height: 50},
		{MemberID: "3", X: -20, Y: 200, Width: 500, Height: 1}, // off the canvas
	}, func(id string) string { return map[string]string{"1": "ann", "2": "bartholomew the long"}[id] })
	want := strings.Join([]string{
		"+----------------------------+---------+",
		"|ann                         |bartholom|",
		"|                            |         |",
		"|                            |         |",
		"|                            +---------+",
		"|                            |         |",
		"|                            |         |",
		"|                            |         |",
		"+--------------------------------------+",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
