package session

import (
	"sync"

	"github.com/callrx/callrx/observable"
)

// facts is a snapshot of which each part can be observed by itself. A part costs
// nothing until somebody observes it: a room of a thousand members would
// otherwise hold twenty thousand states.
//
// The snapshot is immutable: a change is another one. Those who read it, and
// those who observe a part, see a change at the same moment.
type facts[S any] struct {
	mu    sync.Mutex // guards the rest
	now   *S
	parts map[factKey]part[S]
	over  bool
}

// A factKey tells the parts of one kind of snapshot from one another.
type factKey uint8

// A part is one observed fact.
type part[S any] interface {
	show(*S)
	complete()
}

type partOf[S, T any] struct {
	state *observable.State[T]
	of    func(*S) T
}

func (p partOf[S, T]) show(s *S) { p.state.Set(p.of(s)) }
func (p partOf[S, T]) complete() { p.state.Complete() }

func (f *facts[S]) get() *S {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// set shows another snapshot. Only the owner of the facts calls it. After
// complete it does nothing.
func (f *facts[S]) set(now *S) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return
	}
	f.now = now
	for _, p := range f.parts {
		p.show(now)
	}
}

// complete ends every stream, at the last snapshot.
func (f *facts[S]) complete() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for _, p := range f.parts {
		p.complete()
	}
	f.parts = nil
}

// observeFact is the state stream of one part of f, which key tells from the
// others. A nil equal makes every snapshot a change of it.
func observeFact[S, T any](f *facts[S], key factKey, of func(*S) T, equal func(a, b T) bool) observable.Of[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.parts[key].(partOf[S, T]); ok {
		return p.state.Observe()
	}
	p := partOf[S, T]{observable.NewStateFunc(of(f.now), equal), of}
	if f.over {
		p.state.Complete()
		return p.state.Observe()
	}
	if f.parts == nil {
		f.parts = map[factKey]part[S]{}
	}
	f.parts[key] = p
	return p.state.Observe()
}

// observeSame is observeFact of what == compares.
func observeSame[S any, T comparable](f *facts[S], key factKey, of func(*S) T) observable.Of[T] {
	return observeFact(f, key, of, func(a, b T) bool { return a == b })
}
