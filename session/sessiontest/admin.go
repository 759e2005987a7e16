package sessiontest

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// adminServer is the admin API on its own loopback listener.
type adminServer struct {
	s        *Server
	listener net.Listener
	http     *http.Server
}

// faultItem is a fault in force as the admin API shows it.
type faultItem struct {
	ID   int `json:"id"`
	Hits int `json:"hits"`
	Fault
}

// actionFields has the fields of an Action without its methods.
type actionFields Action

// actionBody is the JSON form of an Action.
type actionBody struct {
	*actionFields
	DelayMS int64 `json:"delay_ms,omitempty"`
}

// MarshalJSON writes the delay in milliseconds.
func (a Action) MarshalJSON() ([]byte, error) {
	return json.Marshal(actionBody{(*actionFields)(&a), a.Delay.Milliseconds()})
}

// UnmarshalJSON reads the delay in milliseconds and refuses unknown kinds.
func (a *Action) UnmarshalJSON(data []byte) error {
	b := actionBody{actionFields: (*actionFields)(a)}
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	a.Delay = time.Duration(b.DelayMS) * time.Millisecond
	if !slices.Contains(faultKinds[:], a.Kind) {
		return fmt.Errorf("unknown kind of fault %q", a.Kind)
	}
	return nil
}

// AdminURL returns the base URL of the admin API, "" without Options.AdminAddr.
func (s *Server) AdminURL() string {
	if s.admin == nil {
		return ""
	}
	return "http://" + s.admin.listener.Addr().String()
}

func (s *Server) startAdmin() error {
	if s.opts.AdminAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", s.opts.AdminAddr)
	if err != nil {
		return err
	}
	if host, _, _ := net.SplitHostPort(l.Addr().String()); !isLoopback(host) {
		return errors.Join(fmt.Errorf("admin address %s is not loopback", l.Addr()), l.Close())
	}
	a := &adminServer{s: s, listener: l}
	a.http = &http.Server{
		Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second, ConnState: s.countConn,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	s.admin = a
	s.running.Go(func() { _ = a.http.Serve(l) })
	return nil
}

func (a *adminServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /faults", a.addFault)
	mux.HandleFunc("GET /faults", a.listFaults)
	mux.HandleFunc("DELETE /faults", a.clearFaults)
	mux.HandleFunc("DELETE /faults/{id}", a.removeFault)
	mux.HandleFunc("GET /journal", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, a.s.Journal()) })
	mux.HandleFunc("GET /sessions", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, a.s.Sessions()) })
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, append([]CallInfo{}, a.s.Calls()...)) })
	mux.HandleFunc("POST /calls/{id}/hangup", a.hangupCall)
	a.handleRooms(mux)
	mux.HandleFunc("POST /sessions/{id}/expire", a.reached(a.s.Expire))
	mux.HandleFunc("POST /sessions/{id}/drop", a.reached(a.s.Drop))
	mux.HandleFunc("POST /tokens/{jti}/revoke", func(w http.ResponseWriter, r *http.Request) {
		a.s.Revoke(r.PathValue("jti"))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /clock", a.setClock)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" { // a page must not steer the server of whoever looks at it
			reply(w, http.StatusForbidden, map[string]string{"error": "not for browsers"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, status int, body any) { answer(status, body).writeTo(w) }

func (a *adminServer) reached(verb func(who string) int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := verb(r.PathValue("id"))
		if n == 0 {
			reply(w, http.StatusNotFound, map[string]string{"error": "no such session"})
			return
		}
		reply(w, http.StatusOK, map[string]int{"reached": n})
	}
}

// hangupCall ends a leg with the cause of the query, NORMAL_CLEARING without one.
func (a *adminServer) hangupCall(w http.ResponseWriter, r *http.Request) {
	found(w, a.s.HangupCall(r.PathValue("id"), r.URL.Query().Get("cause"), 0))
}

func (a *adminServer) addFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	reply(w, http.StatusCreated, faultItem{ID: a.s.Inject(f).id, Fault: f})
}

func (a *adminServer) listFaults(w http.ResponseWriter, _ *http.Request) {
	list := []faultItem{}
	for _, f := range a.s.faults.list() {
		list = append(list, faultItem{f.id, f.Hits(), f.fault})
	}
	reply(w, http.StatusOK, list)
}

func (a *adminServer) clearFaults(w http.ResponseWriter, _ *http.Request) {
	a.s.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}

func (a *adminServer) removeFault(w http.ResponseWriter, r *http.Request) {
	for _, f := range a.s.faults.list() {
		if strconv.Itoa(f.id) == r.PathValue("id") {
			f.Remove()
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	reply(w, http.StatusNotFound, map[string]string{"error": "no such fault"})
}

func (a *adminServer) setClock(w http.ResponseWriter, r *http.Request) {
	var b struct {
		SkewMS int64 `json:"skew_ms"`
	}
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": "skew_ms is missing"})
		return
	}
	a.s.SetClockSkew(time.Duration(b.SkewMS) * time.Millisecond)
	reply(w, http.StatusOK, map[string]string{"now": a.s.now().UTC().Format(time.RFC3339Nano)})
}
