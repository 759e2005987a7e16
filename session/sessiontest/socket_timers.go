package sessiontest

import (
	"time"

	"nhooyr.io/websocket"

	"github.com/callrx/callrx/internal/wire"
)

// startTimers arms the idle limit and the first ping. They run until stopTimers.
func (k *socket) startTimers() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if limit := k.srv.opts.IdleLimit; limit > 0 {
		k.idle = time.AfterFunc(limit, k.closeIfIdle)
	}
	if interval := k.srv.opts.PingInterval; interval > 0 {
		k.next = time.AfterFunc(interval, k.ping)
	}
}

func (k *socket) stopTimers() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.pings {
		t.Stop()
	}
	if k.idle != nil {
		k.idle.Stop()
	}
	if k.next != nil {
		k.next.Stop()
	}
}

// closeIfIdle ends a socket on which nobody authenticated.
func (k *socket) closeIfIdle() {
	if k.protocol() == "" {
		k.close(websocket.StatusPolicyViolation, "not authenticated")
	}
}

// ping asks for a sign of life and arms the next ping.
func (k *socket) ping() {
	if k.ctx.Err() != nil {
		return
	}
	id := k.request(wire.MethodPing, "", wire.Ping{Timestamp: k.srv.timestamp()})
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ctx.Err() != nil {
		return
	}
	k.next.Reset(k.srv.opts.PingInterval)
	if timeout := k.srv.opts.PingTimeout; timeout > 0 && k.pending[id] != nil {
		k.pings[id] = time.AfterFunc(timeout, k.pingUnanswered)
	}
}

// pingUnanswered closes the socket, unless it is the server that plays deaf.
func (k *socket) pingUnanswered() {
	if k.conn != nil && k.conn.isDeaf() {
		return
	}
	k.close(websocket.StatusPolicyViolation, "ping timeout")
}
