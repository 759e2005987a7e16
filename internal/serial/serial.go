// Package serial runs functions one after the other, in the order in which they
// were given, on a goroutine that exists only while there are any.
package serial

import "sync"

// A Queue runs what it is given, and never makes the giver wait. The zero value
// is ready; it must not be copied after first use.
type Queue struct {
	// Workers, if set before first use, counts the queue's goroutine, so that
	// somebody can wait for it. Without, nobody does: what runs may take as long
	// as it likes.
	Workers *sync.WaitGroup

	mu      sync.Mutex
	queue   []func()
	running bool
}

// Do has f run after what was given before.
func (q *Queue) Do(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, f)
	switch {
	case q.running:
		return
	case q.Workers != nil:
		q.Workers.Go(q.run)
	default:
		go q.run() // ends by itself when the queue is empty
	}
	q.running = true
}

func (q *Queue) run() {
	for {
		q.mu.Lock()
		if len(q.queue) == 0 {
			q.running = false
			q.mu.Unlock()
			return
		}
		f := q.queue[0]
		q.queue = q.queue[1:]
		q.mu.Unlock()
		f()
	}
}
