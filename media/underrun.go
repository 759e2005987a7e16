package media

import "time"

// underrunLimit is the longest hole that is taken for a delay and not for a pause.
const underrunLimit = 500 * time.Millisecond

// Underruns is how often sound ran out and more came within half a second: holes
// that the writer made because it was slow, and not the ends of what it had to say.
func (s *Speaker) Underruns() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holes.count
}

// holes counts the underruns of a speaker, under its lock.
type holes struct {
	talking bool      // the last frame was full
	since   time.Time // of a hole that may be one; or zero
	count   uint64
}

// sent notes a frame of which so many samples were sound.
func (h *holes) sent(samples, frame int) {
	full := samples == frame
	if !full && (h.talking || samples > 0) {
		h.since = time.Now()
	}
	h.talking = full
}

// filledBy notes that so many samples were written.
func (h *holes) filledBy(samples int) {
	if samples == 0 || h.since.IsZero() {
		return
	}
	if time.Since(h.since) < underrunLimit {
		h.count++
	}
	h.since = time.Time{}
}

// forget is for what was cut off on purpose.
func (h *holes) forget() { h.talking, h.since = false, time.Time{} }
