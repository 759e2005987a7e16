package session

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/callrx/callrx/internal/wire"
)

// A Participant is a member of a room that the call is in, alive: its getters
// tell what the service has told last, its observables each change, and its
// methods ask the service to change something. They change nothing here: that
// does the service's next event.
//
// A participant ends when it leaves the room and when the call ends: Done is
// closed, its observables complete and its getters keep the last values. Whoever
// comes back is another Participant. All methods may be called from any
// goroutine, also from observers.
type Participant struct {
	k     *Call
	id    string
	facts facts[memberView]
	me    atomic.Pointer[SelfParticipant] // set if this is the call itself

	// The client's loop owns these.
	rooms []*roomSession // that it is in
	round uint64         // of the snapshot or layout that has it

	mu    sync.Mutex // guards the rest
	ended bool
	done  chan struct{}             // nil until somebody asks
	asked map[wire.MemberField]bool // flags that were requested and not yet reported
	turn  chan struct{}             // one slot: toggles take turns; nil until one comes
}

func newParticipant(k *Call, id string) *Participant {
	return &Participant{k: k, id: id, facts: facts[memberView]{now: &memberView{}}}
}

// ID names the member in its room.
func (p *Participant) ID() string { return p.id }

// Member is everything that the service has told of the member.
func (p *Participant) Member() Member { return p.facts.get().export() }

// Self is the call's own side of the participant, if it is the call itself; nil
// for everybody else.
func (p *Participant) Self() *SelfParticipant { return p.me.Load() }

// Done is closed when the participant has left the room or the call has ended.
func (p *Participant) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		p.done = make(chan struct{})
		if p.ended {
			close(p.done)
		}
	}
	return p.done
}

// told takes in what an event tells. On the loop, like what follows.
func (p *Participant) told(m *wire.Member) {
	p.facts.set(p.facts.now.told(m, p.k.room.owner))
	p.settle(m)
}

// place says where the participant is shown; nil: nowhere.
func (p *Participant) place(layer *LayoutLayer) {
	if sameLayer(p.facts.now.layer, layer) {
		return
	}
	next := *p.facts.now
	next.layer = layer
	p.facts.set(&next)
}

func sameLayer(a, b *LayoutLayer) bool { return a == b || a != nil && b != nil && *a == *b }

func (p *Participant) isIn(s *roomSession) bool { return slices.Contains(p.rooms, s) }

// leave takes the participant out of a room, and reports whether it was in that
// and is now in none.
func (p *Participant) leave(s *roomSession) bool {
	i := slices.Index(p.rooms, s)
	if i < 0 {
		return false
	}
	p.rooms = slices.Delete(p.rooms, i, i+1)
	return len(p.rooms) == 0
}

func (p *Participant) end() {
	p.facts.complete()
	if s := p.me.Load(); s != nil {
		s.end()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.done != nil {
		close(p.done)
	}
}
