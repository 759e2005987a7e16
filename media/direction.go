package media

import "fmt"

// Kind is audio or video.
type Kind int

const (
	// KindAudio is sound.
	KindAudio Kind = iota + 1
	// KindVideo is moving pictures.
	KindVideo
)

// String is "audio" or "video", as in SDP.
func (k Kind) String() string {
	switch k {
	case KindAudio:
		return "audio"
	case KindVideo:
		return "video"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

func kindOf(name string) (Kind, bool) {
	switch name {
	case "audio":
		return KindAudio, true
	case "video":
		return KindVideo, true
	}
	return 0, false
}

// Direction says which way media of one kind goes, seen from this side (RFC
// 8866, section 6.7).
type Direction int

const (
	// Inactive is neither way. It is the zero value.
	Inactive Direction = iota
	// SendOnly is from here to the far end.
	SendOnly
	// RecvOnly is from the far end to here.
	RecvOnly
	// SendRecv is both ways.
	SendRecv
)

// DirectionOf builds a direction from its two halves.
func DirectionOf(send, receive bool) Direction {
	d := Inactive
	if send {
		d |= SendOnly
	}
	if receive {
		d |= RecvOnly
	}
	return d
}

// Sends reports whether media goes out.
func (d Direction) Sends() bool { return d&SendOnly != 0 }

// Receives reports whether media comes in.
func (d Direction) Receives() bool { return d&RecvOnly != 0 }

// Reverse is the same direction seen from the far end.
func (d Direction) Reverse() Direction { return DirectionOf(d.Receives(), d.Sends()) }

// String is the attribute of SDP, such as "sendrecv".
func (d Direction) String() string {
	switch d {
	case Inactive:
		return "inactive"
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case SendRecv:
		return "sendrecv"
	}
	return fmt.Sprintf("Direction(%d)", int(d))
}

func directionOf(attribute string) (Direction, bool) {
	for _, d := range []Direction{Inactive, SendOnly, RecvOnly, SendRecv} {
		if attribute == d.String() {
			return d, true
		}
	}
	return Inactive, false
}

// Directions is what a leg does with each kind.
type Directions struct {
	Audio Direction
	Video Direction
}

// Of returns the direction of one kind.
func (d Directions) Of(kind Kind) Direction {
	switch kind {
	case KindAudio:
		return d.Audio
	case KindVideo:
		return d.Video
	}
	return Inactive
}

func (d *Directions) set(kind Kind, to Direction) {
	switch kind {
	case KindAudio:
		d.Audio = to
	case KindVideo:
		d.Video = to
	}
}
