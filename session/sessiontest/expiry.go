package sessiontest

import "time"

// armDeadlineLocked sets the timer that enforces the deadline of x.
func (s *Server) armDeadlineLocked(x *session) {
	if x.expiry != nil {
		x.expiry.Stop()
	}
	deadline := x.deadline
	x.expiry = time.AfterFunc(deadline.Add(s.opts.ExpirySlack).Sub(s.now()), func() { s.expire(x, deadline) })
}

// rearmDeadlines follows a change of the clock.
func (s *Server) rearmDeadlines() {
	t := s.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.sessions {
		s.armDeadlineLocked(x)
	}
}

// expire ends a session whose deadline passed, unless the deadline moved meanwhile. A session without a
// socket is left to its resume window: it was not this rule that closed it.
func (s *Server) expire(x *session, deadline time.Time) {
	t := s.sessions
	t.mu.Lock()
	k := x.socket
	if k == nil || !x.deadline.Equal(deadline) || s.ctx.Err() != nil {
		t.mu.Unlock()
		return
	}
	t.removeLocked(x)
	t.mu.Unlock()
	k.closeExpired()
}
