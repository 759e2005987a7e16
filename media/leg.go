package media

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/internal/serial"
	"github.com/pion/webrtc/v4"
)

// A Leg is one media session with one far end. Its methods may be called from
// several goroutines; exchanges of SDP queue up behind one another.
//
// A leg must be closed, even one that never connected or has failed.
type Leg struct {
	cfg         LegConfig
	certificate webrtc.Certificate
	id          uint64 // of the SDP session
	turn        chan struct{}
	candidates  chan struct{} // something was gathered: capacity 1
	dirty       chan struct{} // the owner has something to look at: capacity 1
	notify      serial.Queue  // the program's callbacks; nobody waits for them

	ctx    context.Context // the leg's life
	cancel context.CancelCauseFunc
	done   chan struct{}
	sinks  map[Kind]*sinkSlot
	paths  atomic.Uint64 // found so far
	relays atomic.Bool   // transports to come use nothing else

	// mu guards what follows.
	mu      sync.Mutex
	work    sync.WaitGroup // goroutines that Close waits for
	running bool           // the owner has been started
	closing bool
	wanted  Directions
	paused  bool
	sources map[Kind]Source
	ended   map[Kind]bool // the source had no more to send
	muted   map[Kind]bool
	held    map[Kind]bool // withheld
	slots   []*slot       // sections in the order of the SDP
	mids    int           // given out so far
	version uint64
	offered bool // an offer of ours waits for its answer
	state   State
	err     error // of closing
}

// A slot is a place in the SDP. A section that was turned down keeps its place.
type slot struct {
	kind    Kind
	mid     string
	name    mediaName
	section *section // nil if turned down
	agreed  bool     // the far end knows this slot
}

// NewLeg makes a leg. It opens nothing and starts nothing: the first [Leg.Offer]
// or [Leg.Answer] does. It returns an [*errs.ConfigError].
func NewLeg(cfg LegConfig) (*Leg, error) {
	filled, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return nil, err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, err
	}
	l := &Leg{
		cfg: filled, certificate: *certificate,
		id:         rand.Uint64() >> 1,
		turn:       make(chan struct{}, 1),
		candidates: make(chan struct{}, 1),
		dirty:      make(chan struct{}, 1),
		done:       make(chan struct{}),
		sinks:      map[Kind]*sinkSlot{},
		sources:    map[Kind]Source{},
		ended:      map[Kind]bool{},
		muted:      map[Kind]bool{},
		held:       map[Kind]bool{},
		wanted:     filled.Directions,
	}
	for _, kind := range []Kind{KindAudio, KindVideo} {
		if _, err := filled.codecs(kind); err != nil {
			return nil, err
		}
		l.sinks[kind] = newSinkSlot(filled.sink(kind))
		if asks, ok := filled.sink(kind).(interface{ onKeyframeNeeded(func()) }); ok {
			asks.onKeyframeNeeded(func() { _ = l.RequestKeyframe() }) // in vain if the leg ends
		}
		l.sources[kind] = filled.source(kind)
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l, nil
}

// State is how the leg is doing.
func (l *Leg) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// FarEndClosed tells, of a leg that is [StateDisconnected], whether the far end has
// closed a section, as it does at the end of a call, rather than become unreachable.
// Such a section does not come back: [Leg.Renew] makes another.
func (l *Leg) FarEndClosed() bool {
	return slices.ContainsFunc(l.live(), func(s *section) bool {
		return s.pc.ConnectionState() == webrtc.PeerConnectionStateClosed
	})
}

// Done is closed when the leg has ended and nothing of it is left.
func (l *Leg) Done() <-chan struct{} { return l.done }

// Err is nil while the leg lives and [errs.ErrClosed] after it has ended.
func (l *Leg) Err() error {
	select {
	case <-l.done:
		return errs.ErrClosed
	default:
		return nil
	}
}

// Close ends the leg at any point of its life: it stops sources and peer
// connections and closes sinks, and returns when no goroutine and no port is
// left. It may be called several times, from several goroutines and from the
// functions of [LegConfig]. The first call returns what closing the sinks
// returned, which tells whether recordings are whole; others return nil.
//
// Close waits two seconds for what is going on, and as long for sources and for
// sinks to close. What has not returned by then is left behind and named in the
// log; for sinks the error names it, too, and wraps [context.DeadlineExceeded].
func (l *Leg) Close() error {
	l.mu.Lock()
	first := !l.closing
	l.closing = true
	l.mu.Unlock()
	if first {
		l.cancel(errs.ErrClosed)
		go l.shutdown() // every Close waits for it
	}
	<-l.done
	if !first {
		return nil
	}
	return l.err
}

// shutdown runs on a goroutine of ours, because pion must not be closed inside
// one of its callbacks.
func (l *Leg) shutdown() {
	l.mu.Lock()
	sections := l.sectionsLocked()
	l.mu.Unlock()
	var closing sync.WaitGroup
	for _, s := range sections {
		closing.Go(s.close)
	}
	err := program.Finish("what the leg runs", func() error { l.work.Wait(); return nil })
	if err != nil {
		l.cfg.Logger.Warn("close leg", "held_up_by", l.holders(), "error", err)
	}
	closing.Wait()
	l.closeSources()
	l.err = l.closeSinks()
	l.setState(StateClosed)
	close(l.done)
}

// spawn starts a goroutine that Close waits for, or reports that it is too late.
func (l *Leg) spawn(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return false
	}
	l.work.Go(f)
	return true
}

// run is the owner: it turns what pion reports into the state of the leg and of
// its sections.
func (l *Leg) run() {
	for {
		select {
		case <-l.dirty:
			l.reconcile()
		case <-l.ctx.Done():
			return
		}
	}
}

func (l *Leg) reconcile() {
	l.mu.Lock()
	wanted := l.flowingLocked()
	sections := l.sectionsLocked()
	l.mu.Unlock()
	var states []webrtc.PeerConnectionState
	for _, s := range sections {
		if state, established := s.reconcile(wanted.Of(s.kind)); established {
			states = append(states, state)
		}
	}
	l.setState(sum(states))
}

func (l *Leg) setState(state State) {
	l.mu.Lock()
	changed := state != l.state && l.state != StateClosed
	if changed {
		l.state = state
	}
	l.mu.Unlock()
	if !changed {
		return
	}
	l.cfg.Logger.Debug("leg changed", "state", state.String())
	if f := l.cfg.OnState; f != nil {
		l.notify.Do(func() { f(state) })
	}
}

func (l *Leg) sectionsLocked() []*section {
	var out []*section
	for _, s := range l.slots {
		if s.section != nil {
			out = append(out, s.section)
		}
	}
	return out
}

// section finds the one of this kind, if there is one.
func (l *Leg) section(kind Kind) *section {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.sectionsLocked() {
		if s.kind == kind {
			return s
		}
	}
	return nil
}

// report tells the program what went wrong with one kind.
func (l *Leg) report(operation string, kind Kind, err error) {
	wrapped := trackError(operation, kind, err)
	l.cfg.Logger.Warn("media track", "kind", kind.String(), "error", wrapped)
	if f := l.cfg.OnError; f != nil {
		l.notify.Do(func() { f(wrapped) })
	}
}

func trackError(operation string, kind Kind, err error) error {
	name := "both"
	if kind != 0 {
		name = kind.String()
	}
	return &errs.MediaTrackError{Operation: operation, Kind: name, OriginalError: err}
}
