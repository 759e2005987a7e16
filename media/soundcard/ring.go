package soundcard

// A ring carries frames of 20 ms between a thread of the sound system, which may
// neither wait nor allocate, and a goroutine. Frames are not copied: they go round.
type ring struct {
	queued, spare chan []int16
}

// newRing makes a ring of so many frames, of which so many may be queued.
func newRing(queued, frames, channels int) ring {
	r := ring{make(chan []int16, queued), make(chan []int16, frames)}
	for range frames {
		r.spare <- make([]int16, frameSize*channels)
	}
	return r
}

// push queues a frame, in place of the oldest if there is no room, and reports
// whether there was. It never waits, because nobody else queues.
func (r ring) push(frame []int16) (fits bool) {
	fits = true
	for {
		select {
		case r.queued <- frame:
			return fits
		default:
		}
		select {
		case oldest := <-r.queued:
			r.spare <- oldest
			fits = false
		default:
		}
	}
}

// empty drops what is queued.
func (r ring) empty() {
	for {
		select {
		case frame := <-r.queued:
			r.spare <- frame
		default:
			return
		}
	}
}
