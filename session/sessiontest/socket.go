package sessiontest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"nhooyr.io/websocket"
)

const (
	readLimit = 64 << 20
	maxQueued = 1 << 14 // outgoing frames of one socket; a client that reads nothing loses it then

	maxPending = 1 << 12 // unanswered requests that are remembered
)

// socket is one WebSocket. Its reader is the goroutine of the HTTP handler, its writer a second one.
type socket struct {
	srv    *Server
	ws     *websocket.Conn
	conn   *conn
	end    *farewell
	ctx    context.Context
	cancel context.CancelFunc

	// session is guarded by the session table.
	session *session

	wake chan struct{} // one slot: the queue is not empty

	mu      sync.Mutex // guards what follows
	queue   []outgoing
	pending map[string]*Entry      // what was sent and can be answered, by id
	pings   map[string]*time.Timer // the unanswered among them
	idle    *time.Timer            // closes the socket if nobody authenticates
	next    *time.Timer            // sends the next ping
}

// outgoing is a frame to write, or the farewell when data is nil.
type outgoing struct {
	data   []byte
	code   websocket.StatusCode
	reason string
}

// run serves the socket until it ends. The socket is in the table already.
func (k *socket) run() {
	writer := make(chan struct{})
	go func() { // ends with k.ctx; run waits for it
		defer close(writer)
		k.writeLoop()
	}()
	k.startTimers()
	k.readLoop()
	k.cancel()
	k.stopTimers()
	<-writer
	_ = k.ws.CloseNow()
	k.srv.socketEnded(k)
}

func (k *socket) readLoop() {
	for {
		kind, data, err := k.ws.Read(k.ctx)
		if err != nil {
			k.srv.log.Debug("socket ended", "error", err)
			return
		}
		if kind == websocket.MessageText {
			k.receive(data)
		}
	}
}

func (k *socket) writeLoop() {
	for {
		select {
		case <-k.wake:
		case <-k.ctx.Done():
			return
		}
		for _, o := range k.takeQueue() {
			if o.data == nil {
				k.end.begin()
				_ = k.ws.Close(o.code, o.reason)
				k.cancel()
				return
			}
			if k.ws.Write(k.ctx, websocket.MessageText, o.data) != nil {
				k.cancel()
				return
			}
		}
	}
}

func (k *socket) takeQueue() []outgoing {
	k.mu.Lock()
	defer k.mu.Unlock()
	q := k.queue
	k.queue = nil
	return q
}

// send queues a frame. It never waits.
func (k *socket) send(o outgoing) {
	k.mu.Lock()
	k.queue = append(k.queue, o)
	overflow := len(k.queue) > maxQueued
	k.mu.Unlock()
	if overflow {
		k.drop()
		return
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// close says farewell after everything queued before.
func (k *socket) close(code websocket.StatusCode, reason string) {
	k.send(outgoing{code: code, reason: reason})
}

// drop cuts the connection without farewell.
func (k *socket) drop() {
	if k.conn != nil {
		k.conn.reset()
	}
	k.cancel()
}

// request sends a request of the server's own and records it.
func (k *socket) request(method, event string, params any) string {
	id := newUUID()
	k.transmit(id, method, label{event: event}, requestFrame(id, method, params))
	return id
}

func (k *socket) transmit(id, method string, about label, data []byte) {
	entry := k.srv.journal.add(Entry{
		Time: k.srv.now(), Direction: "out", Transport: "ws", Method: method, Event: about.event, ID: id,
		Verto: about.verto, Call: about.call, Session: k.protocol(), Subscriber: k.subscriberID(),
	})
	if id != "" {
		k.mu.Lock()
		if len(k.pending) >= maxPending {
			clear(k.pending)
		}
		k.pending[id] = entry
		k.mu.Unlock()
	}
	k.send(outgoing{data: data})
}

// receive handles one text frame.
func (k *socket) receive(data []byte) {
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		k.srv.journal.add(Entry{
			Time: k.srv.now(), Direction: "in", Transport: "ws", Session: k.protocol(), Reason: "frame is no JSON-RPC object",
		})
		return
	}
	if f.Method == "" {
		k.answered(f)
		return
	}
	k.dispatch(f)
}

// answered matches a client's response with what it answers.
func (k *socket) answered(f frame) {
	var id string
	_ = json.Unmarshal(f.ID, &id)
	k.mu.Lock()
	entry := k.pending[id]
	delete(k.pending, id)
	if t := k.pings[id]; t != nil {
		t.Stop()
		delete(k.pings, id)
	}
	k.mu.Unlock()
	if entry == nil {
		return
	}
	k.srv.sessions.acknowledged(k, id)
	k.srv.journal.update(entry, func(e *Entry) {
		e.Answered = k.srv.now()
		if f.Error != nil {
			e.Code = f.Error.Code
		}
	})
}
