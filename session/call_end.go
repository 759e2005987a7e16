package session

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/callrx/callrx/errs"
)

// addCall makes events find k. On the loop, like everything in this file.
func (c *Client) addCall(k *Call) {
	c.legs[k.id] = k
	c.streams.calls.Set(append([]*Call{k}, c.streams.calls.Get()...))
}

func (c *Client) removeCall(k *Call) {
	for id, other := range c.legs {
		if other == k {
			delete(c.legs, id)
		}
	}
	c.streams.calls.Set(slices.DeleteFunc(slices.Clone(c.streams.calls.Get()), func(other *Call) bool { return other == k }))
}

// report puts a failure on the call's error stream. A fatal one is the reason
// that the call ends for.
func (k *Call) report(cause error, fatal bool) {
	if k.state.status >= CallStatusDisconnected {
		return
	}
	k.c.log.Warn("call failure", "call_id", k.id, "fatal", fatal, "error", cause)
	e := &errs.CallError{Kind: kindOf(cause), Fatal: fatal, CallID: k.id, OriginalError: cause}
	k.c.failed(note{category: DiagnosticFailure, what: "call_error", callID: k.id}, e)
	k.errors.Publish(e)
}

// kindOf classifies a failure by what it is about.
func kindOf(cause error) errs.CallErrorKind {
	var rpc *errs.JSONRPCError
	var timeout *errs.RPCTimeoutError
	var track *errs.MediaTrackError
	var access *errs.MediaAccessError
	var lost *errs.TransportError
	var socket *errs.WebSocketError
	var pong *errs.VertoPongError
	var attach *errs.AttachError
	var owned *errs.CallOwnedError
	var ended *errs.CallEndedError
	var recovery *errs.RecoveryError
	switch {
	case errors.As(cause, &ended) && ended.OriginalError == nil && ended.By == errs.EndedByRemote:
		return errs.CallErrorRejected
	case errors.As(cause, &attach), errors.As(cause, &owned), errors.As(cause, &recovery):
		return errs.CallErrorNetwork
	case errors.As(cause, &pong):
		return errs.CallErrorInternal
	case errors.As(cause, &timeout):
		return errs.CallErrorTimeout
	case errors.As(cause, &rpc):
		return errs.CallErrorSignaling
	case errors.As(cause, &track), errors.As(cause, &access):
		return errs.CallErrorMedia
	case errors.As(cause, &lost), errors.As(cause, &socket):
		return errs.CallErrorNetwork
	}
	return errs.CallErrorInternal
}

// fail ends the call for an error of its own, and lets the service know.
func (k *Call) fail(cause error) {
	if k.state.status.ended() {
		return // what fails now was about to end anyway
	}
	why := endOf(cause)
	k.report(why, true)
	if k.end(callFailed, why) {
		k.c.workers.Go(func() { k.bye("", 0) })
	}
}

// over ends the call without one.
func (k *Call) over(why *errs.CallEndedError) { k.end(callOver, why) }

// refused ends an outbound call that the other side did not take.
func (k *Call) refused(why *errs.CallEndedError) {
	k.report(why, true)
	k.end(callOver, why)
}

// end stops the media and then releases everything. It happens once, and
// reports whether it did.
func (k *Call) end(e callEvent, why *errs.CallEndedError) bool {
	if !k.move(e) {
		return false
	}
	if k.leaving != nil {
		why = k.leaving
	}
	k.mu.Lock()
	k.ended = why
	leg := k.leg
	k.mu.Unlock()
	k.unkeep()
	k.stop(why)
	k.stopRecovery()
	k.endExtras(why)
	k.jobs.Do(func() {
		if leg != nil {
			_ = leg.Close()
		}
		if k.c.ask(context.Background(), k.release) != nil {
			<-k.c.looping // now nobody else looks at k
			k.complete()
		}
	})
	return true
}

// release is the very end: the last status, then nothing more.
func (k *Call) release() {
	k.c.removeCall(k)
	k.complete()
}

// complete happens once, whether the loop or its end comes first.
func (k *Call) complete() {
	last := k.state.status
	if !k.move(callReleased) {
		return
	}
	k.sumUp(last)
	k.traceEnd(last == CallStatusFailed, k.Err())
	k.status.Complete()
	k.held.Complete()
	k.params.Complete()
	k.tuned.Complete()
	k.talk.Complete()
	k.completeFacts()
	k.errors.Complete()
	k.events.Complete()
	k.digits.Complete()
	k.room.complete()
	k.voice.complete()
	k.quality.complete()
	k.recovery.complete()
	close(k.done)
}

// endOf makes the reason a call ended of a failure.
func endOf(cause error) *errs.CallEndedError {
	var known *errs.CallEndedError
	if errors.As(cause, &known) {
		return known
	}
	e := &errs.CallEndedError{By: errs.EndedByLocal, Cause: string(kindOf(cause)), Retryable: true, OriginalError: cause}
	switch kindOf(cause) {
	case errs.CallErrorNetwork, errs.CallErrorTimeout:
		e.By = errs.EndedByNetwork
	case errs.CallErrorSignaling:
		e.By = errs.EndedByRemote
	}
	var refused *errs.JSONRPCError
	if errors.As(cause, &refused) {
		e.Cause, e.Code, e.Retryable = refused.Cause, refused.CauseCode, refused.Retryable()
		if e.Cause == "" {
			e.Cause = refused.Message
		}
		if e.Code != 0 { // which says more than the code of the reply
			e.Retryable = passing(e.Code)
		}
		if noSuchAddress(refused) {
			e.Code = errs.CauseUnallocatedNumber
		}
	}
	return e
}

// endCalls ends every call, tells each far end, and waits until nothing is left
// of them. Not on the loop.
func (c *Client) endCalls(why *errs.CallEndedError) {
	var live []*Call
	_ = c.ask(context.Background(), func() {
		live = c.streams.calls.Get()
		for _, k := range live {
			k.over(why)
		}
	})
	var told sync.WaitGroup
	for _, k := range live {
		told.Go(func() {
			k.bye("", 0)
			<-k.done
		})
	}
	told.Wait()
}

// dropCalls ends every call whose session is no more. On the loop.
func (c *Client) dropCalls() {
	c.custody.left, c.custody.ready = attachRecords{}, false
	for _, k := range c.streams.calls.Get() {
		k.kept = false // its record stays: the next session may have it
		k.over(sessionGone())
	}
}
