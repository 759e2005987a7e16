package media

import "sync"

// A notifier calls the program's functions one after the other. Its goroutine
// exists only while there is something to say; nobody waits for it, because the
// program may take as long as it likes.
type notifier struct {
	mu      sync.Mutex
	queue   []func()
	running bool
}

// post never blocks.
func (n *notifier) post(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queue = append(n.queue, f)
	if !n.running {
		n.running = true
		go n.run() // ends by itself when the queue is empty
	}
}

func (n *notifier) run() {
	for {
		n.mu.Lock()
		if len(n.queue) == 0 {
			n.running = false
			n.mu.Unlock()
			return
		}
		f := n.queue[0]
		n.queue = n.queue[1:]
		n.mu.Unlock()
		f()
	}
}
