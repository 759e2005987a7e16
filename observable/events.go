package observable

// Events is the write side of a stream of events: each one is delivered to everybody who asked before
// it was published. All methods may be called from any goroutine. The zero Events is ready to use and
// replays nothing.
type Events[T any] struct {
	log log
}

// NewEvents makes an Events whose new observers begin with the last replay events, or as many as there
// were. Below 1 there is no replay.
func NewEvents[T any](replay int) *Events[T] {
	e := &Events[T]{}
	if replay > 0 {
		e.log.replay = replay
		e.log.here()
	}
	return e
}

// Publish delivers v to all observers. It never waits for one. After Complete it does nothing.
func (e *Events[T]) Publish(v T) {
	if e.log.tail.Load() != nil {
		e.log.publish(v)
	}
}

// Observe returns the observable of the events from now on, preceded by the replayed ones: nothing that
// is published between this call and a subscription is lost. Call it for each use: an observable that
// is kept and not subscribed to holds every event since in memory.
func (e *Events[T]) Observe() Of[T] {
	return newOf[T](source{log: &e.log, mark: newMark(&e.log)})
}

// Complete ends the observable: observers get what they have not had yet, then completion. Later ones
// get the replayed events, then completion. Calling it again does nothing.
func (e *Events[T]) Complete() { e.log.complete() }
