package relay

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/redact"
	"github.com/callrx/callrx/internal/wire"
	"github.com/google/uuid"
)

// A call is one request waiting for its response.
type call struct {
	id, method string
	frame      []byte
	since      time.Time
	done       chan outcome // capacity 1: whoever answers never waits
	dropped    atomic.Bool  // its caller has given up
	secrets    func() []string
}

type outcome struct {
	frame wire.Frame
	err   error
}

func newCall(method string, params any, secrets func() []string) (*call, error) {
	id := uuid.NewString()
	frame, err := wire.EncodeRequest(id, method, params)
	if err != nil {
		return nil, &errs.InvalidParamsError{Param: method, Reason: "cannot be written", OriginalError: err}
	}
	return &call{id: id, method: method, frame: frame, since: time.Now(), done: make(chan outcome, 1), secrets: secrets}, nil
}

// finish hands c its outcome; only the first one counts.
func (c *call) finish(o outcome) {
	select {
	case c.done <- o:
	default:
	}
}

// wait returns the result, or why there is none.
func (c *call) wait(ctx context.Context) (wire.Raw, error) {
	select {
	case o := <-c.done:
		return c.result(o)
	case <-ctx.Done():
	}
	select {
	case o := <-c.done: // it came at the same moment
		return c.result(o)
	default:
	}
	return "", c.expired(ctx)
}

func (c *call) expired(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &errs.RPCTimeoutError{RequestID: c.id, Method: c.method, After: time.Since(c.since).Round(time.Millisecond)}
	}
	return context.Cause(ctx)
}

func (c *call) result(o outcome) (wire.Raw, error) {
	if o.err != nil {
		return "", o.err
	}
	e := o.frame.Err
	if e == nil {
		e = wire.ResultError(o.frame.Result)
	}
	if e == nil {
		return o.frame.Result, nil
	}
	var known []string
	if c.secrets != nil {
		known = c.secrets()
	}
	rpc := &errs.JSONRPCError{
		Code: e.Code, CodeText: redact.Text(e.CodeText, known...), Message: redact.Text(e.Message, known...),
		RequestID: c.id, Method: c.method, Cause: redact.Text(e.Cause, known...), CauseCode: e.CauseCode,
	}
	if e.Data != "" {
		rpc.Data = json.RawMessage(redact.Text(string(e.Data), known...))
		if !json.Valid(rpc.Data) { // a secret was a number
			rpc.Data, _ = json.Marshal(string(rpc.Data))
		}
	}
	return "", rpc
}

// bound gives a request the default deadline unless its caller set one.
func bound(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}
