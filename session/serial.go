package session

import "sync"

// A serial runs functions one after the other on a goroutine that exists only
// while there are any.
type serial struct {
	mu      sync.Mutex
	queue   []func()
	running bool
	workers *sync.WaitGroup // who waits for that goroutine
}

// do has f run after what was given before.
func (s *serial) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, f)
	if !s.running {
		s.running = true
		s.workers.Go(s.run)
	}
}

func (s *serial) run() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.running = false
			s.mu.Unlock()
			return
		}
		f := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		f()
	}
}
