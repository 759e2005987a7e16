package relay

import "hash/maphash"

// recentSize is how many event ids are remembered.
const recentSize = 256

// recent recognises events that were delivered before: the service repeats
// those whose acknowledgement it missed. It remembers hashes, so that it does
// not keep the frames that the ids point into.
type recent struct {
	seed maphash.Seed
	seen map[uint64]struct{}
	ring []uint64
	next int
}

// before reports whether id was given before, and remembers it.
func (s *recent) before(id string) bool {
	if s.seen == nil {
		s.seed, s.seen = maphash.MakeSeed(), map[uint64]struct{}{}
	}
	h := maphash.String(s.seed, id)
	if _, ok := s.seen[h]; ok {
		return true
	}
	s.seen[h] = struct{}{}
	if len(s.ring) < recentSize {
		s.ring = append(s.ring, h)
		return false
	}
	delete(s.seen, s.ring[s.next])
	s.ring[s.next] = h
	s.next = (s.next + 1) % recentSize
	return false
}
