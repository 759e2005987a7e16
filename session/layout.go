package session

import (
	"strconv"
	"strings"

	"github.com/callrx/callrx/internal/wire"
)

// A LayoutLayer is one box on a room's canvas. X, Y, Width and Height are in
// percent of the canvas.
type LayoutLayer struct {
	LayerIndex  int
	ZIndex      int
	MemberID    string // empty: nobody is in it
	PlayingFile bool
	Position    string // which slot it is: "standard-1", "reserved-1" and so on
	Reservation string
	Visible     bool

	X, Y, Width, Height float64
}

func newLayers(from []wire.LayoutLayer) []LayoutLayer {
	var layers []LayoutLayer
	for _, l := range from {
		layers = append(layers, LayoutLayer(l))
	}
	return layers
}

// A VideoPosition is the slot of a layout that a member asks for.
type VideoPosition string

const (
	// PositionAuto leaves the choice to the room.
	PositionAuto VideoPosition = "auto"
	// PositionOffCanvas is nowhere: the member is not shown.
	PositionOffCanvas VideoPosition = "off-canvas"
	// PositionPlayback is the slot of what is played.
	PositionPlayback VideoPosition = "playback"
	// PositionFullScreen is all of the canvas.
	PositionFullScreen VideoPosition = "full-screen"
)

// ReservedPosition is a slot that only those get who ask for it.
func ReservedPosition(n int) VideoPosition { return VideoPosition("reserved-" + strconv.Itoa(n)) }

// StandardPosition is a slot that is filled with whoever is there.
func StandardPosition(n int) VideoPosition { return VideoPosition("standard-" + strconv.Itoa(n)) }

// Valid reports whether p is a position that the service knows. Whether the
// layout has the slot is another matter: one that it lacks is accepted and has
// no effect.
func (p VideoPosition) Valid() bool {
	switch p {
	case PositionAuto, PositionOffCanvas, PositionPlayback, PositionFullScreen:
		return true
	}
	for _, kind := range []string{"reserved-", "standard-"} {
		if number, ok := strings.CutPrefix(string(p), kind); ok {
			n, err := strconv.Atoi(number)
			return err == nil && n >= 0 && strconv.Itoa(n) == number
		}
	}
	return false
}
