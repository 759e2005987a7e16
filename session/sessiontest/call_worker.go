package sessiontest

import "sync"

// worker runs tasks one after another, in the order they were posted, on one goroutine.
type worker struct {
	wake chan struct{} // one slot: there is something to do

	mu       sync.Mutex
	tasks    []func()
	finished bool
}

func newWorker() *worker { return &worker{wake: make(chan struct{}, 1)} }

// post adds a task and never waits. It returns false, and drops the task, after finish.
func (w *worker) post(task func()) bool { return w.add(task, false) }

// finish adds the last task.
func (w *worker) finish(task func()) { w.add(task, true) }

func (w *worker) add(task func(), last bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return false
	}
	w.finished = last
	w.tasks = append(w.tasks, task)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return true
}

// run returns after the last task.
func (w *worker) run() {
	for range w.wake {
		tasks, finished := w.take()
		for _, task := range tasks {
			task()
		}
		if finished {
			return
		}
	}
}

func (w *worker) take() ([]func(), bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tasks := w.tasks
	w.tasks = nil
	return tasks, w.finished
}
