package sessiontest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

const faultPage = "<!doctype html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"

// takeHTTPFault looks for a fault that is due for the request and notes it in the journal.
func (s *Server) takeHTTPFault(r *request) Action {
	a := s.faults.takeHTTP(r.entry)
	if a.Kind != "" {
		s.journal.update(r.entry, func(e *Entry) { e.Fault = string(a.Kind) })
	}
	return a
}

// applyHTTPFault makes the answer, the real one or what the fault wants. Faults in the way an answer is
// written are left to write.
func (s *Server) applyHTTPFault(w http.ResponseWriter, r *request, a Action, real endpoint) response {
	switch a.Kind {
	case FaultStatus:
		return a.finish(failure(a.status()))
	case FaultHTML:
		html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
		return a.finish(response{status: http.StatusOK, header: html, body: []byte(faultPage)})
	case FaultNoToken:
		return a.finish(answer(200, struct{}{}))
	case FaultWrongType:
		return a.finish(answer(200, map[string]int{"token": 42}))
	case FaultEmpty:
		status := a.Status
		setDefault(&status, http.StatusOK)
		return a.finish(response{status: status, header: http.Header{}})
	case FaultHang, FaultReset:
		return response{}
	case FaultCommitThenFail:
		if done := real(r); done.status >= 300 {
			return done
		}
		return a.finish(failure(a.status()))
	case FaultSlow:
		s.sleep(r, a.Delay)
		return a.finish(real(r))
	case FaultClockSkew:
		s.shiftClock(a.Delay)
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		return a.finish(real(r))
	case FaultNoCORS:
		dropCORS(w.Header())
		return a.finish(real(r))
	}
	return a.finish(a.reshape(real(r), s.now()))
}

// write sends the answer, or breaks off where the fault says.
func (s *Server) write(w http.ResponseWriter, r *request, resp response, a Action) {
	switch a.Kind {
	case FaultHang:
		s.hold(r)
		panic(http.ErrAbortHandler)
	case FaultReset:
		if c := connOf(r.Context()); c != nil {
			c.reset()
		}
		panic(http.ErrAbortHandler)
	case FaultShortBody, FaultStallBody:
		s.writePart(w, r, resp, a.Kind)
		panic(http.ErrAbortHandler)
	}
	resp.writeTo(w)
}

// writePart announces more than it sends.
func (s *Server) writePart(w http.ResponseWriter, r *request, resp response, kind FaultKind) {
	for name, values := range resp.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(resp.body)+16))
	w.WriteHeader(resp.status)
	if kind == FaultShortBody {
		_, _ = w.Write(resp.body)
	}
	_ = http.NewResponseController(w).Flush()
	if kind == FaultStallBody {
		s.hold(r)
	}
}

// hold waits until the client gives up or the server closes.
func (s *Server) hold(r *request) {
	select {
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
}

func (s *Server) sleep(r *request, delay time.Duration) {
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
}

func (a Action) status() int {
	if a.Status == 0 {
		return http.StatusInternalServerError
	}
	return a.Status
}

// finish adds the headers and body that the action asks for.
func (a Action) finish(resp response) response {
	for name, value := range a.Headers {
		resp.header.Set(name, value)
	}
	if a.Body != "" {
		resp.body = []byte(a.Body)
	}
	return resp
}

// reshape spoils the body of a real answer.
func (a Action) reshape(resp response, now time.Time) response {
	if a.Kind == FaultTruncated {
		resp.body = resp.body[:len(resp.body)/2]
		return resp
	}
	var fields map[string]any
	if resp.status >= 300 || json.Unmarshal(resp.body, &fields) != nil {
		return resp
	}
	switch a.Kind {
	case FaultBadExpiry:
		fields["expires_at"], fields["expires_in"] = now.Add(-time.Minute).Unix(), 0
	case FaultNoExpiry:
		delete(fields, "expires_at")
		delete(fields, "expires_in")
	case FaultExpiresInOnly:
		delete(fields, "expires_at")
	default:
		return resp
	}
	resp.body = mustJSON(fields)
	return resp
}
