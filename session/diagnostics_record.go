package session

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/redact"
)

// pastLimit bounds each list of SessionDiagnostics.
const pastLimit = 1000

// A ring keeps the latest of what is put into it.
type ring[T any] struct {
	items   []T
	oldest  int // once it is full
	dropped uint64
}

func (r *ring[T]) put(v T) {
	if len(r.items) < pastLimit {
		r.items = append(r.items, v)
		return
	}
	r.items[r.oldest] = v
	r.oldest = (r.oldest + 1) % pastLimit
	r.dropped++
}

// all is a copy, oldest first, and never nil.
func (r *ring[T]) all() []T {
	out := make([]T, 0, len(r.items))
	return append(append(out, r.items[r.oldest:]...), r.items[:r.oldest]...)
}

// A note is a DiagnosticEvent that nobody has asked for yet: to take one down
// allocates nothing, unless it says more.
type note struct {
	seq          uint64
	at           time.Time
	category     DiagnosticCategory
	what         string
	callID       string
	from, to, on string
	more         map[string]any
}

// A past is what ExportDiagnostics tells of. Whoever has something to add adds
// it, from any goroutine.
type past struct {
	mu      sync.Mutex // guards the rest
	seq     uint64
	notes   ring[note]
	calls   ring[CallDiagnosticSummary]
	devices ring[DiagnosticDeviceChange]
}

// add takes n down, now.
func (p *past) add(n note) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addLocked(&n)
}

func (p *past) addLocked(n *note) {
	p.seq++
	n.seq, n.at = p.seq, time.Now().Round(0) // the wall clock's: it is for people
	p.notes.put(*n)
}

// changed takes down what a call sends from, as an event too.
func (p *past) changed(d DiagnosticDeviceChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := note{category: DiagnosticDevice, what: d.Change, callID: d.CallID, more: map[string]any{
		"legId": d.LegID, "kind": d.Kind, "source": d.Source,
	}}
	if d.CallID == "" { // it is no call's
		n.more = map[string]any{"kind": d.Kind}
	}
	if d.Device != "" {
		n.more["device"] = d.Device
	}
	if d.Reason != "" {
		n.more["reason"] = d.Reason
	}
	p.addLocked(&n)
	d.Sequence, d.Time = n.seq, n.at
	p.devices.put(d)
}

// over takes down a call that is no more.
func (p *past) over(s CallDiagnosticSummary) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addLocked(&note{category: DiagnosticCall, what: "call_summary", callID: s.CallID, to: s.Status})
	p.calls.put(s)
}

// export fills in the lists.
func (p *past) export(d *SessionDiagnostics) {
	p.mu.Lock()
	notes := p.notes.all()
	d.Calls, d.DeviceChanges = p.calls.all(), p.devices.all()
	d.Dropped = DiagnosticDropped{Events: p.notes.dropped, Calls: p.calls.dropped, DeviceChanges: p.devices.dropped}
	p.mu.Unlock()
	d.Events = make([]DiagnosticEvent, len(notes))
	for i, n := range notes {
		d.Events[i] = n.event()
	}
}

// clean is text from elsewhere, fit for diagnostics: short, on one line, without
// the secrets that the client knows and those that look like one.
func (c *Client) clean(text string) string {
	return redact.Snippet([]byte(text), append(c.iceSecrets(), c.bearer())...)
}

// failed takes down an error, with the facts that its type has.
func (c *Client) failed(n note, err error) {
	n.more = map[string]any{"kind": typeOf(err), "message": c.clean(err.Error())}
	var refresh *errs.TokenRefreshError
	if errors.As(err, &refresh) {
		n.more["mechanism"], n.more["stage"] = string(refresh.Mechanism), string(refresh.Stage)
		n.more["attempt"], n.more["final"] = refresh.Attempt, refresh.Final
	}
	var lost *errs.TransportError
	if errors.As(err, &lost) && lost.CloseCode != 0 {
		n.more["closeCode"], n.more["closeReason"] = lost.CloseCode, c.clean(lost.CloseReason)
	}
	var answer *errs.HTTPError
	if errors.As(err, &answer) {
		n.more["httpStatus"] = answer.Status
	}
	var refused *errs.JSONRPCError
	if errors.As(err, &refused) {
		n.more["code"] = refused.Code
	}
	var call *errs.CallError
	if errors.As(err, &call) {
		n.more["kind"], n.more["fatal"] = string(call.Kind), call.Fatal
	}
	c.past.add(n)
}

// typeOf names the type of err that a program knows it by: the outermost one of
// package errs.
func typeOf(err error) string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if name, ours := strings.CutPrefix(fmt.Sprintf("%T", e), "*errs."); ours {
			return name
		}
	}
	return fmt.Sprintf("%T", err)
}
