package observable

import (
	"sync/atomic"
	"weak"
)

// A place is a position in a log: before value number seq, which chunk holds or will hold, or the chunk
// after it if chunk is full.
type place struct {
	chunk *chunk
	seq   int64
}

// remember is how many values past its mark a subscription may be before the mark is forgotten.
const remember = 256

// A mark is the place where an accessor was called, from which the subscriptions to what it returned
// begin. It holds everything published since, and rxgo holds it for as long as a subscription lives, so
// the first subscription that is well past it lets it go.
type mark struct {
	log   *log
	chunk atomic.Pointer[chunk] // nil when let go
	seq   int64
}

func newMark(l *log) *mark {
	p := l.here()
	m := &mark{log: l, seq: p.seq}
	m.chunk.Store(p.chunk)
	return m
}

// place is where a subscription begins: at the mark, or here and now once the mark is gone.
func (m *mark) place() place {
	if c := m.chunk.Load(); c != nil {
		return place{c, m.seq}
	}
	return m.log.here()
}

func (m *mark) forget() { m.chunk.Store(nil) }

// A source says what an [Of] reads and from where.
type source struct {
	log  *log
	mark *mark                 // nil: from the value that is current when the subscription is made
	pick func(any) (any, bool) // nil: everything as it is
}

// open makes a reader that begins at the source's place. With a bound above zero it may skip values.
func (s source) open(bound int) *reader {
	r := &reader{log: s.log, mark: s.mark, pick: s.pick, bound: bound}
	s.log.readers.Add(1)
	if s.mark == nil {
		r.place = s.log.here()
	} else {
		r.place = s.mark.place()
	}
	if bound > 0 {
		s.log.addBound(r.place, bound)
		r.place.chunk = nil // from here on the log's window holds what this reader may have
		if s.mark != nil {
			s.mark.forget() // or it would hold what the bound is there to drop
			r.mark = nil
		}
	}
	return r
}

// A reader is one subscription's walk through a log. One goroutine runs it, once.
type reader struct {
	place   place
	log     *log
	mark    *mark // nil when there is none to forget
	pick    func(any) (any, bool)
	bound   int                 // above zero: at most so many values wait, the oldest are dropped
	near    weak.Pointer[chunk] // where a bounded reader last was, instead of place.chunk
	told    bool                // that it is slow
	dropped atomic.Uint64
}

// run hands the values to yield, one by one. It returns true when the log has completed and all of it
// was handed over, false when yield returned false or stop was closed. It holds no lock meanwhile.
func (r *reader) run(stop <-chan struct{}, yield func(any) bool) (completed bool) {
	defer r.close()
	for {
		v, wake, done := r.next()
		switch {
		case done:
			return true
		case wake != nil:
			select {
			case <-wake:
			case <-stop:
				return false
			}
		case !r.give(stop, yield, v):
			return false
		}
	}
}

// close lets go of the log's values, as somebody may go on holding the reader.
func (r *reader) close() {
	r.log.readers.Add(-1)
	r.place.chunk, r.mark = nil, nil
	if r.bound > 0 {
		r.log.removeBound(r.bound)
	}
}

// next takes the next value. If there is none yet it returns a channel to wait for instead, and if there
// will be none it returns done.
func (r *reader) next() (v any, wake <-chan struct{}, done bool) {
	if r.bound > 0 {
		return r.nextBounded()
	}
	for {
		c := r.place.chunk
		i := r.place.seq - c.base
		if i < int64(c.n.Load()) {
			r.place.seq++
			return c.cells[i], nil, false
		}
		if next := c.next.Load(); next != nil && i == chunkLen {
			r.hop(next)
			continue
		}
		if wake, done = r.log.sleep(r.place.seq); wake != nil || done {
			return nil, wake, done
		}
	}
}

// hop moves on to the next chunk, and forgets the mark once it is far enough behind.
func (r *reader) hop(next *chunk) {
	r.place.chunk = next
	if r.mark != nil && r.place.seq-r.mark.seq >= remember {
		r.mark.forget()
		r.mark = nil
	}
	if waiting := r.log.tail.Load().end() - r.place.seq; waiting > behind {
		r.tellSlow(waiting)
	}
}

// nextBounded is next for a reader with a bound, which skips what has waited too long. It has only a weak
// hold on the chunk that it was last at, so that a reader stuck in its function keeps no old ones.
func (r *reader) nextBounded() (v any, wake <-chan struct{}, done bool) {
	for {
		end := r.log.tail.Load().end()
		seq := max(r.place.seq, end-int64(r.bound))
		if seq == end {
			if wake, done = r.log.sleep(seq); wake != nil || done {
				return nil, wake, done
			}
			continue
		}
		near := r.near.Value()
		c := r.log.chunkOf(seq, near)
		if seq < c.base {
			continue // overtaken by the publisher
		}
		if c != near {
			r.near = weak.Make(c)
		}
		if skipped := seq - r.place.seq; skipped > 0 {
			r.dropped.Add(uint64(skipped))
			if r.bound > 1 {
				r.tellSlow(end - seq)
			}
		}
		r.place.seq = seq + 1
		return c.cells[seq-c.base], nil, false
	}
}

// give hands v to yield, unless stop is closed or v is not picked.
func (r *reader) give(stop <-chan struct{}, yield func(any) bool, v any) bool {
	select {
	case <-stop:
		return false
	default:
	}
	if r.pick != nil {
		var ok bool
		if v, ok = r.pick(v); !ok {
			return true
		}
	}
	return yield(v)
}
