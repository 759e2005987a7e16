package session

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/google/uuid"
)

// mainSubscriptions is what a main leg asks for. Servers send all of a room's
// events whatever is asked.
var mainSubscriptions = []string{
	"track", "destroy", "member.updated.videoMuted", "layout.changed", "room.subscribed",
	"member.updated.audioMuted", "media.connected", "room.updated", "call.joined",
}

// dialogVersion is the version of the dialog parameters.
const dialogVersion = 1000

// verto sends one Verto request of the call and returns its body.
func (k *Call) verto(ctx context.Context, method string, p wire.VertoParams) (wire.VertoReply, error) {
	env := wire.VertoEnvelope{
		CallID:  k.id,
		Message: wire.VertoRequest{JSONRPC: "2.0", ID: uuid.NewString(), Method: method, Params: p},
	}
	over := false
	err := k.c.ask(ctx, func() {
		env.NodeID = k.NodeID()
		if method == wire.VertoInvite {
			over = k.state.status.ended() // by now, so that no bye would follow
			k.known = !over
		}
	})
	if err != nil {
		return wire.VertoReply{}, err
	}
	if over {
		<-k.done
		return wire.VertoReply{}, k.Err()
	}
	if method == wire.VertoInvite || method == wire.VertoAnswer {
		env.Subscribe = mainSubscriptions
	}
	return k.c.verto(ctx, env)
}

// verto sends one Verto request and reads the body of the reply.
func (c *Client) verto(ctx context.Context, env wire.VertoEnvelope) (wire.VertoReply, error) {
	raw, err := c.call(ctx, wire.MethodVerto, env)
	if err != nil {
		return wire.VertoReply{}, err
	}
	var reply wire.VertoReply
	if err := json.Unmarshal([]byte(raw), &reply); err != nil {
		return reply, &errs.UnexpectedError{At: env.Message.Method, OriginalError: err}
	}
	return reply, nil
}

// dialog is the full form of the dialog parameters.
func (k *Call) dialog() *wire.DialogParams {
	no, yes := false, true
	d := &wire.DialogParams{
		CallID: k.id, UserVariables: k.dialogVariables(),
		ScreenShare: &no, AdditionalDevice: &no, PingSupported: &yes, Version: dialogVersion,
	}
	k.mu.Lock()
	attached, reattaching := k.attached, k.reattaching
	k.mu.Unlock()
	switch {
	case attached:
		d.Attach, d.Reattaching = &no, &no
	case reattaching:
		d.Attach, d.Reattaching = &yes, &yes
	}
	if k.direction == errs.DirectionInbound {
		d.DestinationNumber = k.to.URI
		d.CallerIDName, d.CallerIDNumber = k.from.Name, k.from.URI
		d.RemoteCallerName, d.RemoteCallerNumber = k.to.Name, k.to.URI
		return d
	}
	d.DestinationNumber, d.RemoteCallerNumber = k.to.URI, k.to.URI
	return d
}

// dialogVariables are the user variables with the two that identify the leg,
// which nobody can overwrite.
func (k *Call) dialogVariables() map[string]any {
	v, member := k.UserVariables(), k.SelfID()
	v["memberCallId"] = k.id
	delete(v, "memberId")
	if member != "" {
		v["memberId"] = member
	}
	return v
}

// short is the form of the dialog parameters that only names the leg.
func (k *Call) short() *wire.DialogParams { return &wire.DialogParams{CallID: k.id} }

// bye tells the service that the call and all its legs are over, as far as it
// knows of them. It is bounded and its failure means nothing for who asked: the
// call is over either way, and the service is told once more in the background.
func (k *Call) bye(cause string, code int) {
	ctx, cancel := context.WithTimeout(context.Background(), byeTimeout)
	defer cancel()
	known := false
	var extras []*ExtraLeg
	if !k.mayEnd(ctx) || k.c.ask(ctx, func() { known, extras = k.known, k.allExtras() }) != nil || !known {
		return
	}
	var told sync.WaitGroup
	defer told.Wait()
	for _, x := range extras {
		told.Go(func() { _ = x.bye(ctx) })
	}
	p := wire.VertoParams{Dialog: k.dialog(), Cause: cause}
	if code != 0 {
		p.CauseCode = strconv.Itoa(code)
	}
	_, err := k.verto(ctx, wire.VertoBye, p)
	if err != nil {
		k.c.log.Debug("bye", "call_id", k.id, "error", err)
		k.c.post(func() { k.oweBye(err, p) })
	}
}

// A bye that is owed to the service: so many more tries, each for so long, which is
// mostly waiting for the next connection.
const (
	owedTries   = 3
	owedTimeout = 20 * time.Second
)

// oweBye says again what could not be said, for as long as the session lasts. Else
// a leg would be left over there that nobody is in. On the loop.
func (k *Call) oweBye(cause error, p wire.VertoParams) {
	k.c.workers.Go(func() {
		for range owedTries {
			known := false // else another process has the call by now
			if k.c.ask(k.c.ctx, func() { known = k.known }) != nil || !known || !undelivered(cause) {
				return
			}
			ctx, cancel := context.WithTimeout(k.c.ctx, owedTimeout)
			_, cause = k.verto(ctx, wire.VertoBye, p)
			cancel()
		}
	})
}

// undelivered: it may arrive another time.
func undelivered(err error) bool {
	var timeout *errs.RPCTimeoutError
	var lost *errs.TransportError
	var full *errs.QueueFullError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) || errors.As(err, &lost) || errors.As(err, &full)
}

// mayEnd waits, but not long, until it is known whether another process has taken
// the call over, so that the service must not be told of an end.
func (k *Call) mayEnd(ctx context.Context) bool {
	var letGo chan struct{}
	if k.c.ask(ctx, func() { letGo = k.letGo }) != nil {
		return false
	}
	if letGo == nil {
		return true
	}
	return awaitClosed(ctx, letGo, byeTimeout/2) == nil
}
