package sessiontest

import (
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/callrx/callrx/internal/wire"
)

const methodVerto = "webrtc.verto"

// vertoEnvelope is the parameters of a webrtc.verto request.
type vertoEnvelope struct {
	CallID  string       `json:"callID"`
	NodeID  string       `json:"node_id"`
	Message vertoMessage `json:"message"`
}

// vertoMessage is the request inside, or a response that some clients send and nobody waits for.
type vertoMessage struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params vertoParams     `json:"params"`
}

// vertoParams holds the parameters of every Verto method.
type vertoParams struct {
	CallID       string          `json:"callID"`
	SessID       string          `json:"sessid"`
	Dialog       dialogParams    `json:"dialogParams"`
	SDP          string          `json:"sdp"`
	Action       string          `json:"action"`
	Destination  string          `json:"destination"`
	DTMF         string          `json:"dtmf"`
	Cause        string          `json:"cause"`
	CauseCode    json.RawMessage `json:"causeCode"`
	EventChannel []string        `json:"eventChannel"`
}

type dialogParams struct {
	CallID           string         `json:"callID"`
	Destination      string         `json:"destination_number"`
	Attach           bool           `json:"attach"`
	Reattaching      bool           `json:"reattaching"`
	CallerName       string         `json:"caller_id_name"`
	UserVariables    map[string]any `json:"userVariables"`
	ScreenShare      bool           `json:"screenShare"`
	AdditionalDevice bool           `json:"additionalDevice"`
	PingSupported    bool           `json:"pingSupported"`
}

// vertoError is an error of the media node. It travels inside a successful answer.
type vertoError struct {
	Code      int    `json:"code"`
	Message   string `json:"message"`
	Cause     string `json:"cause,omitempty"`
	CauseCode int    `json:"causeCode,omitempty"`
}

// codeNoDialog is the error code of a media node that does not have the call, or not in that state.
const codeNoDialog = -32002

func noDialog() *vertoError { return &vertoError{Code: codeNoDialog, Message: "CALL DOES NOT EXIST"} }

// forbidden answers what the capabilities of a call do not allow.
func forbidden() *vertoError {
	return &vertoError{Code: codeNoDialog, Message: "Permission Denied.", Cause: "CALL_REJECTED", CauseCode: 21}
}

func badVerto(message string) *vertoError {
	return &vertoError{Code: wire.CodeInvalidParams, Message: message}
}

// vertoCall is one Verto request.
type vertoCall struct {
	*rpcCall
	t       *callTable
	session *session
	method  string
	params  vertoParams
	callID  string // of the leg that is meant
}

// leg returns the id of the leg that a request is about: the one that the dialog names, since the envelope
// of a screen's bye names its call.
func (e vertoEnvelope) leg() string {
	p := e.Message.Params
	return cmp.Or(p.Dialog.CallID, p.CallID, p.SessID, e.CallID)
}

// describeVerto completes the journal entry of a webrtc.verto request.
func describeVerto(params json.RawMessage, entry *Entry) {
	var e vertoEnvelope
	if json.Unmarshal(params, &e) == nil {
		entry.Verto, entry.Call, entry.DTMF = e.Message.Method, e.leg(), e.Message.Params.DTMF
	}
}

type vertoHandler func(*vertoCall) (body any, failed *vertoError)

// callMethods is the call part of the RPC surface.
func (t *callTable) callMethods() map[string]rpcHandler {
	methods := map[string]rpcHandler{methodVerto: t.verto}
	for method, control := range t.controls() {
		methods[method] = func(c *rpcCall) (any, *rpcError) { return t.control(c, control) }
	}
	return methods
}

func (t *callTable) vertoHandlers() map[string]vertoHandler {
	return map[string]vertoHandler{
		"verto.invite":    t.invite,
		"verto.answer":    t.answer,
		"verto.modify":    t.modify,
		"verto.bye":       t.bye,
		"verto.info":      t.info,
		"verto.pong":      t.pong,
		"verto.subscribe": t.subscribe,
	}
}

// verto answers webrtc.verto.
func (t *callTable) verto(c *rpcCall) (any, *rpcError) {
	var e vertoEnvelope
	if err := json.Unmarshal(c.frame.Params, &e); err != nil {
		return nil, &rpcError{Code: wire.CodeInvalidParams, Message: "Invalid params", reason: err.Error()}
	}
	x := t.srv.sessions.of(c.sock)
	if x == nil {
		return nil, unauthenticated(errNotConnected)
	}
	m, p := e.Message, e.Message.Params
	if m.Method == "" {
		return vertoResult(m.ID, map[string]any{}, nil), nil
	}
	handler := t.vertoHandlers()[m.Method]
	if handler == nil {
		return t.refused(c, m.ID, &vertoError{Code: wire.CodeMethodNotFound, Message: "Method not found"}), nil
	}
	body, failed := handler(&vertoCall{rpcCall: c, t: t, session: x, method: m.Method, params: p, callID: e.leg()})
	if failed != nil {
		return t.refused(c, m.ID, failed), nil
	}
	return vertoResult(m.ID, body, nil), nil
}

func (t *callTable) refused(c *rpcCall, id json.RawMessage, failed *vertoError) any {
	t.srv.journal.update(c.entry, func(e *Entry) { e.Code, e.Reason = failed.Code, failed.Message })
	return vertoResult(id, nil, failed)
}

// vertoResult wraps an answer of the media node.
func vertoResult(id json.RawMessage, body any, failed *vertoError) any {
	inner := map[string]any{"jsonrpc": "2.0", "id": id}
	if failed != nil {
		inner["error"] = failed
	} else {
		inner["result"] = body
	}
	return map[string]any{"code": "200", "node_id": nodeID, "result": inner}
}

// refuseVerto answers a webrtc.verto request with an error of the media node.
func refuseVerto(params json.RawMessage, failed *vertoError) any {
	var e vertoEnvelope
	_ = json.Unmarshal(params, &e)
	return vertoResult(e.Message.ID, nil, failed)
}

// leg returns the live leg that the request is about, nil if there is none. Its client uses it on this socket, then.
func (c *vertoCall) leg() *leg {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	l := c.t.findLocked(c.callID, c.session.subject)
	if l != nil {
		l.via = c.sock
	}
	return l
}

// after runs f under the lock when the answer has been queued.
func (c *rpcCall) after(t *callTable, f func()) {
	c.then = append(c.then, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.closed {
			f()
		}
	})
}

// resumable gives the client a fresh state, since it has a call more now.
func (c *vertoCall) resumable() {
	c.then = append(c.then, func() { c.t.srv.sendState(c.session) })
}

// causeCode reads a cause code, which clients write as number or string.
func (p vertoParams) causeCode() int {
	var text string
	if json.Unmarshal(p.CauseCode, &text) != nil {
		text = string(p.CauseCode)
	}
	n, _ := strconv.Atoi(text)
	return n
}
