package sessiontest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// FaultKind names what goes wrong.
type FaultKind string

// The kinds of fault. The ones marked (http) spoil answers to HTTP requests, the ones marked (rpc) spoil
// answers on the socket.
const (
	FaultStatus         FaultKind = "status"           // (http) Action.Status with a JSON error body
	FaultHTML           FaultKind = "html"             // (http) 200 with a page
	FaultTruncated      FaultKind = "truncated"        // (http) the real body cut in half, with fitting length
	FaultShortBody      FaultKind = "short_body"       // (http) a longer length announced than sent, then close
	FaultNoToken        FaultKind = "no_token"         // (http) 200 {}
	FaultWrongType      FaultKind = "wrong_type"       // (http) 200 {"token":42}, or Action.Body
	FaultEmpty          FaultKind = "empty"            // (http) 200, or Action.Status, without body
	FaultHang           FaultKind = "hang"             // (http, rpc) no answer while the connection lasts
	FaultStallBody      FaultKind = "stall_body"       // (http) headers of the real answer, then nothing
	FaultSlow           FaultKind = "slow"             // (http, rpc) the real answer after Action.Delay
	FaultReset          FaultKind = "reset"            // (http, rpc) the connection is cut
	FaultBadExpiry      FaultKind = "bad_expiry"       // (http) real answer, expiry in the past
	FaultNoExpiry       FaultKind = "no_expiry"        // (http) real answer without any expiry
	FaultExpiresInOnly  FaultKind = "expires_in_only"  // (http) real answer without expires_at
	FaultCommitThenFail FaultKind = "commit_then_fail" // (http, rpc) done, but answered with an error
	FaultRPCError       FaultKind = "rpc_error"        // (rpc) Action.Code instead of the real answer
	FaultVertoError     FaultKind = "verto_error"      // (rpc) Action.Code as an error of the media node, to webrtc.verto
	FaultRPCSilent      FaultKind = "rpc_silent"       // (rpc) swallowed, no answer
	FaultWSClose        FaultKind = "ws_close"         // (rpc) the socket is closed with Action.Code
	FaultClockSkew      FaultKind = "clock_skew"       // (http, rpc) real answer after shifting the clock by Action.Delay
	FaultNoCORS         FaultKind = "no_cors"          // (http) real answer without CORS headers
)

var faultKinds = [...]FaultKind{
	FaultStatus, FaultHTML, FaultTruncated, FaultShortBody, FaultNoToken, FaultWrongType,
	FaultEmpty, FaultHang, FaultStallBody, FaultSlow, FaultReset, FaultBadExpiry,
	FaultNoExpiry, FaultExpiresInOnly, FaultCommitThenFail, FaultRPCError, FaultVertoError, FaultRPCSilent, FaultWSClose, FaultClockSkew, FaultNoCORS,
}

// Fault is something to go wrong with the requests that match it.
type Fault struct {
	Match Match `json:"match"`
	// Skip is how many matching requests pass first.
	Skip int `json:"skip"`
	// Times is how many are spoiled then: 1 when zero, -1 for all.
	Times int `json:"times"`
	// Probability is that of spoiling a request that is due, from a fixed seed; zero means certain.
	Probability float64 `json:"probability,omitempty"`
	Action      Action  `json:"action"`
}

// Match selects requests. An empty field matches anything, but RPC or Verto set means requests on the
// socket, and Method or Path set means HTTP requests. The WebSocket handshake is the HTTP request "GET /".
type Match struct {
	Method     string `json:"method,omitempty"`     // HTTP method
	Path       string `json:"path,omitempty"`       // HTTP path
	RPC        string `json:"rpc,omitempty"`        // RPC method, "*" for all
	Verto      string `json:"verto,omitempty"`      // method inside webrtc.verto, such as "verto.info"
	TokenKind  string `json:"token_kind,omitempty"` // kind of the presented token, see [KindSAT]
	Subscriber string `json:"subscriber,omitempty"` // id of the subscriber whose token or session it is
}

// Action says what happens. Only the fields that the Kind mentions matter.
type Action struct {
	Kind    FaultKind         `json:"kind"`
	Status  int               `json:"status,omitempty"`  // 500 when zero, for the kinds that answer an error
	Headers map[string]string `json:"headers,omitempty"` // added to the answer, such as Retry-After
	Body    string            `json:"body,omitempty"`    // instead of the kind's own body
	Delay   time.Duration     `json:"-"`                 // "delay_ms" in JSON
	Code    int               `json:"code,omitempty"`    // RPC error code (-32000 when zero) or close code (1011 when zero)
	Message string            `json:"message,omitempty"` // of the RPC error, or close reason
}

// InjectedFault is a fault in force.
type InjectedFault struct {
	table *faultTable
	id    int
	fault Fault
	dice  *rand.Rand

	// Guarded by table.mu.
	seen, hits int
}

// Inject puts a fault into force. Of several that match a request the oldest one that is due applies.
func (s *Server) Inject(f Fault) *InjectedFault {
	setDefault(&f.Times, 1)
	return s.faults.add(f)
}

// ClearFaults removes every fault.
func (s *Server) ClearFaults() { s.faults.clear() }

// Remove takes the fault out of force. Requests it holds already stay held.
func (f *InjectedFault) Remove() {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	f.table.faults = slices.DeleteFunc(f.table.faults, func(other *InjectedFault) bool { return other == f })
}

// Hits returns how many requests the fault spoiled.
func (f *InjectedFault) Hits() int {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	return f.hits
}

type faultTable struct {
	mu     sync.Mutex
	lastID int
	faults []*InjectedFault
}

func newFaultTable() *faultTable { return &faultTable{} }

func (t *faultTable) add(f Fault) *InjectedFault {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastID++
	in := &InjectedFault{table: t, id: t.lastID, fault: f, dice: rand.New(rand.NewPCG(1, 2))}
	t.faults = append(t.faults, in)
	return in
}

func (t *faultTable) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = nil
}

func (t *faultTable) list() []*InjectedFault {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.faults)
}

func (t *faultTable) takeHTTP(e *Entry) Action {
	return t.take(func(m Match) bool {
		return m.RPC == "" && m.Verto == "" && (m.Method == "" || m.Method == e.Method) && (m.Path == "" || m.Path == e.Path) && m.matchesHolder(e)
	})
}

func (t *faultTable) takeRPC(e *Entry) Action {
	return t.take(func(m Match) bool {
		return m.Method == "" && m.Path == "" && (m.RPC == "" || m.RPC == "*" || m.RPC == e.Method) &&
			(m.Verto == "" || m.Verto == e.Verto) && m.matchesHolder(e)
	})
}

func (m Match) matchesHolder(e *Entry) bool {
	return (m.TokenKind == "" || m.TokenKind == e.TokenKind) && (m.Subscriber == "" || m.Subscriber == e.Subscriber)
}

// take returns the action of the first fault that matches and is due, and counts it.
func (t *faultTable) take(matches func(Match) bool) Action {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.faults {
		if !matches(f.fault.Match) {
			continue
		}
		f.seen++
		if f.seen <= f.fault.Skip || f.fault.Times >= 0 && f.hits >= f.fault.Times {
			continue
		}
		if p := f.fault.Probability; p > 0 && f.dice.Float64() >= p {
			continue
		}
		f.hits++
		return f.fault.Action
	}
	return Action{}
}
