package sessiontest

import (
	"slices"
	"strings"
)

const (
	positionAuto      = "auto"
	positionOffCanvas = "off-canvas"
	positionFull      = "full-screen"
	positionPlayback  = "playback"
)

// layer is one place of a layout, with who is there. Sizes are in percent of the canvas.
type layer struct {
	LayerIndex  int     `json:"layer_index"`
	ZIndex      int     `json:"z_index"`
	MemberID    string  `json:"member_id,omitempty"`
	PlayingFile bool    `json:"playing_file"`
	Position    string  `json:"position"`
	Reservation string  `json:"reservation"`
	Visible     bool    `json:"visible"`
	X           float64 `json:"x"`
	Y           float64 `json:"y"`
	Width       float64 `json:"width"`
	Height      float64 `json:"height"`
}

// layersLocked places the members of the room: who asked for a place first, the others in their order.
// Who finds none has no layer, and a place that nobody takes stays empty.
func (r *room) layersLocked() []layer {
	shown, full := r.shownLocked()
	layers := []layer{}
	for i, s := range slotsOf(r.state.Layout, len(shown)) {
		layers = append(layers, layer{
			LayerIndex: i, Position: s.position, X: s.x, Y: s.y, Width: s.width, Height: s.height, Visible: true,
		})
	}
	taken := map[*leg]bool{}
	for _, l := range shown {
		if i := slices.IndexFunc(layers, func(y layer) bool { return y.Position == l.flags.RequestedPosition }); i >= 0 && layers[i].MemberID == "" {
			layers[i].place(l)
			layers[i].Reservation = l.flags.RequestedPosition
			taken[l] = true
		}
	}
	for _, l := range shown {
		i := slices.IndexFunc(layers, func(y layer) bool { return y.MemberID == "" })
		if i >= 0 && !taken[l] {
			layers[i].place(l)
		}
	}
	for _, l := range full {
		top := layer{LayerIndex: len(layers), ZIndex: 1, Position: positionFull, Width: 100, Height: 100}
		top.place(l)
		layers = append(layers, top)
	}
	return layers
}

func (y *layer) place(l *leg) { y.MemberID, y.Visible = l.memberID, l.flags.Visible }

// shownLocked returns who is to be seen: those who share the canvas, the first choice first, and those who
// asked for all of it.
func (r *room) shownLocked() (shared, full []*leg) {
	for _, l := range r.legs {
		hidden := l.flags.VideoMuted && r.state.HideVideoMuted
		switch {
		case l.head().audience, hidden, l.flags.RequestedPosition == positionOffCanvas:
		case l.flags.RequestedPosition == positionFull:
			full = append(full, l)
		default:
			shared = append(shared, l)
		}
	}
	slices.SortStableFunc(shared, func(a, b *leg) int { return r.rankLocked(a) - r.rankLocked(b) })
	return shared, full
}

// rankLocked is low for who comes first in the layout: raised hands where they have priority and, in a
// layout with a highlight, a screen and then whoever spoke last.
func (r *room) rankLocked(l *leg) int {
	highlight := strings.HasPrefix(r.state.Layout, "highlight") || r.state.Layout == "5up"
	switch {
	case highlight && l.kind == "screen":
		return 0
	case r.state.PrioritizeHandRaise && l.flags.HandRaised:
		return 1
	case highlight && len(r.floor) > 0 && r.floor[0] == l:
		return 2
	}
	return 3
}

// hasPositionLocked tells whether a member can be anywhere by that name.
func (r *room) hasPositionLocked(position string) bool {
	switch position {
	case positionAuto, positionOffCanvas, positionFull:
		return true
	}
	if position == positionPlayback && strings.HasPrefix(r.state.Layout, layoutHighlight) {
		return true // where a file would play; meanwhile it is like auto
	}
	return slices.ContainsFunc(slotsOf(r.state.Layout, 100), func(s slot) bool { return s.position == position })
}

func (r *room) sendLayoutLocked() {
	layers := r.layersLocked()
	r.shown = first(layers)
	name := r.state.Layout
	r.broadcastLocked("layout.changed", nil, map[string]any{
		"layout": map[string]any{"id": name, "name": name, "layers": layers},
	})
}

// first returns the member in the first place, "" for nobody.
func first(layers []layer) string {
	if len(layers) == 0 {
		return ""
	}
	return layers[0].MemberID
}

// showSpeakerLocked sends the layout when somebody else is highlighted now.
func (r *room) showSpeakerLocked() {
	if r.hasVideo() && first(r.layersLocked()) != r.shown {
		r.sendLayoutLocked()
	}
}

// hasVideo tells whether somebody in the room shows or sees something.
func (r *room) hasVideo() bool { return slices.ContainsFunc(r.legs, (*leg).hasVideo) }
