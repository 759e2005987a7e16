package media

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// A player runs the source of a section while the section sends.
type player struct {
	leg     *Leg
	section *section
	changed chan struct{} // capacity 1

	idle  chan struct{}   // closed when run has returned
	after <-chan struct{} // of the player before: a source runs once at a time

	mu      sync.Mutex
	source  Source
	sending bool
	started bool
	closed  bool
	cancel  context.CancelFunc // of the run under way

	playing atomic.Pointer[Source] // that is in Send; nil: none
}

func newPlayer(l *Leg, s *section) *player {
	return &player{
		leg: l, section: s, changed: make(chan struct{}, 1), idle: make(chan struct{}),
		source: l.playing(s.kind),
	}
}

// setSource changes what is played, from the next packet on.
func (p *player) setSource(source Source) {
	p.mu.Lock()
	p.source = source
	p.interruptLocked()
	p.mu.Unlock()
}

// setSending starts and stops playing.
func (p *player) setSending(sending bool) {
	p.mu.Lock()
	if p.sending == sending || p.closed {
		p.mu.Unlock()
		return
	}
	p.sending = sending
	p.interruptLocked()
	start := sending && !p.started
	p.started = p.started || start
	p.mu.Unlock()
	if start {
		p.leg.spawn(p.run)
	}
}

// close stops playing for good.
func (p *player) close() {
	p.setSending(false)
	p.mu.Lock()
	p.closed = true
	p.interruptLocked()
	p.mu.Unlock()
}

// over is closed when a player that was closed runs no source any more, nor does
// the one before it; nil if neither ever did.
func (p *player) over() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started {
		return p.idle
	}
	return p.after
}

func (p *player) isSending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sending
}

func (p *player) interruptLocked() {
	if p.cancel != nil {
		p.cancel()
		p.cancel = nil
	}
	signal(p.changed)
}

// run plays whatever there is to play until the leg or the section ends.
func (p *player) run() {
	defer close(p.idle)
	if p.after != nil {
		select {
		case <-p.after:
		case <-p.leg.ctx.Done():
			return
		}
	}
	for {
		source, ctx, cancel := p.next()
		if source == nil {
			select {
			case <-p.changed:
				continue
			case <-p.leg.ctx.Done():
				return
			case <-p.section.closed:
				return
			}
		}
		p.playing.Store(&source)
		err := p.section.outlet.run(ctx, source)
		p.playing.Store(nil)
		interrupted := ctx.Err() != nil
		cancel()
		if p.leg.ctx.Err() != nil {
			return
		}
		if !interrupted {
			p.finished(source, err)
		}
	}
}

// next is what to play now, or nil.
func (p *player) next() (Source, context.Context, context.CancelFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	source := p.source
	if source == nil && p.section.kind == KindAudio {
		source = quiet{}
	}
	if !p.sending || p.closed || source == nil {
		return nil, nil, nil
	}
	ctx, cancel := context.WithCancel(p.leg.ctx)
	p.cancel = cancel
	return source, ctx, cancel
}

// finished forgets a source that has ended by itself and says so.
func (p *player) finished(source Source, err error) {
	p.mu.Lock()
	if p.source == source {
		p.source = nil
	}
	p.mu.Unlock()
	p.leg.mu.Lock()
	if p.leg.sources[p.section.kind] == source {
		p.leg.ended[p.section.kind] = true
	}
	p.leg.mu.Unlock()
	if err != nil && !errors.Is(err, context.Canceled) {
		p.leg.report("send", p.section.kind, err)
	}
	if f := p.leg.cfg.OnSourceEnd; f != nil {
		kind := p.section.kind
		p.leg.notify.Do(func() { f(kind) })
	}
}
