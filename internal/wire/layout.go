package wire

// A Layout says where on the canvas who is.
type Layout struct {
	ID, Name string
	Layers   []LayoutLayer
}

// A LayoutLayer is one box of a layout. Sizes are in percent of the canvas.
type LayoutLayer struct {
	LayerIndex, ZIndex  int
	MemberID            string // "" for an empty slot
	PlayingFile         bool
	Position            string
	Reservation         string
	Visible             bool
	X, Y, Width, Height float64
}

// DecodeLayout reads the layout of a layout.changed event.
func DecodeLayout(raw Raw) (Layout, error) {
	p := scanner{s: string(raw)}
	var l Layout
	err := p.object(func(p *scanner, key string) (err error) {
		switch key {
		case "id":
			l.ID, _, err = text(p)
		case "name":
			l.Name, _, err = text(p)
		case "layers":
			err = p.array(func(p *scanner) error {
				if p.peek() != '{' {
					return p.skip()
				}
				var layer LayoutLayer
				if err := p.object(layer.member); err != nil {
					return err
				}
				l.Layers = append(l.Layers, layer)
				return nil
			})
		default:
			err = p.skip()
		}
		return err
	})
	return l, err
}

func (l *LayoutLayer) member(p *scanner, key string) (err error) {
	switch key {
	case "layer_index":
		l.LayerIndex, err = integer(p)
	case "z_index":
		l.ZIndex, err = integer(p)
	case "member_id":
		l.MemberID, _, err = text(p)
	case "playing_file":
		l.PlayingFile, _, err = boolean(p)
	case "position":
		l.Position, _, err = text(p)
	case "reservation":
		l.Reservation, _, err = text(p)
	case "visible":
		l.Visible, _, err = boolean(p)
	case "x":
		l.X, _, err = number(p)
	case "y":
		l.Y, _, err = number(p)
	case "width":
		l.Width, _, err = number(p)
	case "height":
		l.Height, _, err = number(p)
	default:
		err = p.skip()
	}
	return err
}

func integer(p *scanner) (int, error) {
	n, _, err := number(p)
	return int(n), err
}
