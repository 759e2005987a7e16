package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
)

// A pulse keeps a session busy: at each beat the gateway sends a numbered event
// and the client sends a request.
type pulse struct {
	beats  int   // sent; owned by the goroutine until done is closed
	err    error // of a request or an event; likewise
	events *observable.State[int]
	order  chan error // the first event out of order

	cancel context.CancelFunc
	done   chan struct{}
	heard  *observable.Subscription
}

const (
	beatInterval = 20 * time.Millisecond
	beatEvent    = "demo.beat"
)

func (s *story) startPulse(ctx context.Context) *pulse {
	ctx, cancel := context.WithCancel(ctx)
	p := &pulse{events: observable.NewState(0), order: make(chan error, 1), cancel: cancel, done: make(chan struct{})}
	p.heard = s.ann.ObserveSignalingEvents().Subscribe(context.Background(), p.hear)
	go func() { // stop waits for it
		defer close(p.done)
		p.run(ctx, s)
	}()
	return p
}

func (p *pulse) run(ctx context.Context, s *story) {
	ticker := time.NewTicker(beatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, p.err = s.gw.SendEvent(ann, beatEvent, nil, map[string]int{"n": p.beats + 1}); p.err != nil {
			return
		}
		p.beats++
		if _, p.err = ask(context.WithoutCancel(ctx), s.ann); p.err != nil {
			return
		}
	}
}

// hear counts the beats that arrive as events.
func (p *pulse) hear(e *session.Event) {
	if e.Type != beatEvent {
		return
	}
	var beat struct {
		N int `json:"n"`
	}
	want := p.events.Get() + 1
	if err := json.Unmarshal(e.Payload, &beat); err != nil || beat.N != want {
		select {
		case p.order <- fmt.Errorf("event %d arrived in place of %d (%v)", beat.N, want, err):
		default:
		}
		return
	}
	p.events.Set(want)
}

// settle ends the pulse and waits for the last event. It returns the number of
// beats, or what was lost.
func (p *pulse) settle(ctx context.Context) (int, error) {
	p.cancel()
	<-p.done
	if p.err != nil {
		return p.beats, p.err
	}
	if _, err := p.events.Observe().Wait(ctx, func(n int) bool { return n == p.beats }); err != nil {
		select {
		case err = <-p.order:
		default:
		}
		return p.beats, fmt.Errorf("%d of %d events arrived: %w", p.events.Get(), p.beats, err)
	}
	return p.beats, nil
}

// stop leaves nothing running.
func (p *pulse) stop() {
	p.cancel()
	<-p.done
	p.heard.Cancel()
	<-p.heard.Done()
}
