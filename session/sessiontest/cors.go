package sessiontest

import (
	"net/http"
	"slices"
	"strings"
)

// cors sets the headers that let a page of another origin read the answer, and answers preflights. It
// returns true when the request is done.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	if len(s.opts.AllowedOrigins) == 0 {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); s.originAllowed(origin) && origin != "" {
			h.Set("Access-Control-Allow-Origin", origin)
		}
	}
	h.Set("Access-Control-Expose-Headers", "Retry-After, Date")
	if r.Method != http.MethodOptions || !strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept")
	h.Set("Access-Control-Max-Age", "600")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
	s.journal.add(Entry{
		Time: s.now(), Direction: "in", Transport: "http", Method: r.Method, Path: r.URL.Path,
		Status: http.StatusNoContent, Answered: s.now(),
	})
	return true
}

// originAllowed accepts requests without an origin: they come from no browser.
func (s *Server) originAllowed(origin string) bool {
	return origin == "" || len(s.opts.AllowedOrigins) == 0 || slices.Contains(s.opts.AllowedOrigins, origin)
}

// dropCORS takes the headers back, for the no_cors fault.
func dropCORS(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			h.Del(name)
		}
	}
}
