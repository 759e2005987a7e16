package sessiontest

import (
	"sync"
	"time"
)

// strictOverlap is how long a replaced bound token lives on under strict rotation.
const strictOverlap = 30 * time.Second

// rotations remembers what each rotated token was answered with. Its lock is held while the successor is
// minted, which is plain computation: that serializes rotations, so one token gets one successor.
type rotations struct {
	mu   sync.Mutex
	done expiring[rotation] // by jti of the token that was used up
}

type rotation struct {
	at   time.Time
	resp response
}

// once answers again what it answered for the token within the grace, and otherwise makes a new answer. Only
// successes are remembered.
func (r *rotations) once(used claims, now time.Time, grace time.Duration, rotate func() response) response {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, ok := r.done.get(used.JTI); ok && now.Sub(before.at) < grace {
		return before.resp.clone()
	}
	resp := rotate()
	if resp.status < 300 {
		r.done.put(used.JTI, rotation{now, resp.clone()}, used.expiry(), now)
	}
	return resp
}

// usedUp tells whether jti was rotated and the grace is over.
func (r *rotations) usedUp(jti string, now time.Time, grace time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, ok := r.done.get(jti)
	return ok && now.Sub(before.at) >= grace
}

func (resp response) clone() response {
	resp.header = resp.header.Clone()
	return resp
}

// retire starts the end of a replaced bound token under strict rotation.
func (s *Server) retire(c claims) {
	if s.opts.StrictRotation {
		s.tokens.revokeAt(c.JTI, s.now().Add(strictOverlap))
	}
}

// successorUsed ends the token that c replaced, under strict rotation.
func (s *Server) successorUsed(c claims) {
	if s.opts.StrictRotation && c.Kind == KindBound && c.Parent != "" {
		s.tokens.revokeAt(c.Parent, s.now())
	}
}
