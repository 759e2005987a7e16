package media

// OfferedDirections says what an SDP offers of each kind, seen from the side
// that offers. What cannot be read is not offered.
func OfferedDirections(offer string) Directions {
	var d Directions
	_, sections, err := parseRemote(offer)
	if err != nil {
		return d
	}
	for _, s := range sections {
		if s.kind != 0 && s.media.MediaName.Port.Value != 0 {
			d.set(s.kind, s.direction)
		}
	}
	return d
}
