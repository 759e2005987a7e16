package observable

// A State is the write side of a value that changes: it has a current value, new observers begin with
// it, and setting an equal value again is not a change. Make one with [NewState] or [NewStateFunc]; all
// methods may be called from any goroutine. A State that nobody watches has no goroutine and no log.
type State[T any] struct {
	log   log
	equal func(a, b T) bool
}

// NewState makes a State whose values are compared with ==. If T is an interface type, the values in it
// must be comparable, as == panics on others.
func NewState[T comparable](initial T) *State[T] {
	return NewStateFunc(initial, func(a, b T) bool { return a == b })
}

// NewStateFunc makes a State whose values are compared by equal, a function without side effects. With
// a nil equal no two values are equal, and every Set is a change.
func NewStateFunc[T any](initial T, equal func(a, b T) bool) *State[T] {
	s := &State[T]{equal: equal}
	s.log.replay = 1
	v := any(initial)
	s.log.value.Store(&v)
	return s
}

// Set makes v the current value and tells the observers, unless it equals the current one. It never
// waits for an observer. After Complete it does nothing.
func (s *State[T]) Set(v T) {
	for {
		old := s.log.current()
		if s.equal != nil {
			if cur, _ := (*old).(T); s.equal(cur, v) {
				return
			}
		}
		if s.log.replace(old, v) {
			return
		}
	}
}

// Get returns the current value. It takes no lock, and keeps in step with the observers: it is never
// newer than what they have been given to read, nor older than what one of them has read.
func (s *State[T]) Get() T {
	v, _ := (*s.log.current()).(T)
	return v
}

// Watched reports whether anybody is subscribed at this moment, by whichever way of reading. Whoever sets
// the state may spare itself the work of finding values that nobody watches.
func (s *State[T]) Watched() bool { return s.log.readers.Load() > 0 }

// Observe returns the observable of this state. Each subscription begins with the value that is current
// when it is made, and then has every change. Keeping the observable costs nothing.
func (s *State[T]) Observe() Of[T] {
	return newOf[T](source{log: &s.log})
}

// Complete ends the observable: observers get what they have not had yet, then completion. Later ones
// get the last value, then completion. Calling it again does nothing.
func (s *State[T]) Complete() { s.log.complete() }
