package session

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/callrx/callrx/errs"
)

// A Tracer is told of what a client does, for spans and metrics; package
// session/otelsession is one for OpenTelemetry.
type Tracer interface {
	// Start is told that an operation begins. The context it returns, which
	// derives from ctx, is what the operation goes on with, so that what is begun
	// for it is known to belong to it. The function is called once, when the
	// operation is over, with its error or nil.
	//
	// Both are called from goroutines of the program and of the client, at the
	// same time, and must not block: a client waits for them.
	Start(ctx context.Context, o Operation) (context.Context, func(error))
}

// An OperationName says what a Tracer is told of.
type OperationName string

// The operations. Those up to OperationPreflight run under the context that the
// program gave; those of a call, from OperationCall on, under the one that it was
// dialled with, without its deadline; the others under none of the program's. The
// request that signs in, which the client's own goroutine makes, belongs to the connect
// or the reconnect that it is for.
const (
	OperationConnect   OperationName = "connect"   // Connect, also by Open
	OperationRegister  OperationName = "register"  // Register
	OperationDial      OperationName = "dial"      // Dial, until the service has taken the call
	OperationAnswer    OperationName = "answer"    // Answer
	OperationPreflight OperationName = "preflight" // Preflight
	OperationRPC       OperationName = "rpc"       // a request and its answer, whoever sends it
	OperationRefresh   OperationName = "refresh"   // one attempt at one stage of refreshing the token
	OperationActivate  OperationName = "activate"  // exchanging a SAT for a bound one
	OperationReconnect OperationName = "reconnect" // from the loss of a connection until another is authenticated
	OperationCall      OperationName = "call"      // a call, all its life; the error is that of a failed one
	OperationMedia     OperationName = "media"     // until a call's media is connected for the first time
	OperationRecovery  OperationName = "recovery"  // from the loss of a call's media, or what is done to restore it, until that is over
)

// An Operation is what a Tracer is told. It holds no secret and nothing personal.
type Operation struct {
	Name      OperationName
	Client    string             // which client of the process, as in its log
	CallID    string             // of what is about a call
	Direction errs.CallDirection // of the call
	Method    string             // of an RPC
	Verto     string             // of an RPC that carries a message about a call: that message's method

	// Of a refresh.
	Mechanism errs.RefreshMechanism
	Stage     errs.RefreshStage
	Attempt   int
}

// trace tells the program's Tracer that o begins. Without one it costs nothing.
func (c *Client) trace(ctx context.Context, o Operation) (context.Context, func(error)) {
	if c.opts.Tracer == nil {
		return ctx, untraced
	}
	o.Client = c.id
	return c.opts.Tracer.Start(ctx, o)
}

func untraced(error) {}

// callTrace is what is under way of a call, for the Tracer.
type callTrace struct {
	ctx context.Context // what the call's operations belong to; set once

	mu   sync.Mutex // guards the rest
	ends map[OperationName]func(error)
}

// begins starts an operation of the call that another event ends.
func (k *Call) begins(name OperationName) {
	if k.c.opts.Tracer == nil {
		return
	}
	ctx, end := k.c.trace(k.traced.ctx, Operation{Name: name, CallID: k.id, Direction: k.direction})
	if name == OperationCall {
		k.traced.ctx = ctx // before anybody else has the call
	}
	k.traced.mu.Lock()
	defer k.traced.mu.Unlock()
	if k.traced.ends == nil {
		k.traced.ends = map[OperationName]func(error){}
	}
	k.traced.ends[name] = end
}

// ends ends that operation, if it is under way.
func (k *Call) ends(name OperationName, err error) {
	k.traced.mu.Lock()
	end := k.traced.ends[name]
	delete(k.traced.ends, name)
	k.traced.mu.Unlock()
	if end != nil {
		end(err)
	}
}

// traceMove follows the status of the call: what its media is doing. On the loop.
func (k *Call) traceMove(before, now callState) {
	if k.c.opts.Tracer == nil {
		return
	}
	if now.media && !before.media {
		k.ends(OperationMedia, nil)
	}
}

// traceRecovery follows what is done about the media of the call, and whether it is
// gone. On the loop.
func (k *Call) traceRecovery() {
	if k.c.opts.Tracer == nil || k.state.status.ended() { // traceEnd has the rest
		return
	}
	is := k.state.status == CallStatusRecovering || k.recovery.now.state == RecoveryRecovering
	switch was := k.underWay(OperationRecovery); {
	case is && !was:
		k.begins(OperationRecovery)
	case was && !is:
		k.ends(OperationRecovery, k.recovery.last)
	}
}

func (k *Call) underWay(name OperationName) bool {
	k.traced.mu.Lock()
	defer k.traced.mu.Unlock()
	return k.traced.ends[name] != nil
}

// traceEnd ends what is left, for why the call is over.
func (k *Call) traceEnd(failed bool, why error) {
	k.ends(OperationMedia, why)
	k.ends(OperationRecovery, why)
	if !failed {
		why = nil
	}
	k.ends(OperationCall, why)
}

// traceStatus follows the status of the client. On the loop.
func (c *Client) traceStatus(now Status) {
	switch {
	case now == StatusReconnecting:
		ctx, end := c.trace(c.ctx, Operation{Name: OperationReconnect})
		done := c.entering.under(ctx)
		c.reconnected = func(err error) {
			done()
			end(err)
		}
	case c.reconnected != nil:
		var err error
		if now != StatusOnline {
			err = &errs.NotConnectedError{Operation: "reconnect"}
		}
		c.reconnected(err)
		c.reconnected = nil
	}
}

// entering is the operation that signing in belongs to; the zero value is none.
type entering struct {
	ctx atomic.Pointer[context.Context]
}

// under has signing in belong to the operation of ctx until done is called.
func (e *entering) under(ctx context.Context) (done func()) {
	mine := &ctx
	e.ctx.Store(mine)
	return func() { e.ctx.CompareAndSwap(mine, nil) } // unless it is another's by now
}

// in is ctx, with the values of the operation besides.
func (e *entering) in(ctx context.Context) context.Context {
	if operation := e.ctx.Load(); operation != nil {
		return belonging{ctx, *operation}
	}
	return ctx
}

type belonging struct {
	context.Context
	operation context.Context
}

// Value is that of the context, or else of the operation.
func (b belonging) Value(key any) any {
	if v := b.Context.Value(key); v != nil {
		return v
	}
	return b.operation.Value(key)
}
