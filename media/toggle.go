package media

// A Toggle is a yes or no that may be left open.
type Toggle int

const (
	// Default leaves the choice to whoever is asked.
	Default Toggle = iota
	// On is yes.
	On
	// Off is no.
	Off
)

// Or is the choice, or what is implied when it was left open.
func (t Toggle) Or(implied bool) bool {
	if t == Default {
		return implied
	}
	return t == On
}

// Valid reports whether t is one of the three.
func (t Toggle) Valid() bool { return t >= Default && t <= Off }
