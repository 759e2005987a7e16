package sessiontest

import (
	"fmt"
	"math"
	"slices"
)

// layouts are the names that call.layout.list tells; the first is that of a new room.
var layouts = [...]string{"grid-responsive", "highlight-1-responsive", "1x1", "2x2", "3x3"}

// layer is one place of a layout. Sizes are in percent of the canvas.
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

// layersLocked places the members of the room.
func (r *room) layersLocked() []layer {
	layers := []layer{}
	columns := max(1, int(math.Ceil(math.Sqrt(float64(len(r.legs))))))
	rows := max(1, (len(r.legs)+columns-1)/columns)
	for i, l := range r.legs {
		place := layer{
			LayerIndex: i, MemberID: l.memberID, Position: fmt.Sprintf("standard-%d", i+1), Visible: l.flags.Visible,
			X: float64(i%columns) * 100 / float64(columns), Y: float64(i/columns) * 100 / float64(rows),
			Width: 100 / float64(columns), Height: 100 / float64(rows),
		}
		if p := l.flags.RequestedPosition; p != "auto" {
			place.Position = p
		}
		layers = append(layers, place)
	}
	return layers
}

func (r *room) layoutLocked() map[string]any {
	return map[string]any{"layout": map[string]any{"id": r.layout, "name": r.layout, "layers": r.layersLocked()}}
}

func (r *room) sendLayoutLocked() { r.broadcastLocked("layout.changed", nil, r.layoutLocked()) }

func listLayouts(*controlCall) (map[string]any, *refusal) {
	return map[string]any{"layouts": layouts[:]}, nil
}

func setLayout(c *controlCall) (map[string]any, *refusal) {
	if !slices.Contains(layouts[:], c.params.Layout) {
		return nil, &refusal{"404", "Layout not found"}
	}
	r := c.self.room
	c.after(c.t, func() {
		r.layout = c.params.Layout
		r.sendLayoutLocked()
	})
	return nil, nil
}

// layoutChanged sends the layout after the answer, if the room has video.
func (c *controlCall) layoutChanged() {
	r := c.self.room
	c.after(c.t, func() {
		if slices.ContainsFunc(r.legs, (*leg).hasVideo) {
			r.sendLayoutLocked()
		}
	})
}
