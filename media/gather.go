package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

var errNoCandidates = errors.New("no ICE candidates")

// patience is how many candidate timeouts a section without a candidate from a
// server may hold the SDP back. Behind a NAT it is worth more than the wait.
const patience = 3

// A gathering counts the candidates of one section since it began or was last
// restarted.
type gathering struct {
	mu       sync.Mutex
	all      int
	server   int // those that a STUN or TURN server helped to find
	complete bool
	changed  chan struct{} // of the leg: capacity 1
}

func newGathering(changed chan struct{}) *gathering { return &gathering{changed: changed} }

// found is pion's callback: nil ends the candidates.
func (g *gathering) found(c *webrtc.ICECandidate) {
	g.mu.Lock()
	switch {
	case c == nil:
		g.complete = true
	case c.Typ == webrtc.ICECandidateTypeHost:
		g.all++
	default:
		g.all++
		g.server++
	}
	g.mu.Unlock()
	signal(g.changed)
}

func (g *gathering) restart() {
	g.mu.Lock()
	g.all, g.server, g.complete = 0, 0, false
	g.mu.Unlock()
}

func (g *gathering) snapshot() (all, server int, complete bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all, g.server, g.complete
}

// signal wakes the one reader of a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// gather waits until the SDP of these sections may go out: all candidates are
// there; or none has come for the candidate timeout and each section has one
// from a server; or none has come for three times that; or the gather timeout
// has passed. A section without any candidate is an error.
func (l *Leg) gather(ctx context.Context, sections []*section) error {
	overall := time.NewTimer(l.cfg.GatherTimeout)
	defer overall.Stop()
	quiet := time.NewTimer(l.cfg.CandidateTimeout)
	defer quiet.Stop()
	for periods := 0; ; {
		reachable, routable, complete := surveyed(sections)
		if complete || reachable && periods >= patience || routable && periods >= 1 {
			return unless(reachable, errNoCandidates)
		}
		select {
		case <-l.candidates:
			periods = 0
			quiet.Reset(l.cfg.CandidateTimeout)
		case <-quiet.C:
			periods++
			quiet.Reset(l.cfg.CandidateTimeout)
		case <-overall.C:
			return unless(reachable, errNoCandidates)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		}
	}
}

// surveyed says whether each section has a candidate, has one from a server, and
// has all of them.
func surveyed(sections []*section) (reachable, routable, complete bool) {
	reachable, routable, complete = true, true, true
	for _, s := range sections {
		all, server, done := s.gathering.snapshot()
		reachable = reachable && all > 0
		routable = routable && (server > 0 || done)
		complete = complete && done
	}
	return reachable, routable, complete
}

func unless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}
