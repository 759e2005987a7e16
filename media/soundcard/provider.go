package soundcard

import (
	"context"
	"runtime"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/gen2brain/malgo"
)

const (
	// pollInterval is how often the list is looked at while somebody watches it or a
	// device is open: no sound system tells the library of all that happens to it.
	pollInterval = 500 * time.Millisecond
	// patience is how long a sound system that hangs is waited for where there is no
	// context to say it.
	patience = 5 * time.Second
)

// Options of [Open].
type Options struct {
	// Backend is the sound system to use. The zero value is the first that is there.
	Backend Backend
}

// A Provider has the microphones and loudspeakers of this machine. It is a
// [media.DeviceProvider], [media.DeviceWatcher], [media.OutputOpener] and
// [media.DeviceInspector]. Its methods may be called from any goroutine, and
// several providers live side by side.
type Provider struct {
	jobs  chan func()
	kick  chan struct{} // capacity 1: look at the list now
	done  chan struct{}
	close context.CancelFunc

	// What follows belongs to run.
	backend  Backend
	system   *malgo.AllocatedContext // nil: there is none
	last     []entry                 // what was listed last
	looked   bool                    // there is a last
	streams  map[*stream]struct{}
	watchers map[chan struct{}]struct{}
}

// Open finds the sound system. It is an [*errs.MediaAccessError] if there is none,
// which says Denied if it is there and refuses, and an [*errs.ConfigError] for a
// backend that does not exist. Close the provider to be rid of it.
func Open(options Options) (*Provider, error) {
	if options.Backend < 0 || options.Backend > Silent {
		return nil, &errs.ConfigError{Field: "Backend", Problem: "is none"}
	}
	closing, cancel := context.WithCancel(context.Background())
	p := &Provider{
		jobs: make(chan func()), kick: make(chan struct{}, 1), done: make(chan struct{}),
		backend: options.Backend, streams: map[*stream]struct{}{}, watchers: map[chan struct{}]struct{}{},
	}
	p.close = cancel
	found := make(chan error, 1)
	go p.run(closing, found) // until Close
	if err := <-found; err != nil {
		<-p.done
		return nil, err
	}
	return p, nil
}

// Close ends what is open with [errs.ErrClosed] and gives the sound system up. It
// is an [*errs.MediaAccessError] if the system hangs. Closing again does nothing.
func (p *Provider) Close() error {
	p.close()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return failure("close the sound system", context.DeadlineExceeded)
	}
}

// run owns the sound system, whose functions must not be called at the same time,
// and on Windows from one thread only.
func (p *Provider) run(closing context.Context, found chan<- error) {
	defer close(p.done)
	runtime.LockOSThread() // the thread ends with it
	err := p.connect()
	found <- err
	if err != nil {
		return
	}
	defer p.disconnect()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		select {
		case job := <-p.jobs:
			job()
		case <-p.kick:
			p.look()
		case <-poll.C:
			if len(p.streams)+len(p.watchers) > 0 {
				p.look()
			}
		case <-closing.Done():
			for s := range p.streams {
				p.end(s, errs.ErrClosed)
			}
			return
		}
	}
}

// An outcome is what became of a job.
type outcome[T any] struct {
	value T
	err   error
}

// do has run call f, and waits for it as long as ctx allows. If that is too short,
// what f made is undone when it is there.
func do[T any](ctx context.Context, p *Provider, f func() (T, error), undo func(T)) (T, error) {
	reply := make(chan outcome[T])
	job := func() {
		var made outcome[T]
		if made.err = ctx.Err(); made.err == nil {
			made.value, made.err = f()
		}
		select {
		case reply <- made:
		case <-ctx.Done():
			if made.err == nil && undo != nil {
				undo(made.value)
			}
		}
	}
	var none T
	select {
	case p.jobs <- job:
	case <-p.done:
		return none, errs.ErrClosed
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	select {
	case made := <-reply:
		return made.value, made.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}
