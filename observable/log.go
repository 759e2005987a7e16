package observable

import (
	"slices"
	"sync"
	"sync/atomic"
)

// chunkLen is the number of values in a chunk. Small, because a watched subject keeps one.
const chunkLen = 16

// A chunk is a run of published values. The publisher fills it under the log's lock and raises n after
// each value; readers load n and need no lock. Links point forward only, so a chunk lives exactly as
// long as somebody still has it, or one before it, to read.
type chunk struct {
	base  int64 // number of the first value, counted from the first one the log kept
	n     atomic.Int32
	next  atomic.Pointer[chunk]
	cells [chunkLen]any
}

// end is the number that the value after the chunk's last one has or will have.
func (c *chunk) end() int64 { return c.base + int64(c.n.Load()) }

// A log is the append-only list of what one subject published. A subscriber is a place in it: it has no
// queue, and without a bound no seat in a registry, so a slow one costs the publisher nothing, and what
// nobody has left to read is garbage. Values are kept as interfaces, so that the boxing that rxgo wants
// is paid once per value and not once per delivery.
//
// The zero log is unwatched: it keeps nothing until somebody looks.
type log struct {
	replay int       // how many old values a new reader begins with; never changes
	slow   func(Lag) // told of slow readers; nil: nobody is. Never changes

	// Stored under mu, loaded by anyone.
	value atomic.Pointer[any]   // the current value of a State while it is unwatched
	head  atomic.Pointer[chunk] // the oldest chunk of the window, which is the last keep values
	tail  atomic.Pointer[chunk] // nil while unwatched

	readers atomic.Int32 // subscriptions that have not ended

	mu     sync.Mutex
	keep   int           // the largest of replay and bounds
	bounds []int         // the limit of each bounded reader
	wake   chan struct{} // closed by the next change; nil when nobody sleeps
	ended  chan struct{} // closed by complete; nil until somebody asks for it
	done   bool
}

// here is the place where a reader that begins now begins: before the replayed values. From the first
// call on the log is watched.
func (l *log) here() place {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tail.Load() == nil {
		l.startLocked()
	}
	seq := max(l.tail.Load().end()-int64(l.replay), l.head.Load().base)
	return place{l.chunkOf(seq, nil), seq}
}

func (l *log) startLocked() {
	c := &chunk{}
	if v := l.value.Load(); v != nil {
		c.cells[0] = *v
		c.n.Store(1)
	}
	l.keep = l.replay
	l.head.Store(c)
	l.tail.Store(c)
	l.value.Store(nil)
}

// current is where the current value of a State is: the last value that readers can see.
func (l *log) current() *any {
	for {
		if c := l.tail.Load(); c != nil {
			for next := c.next.Load(); next != nil; next = c.next.Load() {
				c = next // linked, and about to become the tail
			}
			return &c.cells[c.n.Load()-1]
		}
		if v := l.value.Load(); v != nil {
			return v
		}
	}
}

// publish adds v. A log that is unwatched or has completed ignores it.
func (l *log) publish(v any) {
	l.mu.Lock()
	if !l.done && l.tail.Load() != nil {
		l.appendLocked(v)
	}
	l.unlockAndWake()
}

// replace adds v, provided that the current value still is the one at old; false means that somebody
// was faster. A completed log ignores v.
func (l *log) replace(old *any, v any) bool {
	l.mu.Lock()
	if l.done || l.current() != old {
		defer l.mu.Unlock()
		return l.done
	}
	if l.tail.Load() != nil {
		l.appendLocked(v)
	} else {
		l.value.Store(boxed(v))
	}
	l.unlockAndWake()
	return true
}

func boxed(v any) *any { return &v }

// appendLocked adds a value for every reader to see.
func (l *log) appendLocked(v any) {
	c := l.tail.Load()
	if n := c.n.Load(); n < chunkLen {
		c.cells[n] = v
		c.n.Store(n + 1)
		return
	}
	next := &chunk{base: c.base + chunkLen}
	next.cells[0] = v
	next.n.Store(1)
	c.next.Store(next)
	l.tail.Store(next)
	l.trimLocked()
}

// trimLocked lets go of the chunks before the window.
func (l *log) trimLocked() {
	from := l.tail.Load().end() - int64(l.keep)
	c := l.head.Load()
	for c.base+chunkLen <= from && c.next.Load() != nil {
		c = c.next.Load()
	}
	l.head.Store(c)
}

// complete ends the log: readers finish what is there, then end.
func (l *log) complete() {
	l.mu.Lock()
	if !l.done && l.ended != nil {
		close(l.ended)
	}
	l.done = true
	l.unlockAndWake()
}

// unlockAndWake ends a change of the log.
func (l *log) unlockAndWake() {
	wake := l.wake
	l.wake = nil
	l.mu.Unlock()
	if wake != nil {
		close(wake)
	}
}

// completed returns a channel that is closed when the log has completed.
func (l *log) completed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended == nil {
		l.ended = make(chan struct{})
		if l.done {
			close(l.ended)
		}
	}
	return l.ended
}

// sleep returns the channel that the next change closes, unless value number seq is there already
// (nil, false) or never will be (nil, true).
func (l *log) sleep(seq int64) (wake <-chan struct{}, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq < l.tail.Load().end() {
		return nil, false
	}
	if l.done {
		return nil, true
	}
	if l.wake == nil {
		l.wake = make(chan struct{})
	}
	return l.wake, false
}

// chunkOf is the chunk that holds value number seq, or will hold it. If the window has moved past seq it
// is a later one. The way there starts from near if that is a chunk closer by.
func (l *log) chunkOf(seq int64, near *chunk) *chunk {
	if tail := l.tail.Load(); seq >= tail.base {
		return tail
	}
	c := l.head.Load()
	if near != nil && near.base > c.base && near.base <= seq {
		c = near
	}
	for c.base+chunkLen <= seq {
		c = c.next.Load()
	}
	return c
}

// addBound makes the window hold the last n values, those from p on included.
func (l *log) addBound(p place, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bounds = append(l.bounds, n)
	l.keep = max(l.keep, n)
	if p.chunk.base < l.head.Load().base {
		l.head.Store(p.chunk)
	}
	l.trimLocked()
}

// removeBound takes back one addBound.
func (l *log) removeBound(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.bounds, n)
	l.bounds = slices.Delete(l.bounds, i, i+1)
	if n == l.keep {
		l.keep = l.replay
		for _, b := range l.bounds {
			l.keep = max(l.keep, b)
		}
	}
	l.trimLocked()
}
