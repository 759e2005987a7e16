package observable

// behind is how many values may wait for a lossless subscription before it
// counts as slow.
const behind = 4096

// Lag says how far behind a slow subscription is.
type Lag struct {
	Waiting int    // values that it has not had yet
	Dropped uint64 // values that it has skipped
}

// OnSlow has fn called once for each subscription that turns out to be slow: a
// [Bounded] one that begins to lose values, or one without a bound that more
// than 4096 values wait for. One with [Latest] means to skip values and is never
// slow. It is noticed when the subscription takes a value, on its goroutine, so
// that publishing costs the same; one that takes none at all is not noticed.
// Call OnSlow before anybody else uses e.
func (e *Events[T]) OnSlow(fn func(Lag)) { e.log.slow = fn }

// OnSlow is that of [Events.OnSlow].
func (s *State[T]) OnSlow(fn func(Lag)) { s.log.slow = fn }

// tellSlow tells that the reader is slow, the first time.
func (r *reader) tellSlow(waiting int64) {
	if r.log.slow != nil && !r.told {
		r.told = true
		r.log.slow(Lag{Waiting: int(waiting), Dropped: r.dropped.Load()})
	}
}
