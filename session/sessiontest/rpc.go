package sessiontest

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/internal/wire"
)

// rpcCall is one request from a client.
type rpcCall struct {
	sock  *socket
	frame frame
	entry *Entry
	// then runs after the answer was queued: events that follow it.
	then []func()
}

// rpcHandler answers one method. It runs on the socket's reader goroutine, so requests of one socket are
// answered in order.
type rpcHandler func(*rpcCall) (result any, failed *rpcError)

var errNotConnected = errors.New("signalwire.connect did not succeed on this socket yet")

// rpcMethods joins the methods of every part. A part is a map from method to handler; a later part adds
// its own map here and needs nothing else.
func (s *Server) rpcMethods() map[string]rpcHandler {
	methods := map[string]rpcHandler{}
	for _, part := range []map[string]rpcHandler{s.sessionMethods(), s.calls.callMethods()} {
		maps.Copy(methods, part)
	}
	return methods
}

// dispatch answers one request.
func (k *socket) dispatch(f frame) {
	c := &rpcCall{sock: k, frame: f, entry: k.srv.journal.add(k.describe(f))}
	fault := k.srv.faults.takeRPC(c.entry)
	if fault.Kind != "" {
		k.srv.journal.update(c.entry, func(e *Entry) { e.Fault = string(fault.Kind) })
		k.applyRPCFault(c, fault)
		return
	}
	k.respond(c, k.handle(c))
}

// outcome is what a handler made of a request.
type outcome struct {
	result any
	failed *rpcError
}

func (k *socket) handle(c *rpcCall) outcome {
	method := c.frame.Method
	if k.protocol() == "" && method != wire.MethodConnect && method != wire.MethodPing {
		return outcome{failed: unauthenticated(errNotConnected)}
	}
	handler := k.srv.methods[method]
	if handler == nil {
		return outcome{failed: &rpcError{Code: wire.CodeMethodNotFound, Message: "Method not found"}}
	}
	result, failed := handler(c)
	return outcome{result, failed}
}

// respond queues the answer and what follows it.
func (k *socket) respond(c *rpcCall, o outcome) {
	k.srv.journal.update(c.entry, func(e *Entry) {
		e.Answered, e.Session = k.srv.now(), k.protocol()
		if o.failed != nil {
			e.Code, e.Reason = o.failed.Code, o.failed.reason
		}
	})
	if len(c.frame.ID) > 0 {
		k.send(outgoing{data: responseFrame(c.frame.ID, o.result, o.failed)})
	}
	for _, f := range c.then {
		f()
	}
}

func (k *socket) respondLater(c *rpcCall, o outcome, delay time.Duration) {
	time.AfterFunc(delay, func() {
		if k.ctx.Err() == nil {
			k.respond(c, o)
		}
	})
}

// describe starts the journal entry of a request.
func (k *socket) describe(f frame) Entry {
	e := Entry{
		Time: k.srv.now(), Direction: "in", Transport: "ws", Method: f.Method,
		ID: strings.Trim(string(f.ID), `"`), Session: k.protocol(), Subscriber: k.subscriberID(),
	}
	if f.Method == methodVerto {
		describeVerto(f.Params, &e)
	}
	var p wire.ConnectParams
	if strings.HasPrefix(f.Method, "signalwire.") && json.Unmarshal(f.Params, &p) == nil {
		e.Token, e.Proof = redact(p.Authentication.JWTToken), peekProof(p.DPoPToken)
		if c, err := k.srv.sealer.open(p.Authentication.JWTToken); err == nil {
			e.TokenID, e.TokenKind, e.Subscriber = c.JTI, c.Kind, c.Subject
		}
	}
	return e
}

// closeExpired is the farewell of a session whose token ran out.
func (k *socket) closeExpired() { k.close(statusTokenExpired, "token_expired") }

// statusTokenExpired is the close code of a session whose token ran out.
const statusTokenExpired websocket.StatusCode = 4401
