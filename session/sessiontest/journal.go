package sessiontest

import (
	"context"
	"sync"
	"time"
)

// Entry is one exchange on the wire, seen from the server. A request that came in is one entry, which
// learns its answer later; so is each request or event the server sent. No entry holds token material.
type Entry struct {
	Time      time.Time `json:"time"`             // when it arrived or was sent
	Direction string    `json:"direction"`        // "in" from a client, "out" from the server
	Transport string    `json:"transport"`        // "http", "ws", or "rtp" for a digit in a call's media
	Method    string    `json:"method,omitempty"` // HTTP method, or RPC method; empty for a frame that is no request
	Path      string    `json:"path,omitempty"`   // HTTP path, without query
	ID        string    `json:"id,omitempty"`     // RPC id
	Event     string    `json:"event,omitempty"`  // event_type of a signalwire.event that was sent
	Verto     string    `json:"verto,omitempty"`  // method inside a webrtc.verto request or a webrtc.message event
	Call      string    `json:"call,omitempty"`   // id of the call leg it is about
	DTMF      string    `json:"dtmf,omitempty"`   // digits of a verto.info, or the digit heard in the media

	Answered time.Time `json:"answered,omitzero"` // when the answer was sent or arrived, zero before
	Status   int       `json:"status,omitempty"`  // HTTP status of the answer, zero for a connection that was cut
	Code     int       `json:"code,omitempty"`    // JSON-RPC or Verto error code of the answer, zero for a result

	Token      string `json:"token,omitempty"`      // fingerprint of the presented token, "tok:sha256:…"
	TokenID    string `json:"token_id,omitempty"`   // its jti
	TokenKind  string `json:"token_kind,omitempty"` // its kind, see [KindSAT]
	Subscriber string `json:"subscriber,omitempty"` // its subscriber id
	Session    string `json:"session,omitempty"`    // protocol string of the session, for "ws"
	Proof      *Proof `json:"proof,omitempty"`      // decoded proof of possession, nil if there was none to decode
	Fault      string `json:"fault,omitempty"`      // kind of the injected fault that was applied
	Reason     string `json:"reason,omitempty"`     // why the request was refused, in words for people
}

// Proof holds the claims of a proof of possession as presented, checked or not (RFC 9449 section 4.2,
// with the additions the subscriber protocol makes for RPC).
type Proof struct {
	Thumbprint string `json:"-"`
	JTI        string `json:"jti"`
	IssuedAt   int64  `json:"iat"`
	HTM        string `json:"htm,omitempty"`
	HTU        string `json:"htu,omitempty"`
	ATH        string `json:"ath,omitempty"`
	RPC        string `json:"rpc,omitempty"`
	Method     string `json:"mth,omitempty"`
}

// Journal is a list of entries, oldest first.
type Journal []Entry

// HTTP returns the HTTP requests with that path, all of them for "".
func (j Journal) HTTP(path string) Journal {
	return j.Filter(func(e Entry) bool { return e.Transport == "http" && (path == "" || e.Path == path) })
}

// RPC returns the requests received from clients with that method, all of them for "".
func (j Journal) RPC(method string) Journal {
	return j.Filter(func(e Entry) bool {
		return e.Transport == "ws" && e.Direction == "in" && e.Method != "" && (method == "" || e.Method == method)
	})
}

// Sent returns the requests and events sent to clients with that method or event type, all for "".
func (j Journal) Sent(name string) Journal {
	return j.Filter(func(e Entry) bool {
		return e.Direction == "out" && (name == "" || e.Method == name || e.Event == name)
	})
}

// Verto returns the Verto messages of that method, received and sent, all of them for "".
func (j Journal) Verto(method string) Journal {
	return j.Filter(func(e Entry) bool { return e.Verto != "" && (method == "" || e.Verto == method) })
}

// Call returns what is about the call leg with that id.
func (j Journal) Call(callID string) Journal {
	return j.Filter(func(e Entry) bool { return e.Call == callID })
}

// Filter returns the entries that keep holds for.
func (j Journal) Filter(keep func(Entry) bool) Journal {
	var kept Journal
	for _, e := range j {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// Journal returns what the server received and sent so far, at most Options.JournalLimit entries.
func (s *Server) Journal() Journal { return s.journal.snapshot() }

// WaitFor returns the first journal entry, past or future, that match holds for. Entries are shown to
// match again when they change, so a match on Answered or Status works. The error is that of ctx, or
// [ErrClosed] when the server closes first.
func (s *Server) WaitFor(ctx context.Context, match func(Entry) bool) (Entry, error) {
	for {
		entries, changed := s.journal.watch()
		for _, e := range entries {
			if match(e) {
				return e, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Entry{}, ctx.Err()
		case <-s.ctx.Done():
			return Entry{}, ErrClosed
		}
	}
}

// journal records entries. The record pointers it hands out are changed only through update.
type journal struct {
	mu      sync.Mutex
	limit   int
	entries []*Entry
	changed chan struct{} // nil while nobody watches
}

func newJournal(limit int) *journal { return &journal{limit: limit} }

func (j *journal) add(e Entry) *Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) >= j.limit {
		drop := max(1, j.limit/8)
		j.entries = append(j.entries[:0:0], j.entries[drop:]...)
	}
	j.entries = append(j.entries, &e)
	j.notifyLocked()
	return &e
}

func (j *journal) update(e *Entry, change func(*Entry)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(e)
	j.notifyLocked()
}

func (j *journal) notifyLocked() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

func (j *journal) snapshot() Journal {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.snapshotLocked()
}

func (j *journal) snapshotLocked() Journal {
	entries := make(Journal, len(j.entries))
	for i, e := range j.entries {
		entries[i] = *e
	}
	return entries
}

func (j *journal) watch() (Journal, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.changed == nil {
		j.changed = make(chan struct{})
	}
	return j.snapshotLocked(), j.changed
}
