package sessiontest

import (
	"context"
	"net/http"
	"time"

	"nhooyr.io/websocket"
)

// serveUpgrade turns the request into a socket and runs it until it ends.
func (s *Server) serveUpgrade(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr}
	r.entry = s.journal.add(s.describe(r))
	switch fault := s.takeHTTPFault(r); fault.Kind {
	case "", FaultNoCORS:
	case FaultSlow:
		s.sleep(r, fault.Delay)
	case FaultClockSkew:
		s.shiftClock(fault.Delay)
	default:
		s.refuseUpgrade(w, r, fault, http.StatusServiceUnavailable)
		return
	}
	if !s.originAllowed(hr.Header.Get("Origin")) {
		s.refuseUpgrade(w, r, Action{}, http.StatusForbidden)
		return
	}
	s.running.Add(1) // the connection stops being counted when it is hijacked
	defer s.running.Done()
	end := &farewell{ResponseWriter: w}
	ws, err := websocket.Accept(end, hr, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		s.settle(r, response{status: http.StatusBadRequest})
		return
	}
	k := newSocket(s, ws, connOf(hr.Context()), end)
	s.sessions.addSocket(k) // before the journal shows it, so that a verb finds what a waiter saw
	s.settle(r, response{status: http.StatusSwitchingProtocols})
	k.run()
}

func (s *Server) refuseUpgrade(w http.ResponseWriter, r *request, fault Action, status int) {
	resp := s.applyHTTPFault(w, r, fault, func(*request) response { return failure(status) })
	s.settle(r, resp)
	s.write(w, r, resp, fault)
}

func newSocket(s *Server, ws *websocket.Conn, c *conn, end *farewell) *socket {
	ws.SetReadLimit(readLimit)
	k := &socket{
		srv: s, ws: ws, conn: c, end: end,
		wake:    make(chan struct{}, 1),
		pending: map[string]*Entry{},
		pings:   map[string]*time.Timer{},
	}
	k.ctx, k.cancel = context.WithCancel(s.ctx)
	return k
}
