package media

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/callrx/callrx/internal/program"
)

// A sinkSlot holds the sink of one kind for the life of the leg, whichever
// section feeds it.
type sinkSlot struct {
	sink   Sink
	once   sync.Once
	opened chan struct{}
	turn   chan struct{} // held while a packet is handled, because tracks overlap
	broken bool          // belongs to whoever has the turn
	in     atomic.Int32  // which method of the sink is being called: one of those below
}

const (
	inNone int32 = iota
	inOpen
	inWritePacket
)

func newSinkSlot(sink Sink) *sinkSlot {
	if sink == nil {
		sink = Discard()
	}
	return &sinkSlot{sink: sink, opened: make(chan struct{}), turn: make(chan struct{}, 1)}
}

// openSink tells the sink, once, that the leg is connected.
func (l *Leg) openSink(kind Kind) {
	slot := l.sinks[kind]
	slot.once.Do(func() {
		slot.in.Store(inOpen)
		defer slot.in.Store(inNone)
		if err := slot.sink.Open(); err != nil {
			slot.broken = true
			l.report("open sink", kind, err)
		}
		close(slot.opened)
	})
}

func (l *Leg) writeSink(kind Kind, p Packet) {
	slot := l.sinks[kind]
	if slot.broken {
		return
	}
	slot.in.Store(inWritePacket)
	defer slot.in.Store(inNone)
	if err := slot.sink.WritePacket(p); err != nil {
		slot.broken = true
		l.report("receive", kind, err)
	}
}

func (l *Leg) closeSinks() error {
	all := map[Kind]error{}
	var mu sync.Mutex // guards all
	var closing sync.WaitGroup
	for kind, slot := range l.sinks {
		closing.Go(func() {
			err := program.Close(slot.sink)
			if err == nil {
				return
			}
			if errors.Is(err, context.DeadlineExceeded) {
				l.cfg.Logger.Warn("close sink", "kind", kind.String(), "what", program.Name(slot.sink), "error", err)
			}
			mu.Lock()
			defer mu.Unlock()
			all[kind] = trackError("close sink", kind, err)
		})
	}
	closing.Wait()
	return errors.Join(all[KindAudio], all[KindVideo])
}

type discard struct{}

// Discard returns a sink that drops everything.
func Discard() Sink { return discard{} }

func (discard) Codecs() []string         { return nil }
func (discard) Open() error              { return nil }
func (discard) WritePacket(Packet) error { return nil }
func (discard) Close() error             { return nil }

// An RTPSink hands each packet to a function.
type RTPSink struct{ f func(Packet) }

// NewRTPSink returns a sink that calls f for each packet, in the order of arrival,
// on the goroutine that reads: f must not block, and must copy a payload that it
// keeps. Telephone events do not come here.
func NewRTPSink(f func(Packet)) *RTPSink { return &RTPSink{f} }

// Codecs is nil: the sink takes what was negotiated.
func (*RTPSink) Codecs() []string { return nil }

// Open does nothing.
func (*RTPSink) Open() error { return nil }

// WritePacket calls the function.
func (s *RTPSink) WritePacket(p Packet) error {
	s.f(p)
	return nil
}

// Close does nothing.
func (*RTPSink) Close() error { return nil }
