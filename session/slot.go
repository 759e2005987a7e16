package session

import (
	"context"
	"sync"
)

// A slot lets one at a time do something.
type slot chan struct{}

func newSlot() slot { return make(slot, 1) }

// take waits until nobody has the slot, and takes it until give. It fails with the
// cause of ctx.
func (s slot) take(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s slot) give() { <-s }

// slots let one at a time do something under each name.
type slots struct {
	mu sync.Mutex // guards the rest
	of map[string]*namedSlot
}

type namedSlot struct {
	slot
	users int // who has it or waits for it
}

// take waits until nobody has the slot of that name, and takes it until give.
func (s *slots) take(ctx context.Context, name string) (give func(), err error) {
	s.mu.Lock()
	if s.of == nil {
		s.of = map[string]*namedSlot{}
	}
	n := s.of[name]
	if n == nil {
		n = &namedSlot{slot: newSlot()}
		s.of[name] = n
	}
	n.users++
	s.mu.Unlock()
	if err := n.take(ctx); err != nil {
		s.leave(name, n)
		return nil, err
	}
	return func() { n.give(); s.leave(name, n) }, nil
}

// leave forgets a slot that nobody has or waits for.
func (s *slots) leave(name string, n *namedSlot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.users--; n.users == 0 {
		delete(s.of, name)
	}
}
