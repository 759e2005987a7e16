package sessiontest

import (
	"sync/atomic"
	"time"
)

// clock is the server's idea of the time: the real one (or that of a synctest bubble) plus a skew.
type clock struct{ skew atomic.Int64 }

func newClock() *clock { return &clock{} }

func (s *Server) now() time.Time { return time.Now().Add(time.Duration(s.clock.skew.Load())) }

// SetClockSkew shifts the server's clock against the real one. It judges tokens and proofs, appears in
// the Date header, and moves the deadlines of live sessions.
func (s *Server) SetClockSkew(skew time.Duration) {
	s.clock.skew.Store(int64(skew))
	s.rearmDeadlines()
}
