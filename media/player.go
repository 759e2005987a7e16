package media

import (
	"context"
	"errors"
	"sync"
)

// A player runs the source of a section while the section sends.
type player struct {
	leg     *Leg
	section *section
	changed chan struct{} // capacity 1

	mu      sync.Mutex
	source  Source
	sending bool
	started bool
	cancel  context.CancelFunc // of the run under way
}

func newPlayer(l *Leg, s *section) *player {
	return &player{leg: l, section: s, changed: make(chan struct{}, 1), source: l.playing(s.kind)}
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
	if p.sending == sending {
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

// run plays whatever there is to play until the leg ends.
func (p *player) run() {
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
		err := p.section.outlet.run(ctx, source)
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
	if !p.sending || source == nil {
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
