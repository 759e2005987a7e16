package session

import (
	"context"
	"slices"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/observable"
)

// Subscribe asks the service for the call's events of one type that it does not
// send unasked, such as "user_event" or "ai.completion", and returns the stream
// of these alone: an event stream from this call on, which completes with the
// call. They appear on ObserveEvents as well. Asking again for a type gives
// another stream of it and bothers the service no more.
//
// The error is a *errs.UnauthorizedEventError for a type that the service does
// not let this client have, a *errs.JSONRPCError when it refuses otherwise, and
// what Client.Execute lists; the call goes on.
func (k *Call) Subscribe(ctx context.Context, eventType string) (observable.Of[*Event], error) {
	none := observable.Of[*Event]{}
	if eventType == "" {
		return none, &errs.InvalidParamsError{Param: "event type", Reason: "is empty"}
	}
	if err := k.alive("subscribe"); err != nil {
		return none, err
	}
	events := observable.Filter(k.events.Observe(), func(e *Event) bool { return e.Type == eventType })
	known := false
	err := k.c.ask(ctx, func() { known = slices.Contains(k.subscribed, eventType) })
	if err == nil && !known {
		err = k.askForEvents(ctx, eventType)
	}
	if err != nil {
		return none, err
	}
	return events, nil
}

// askForEvents subscribes to event types and remembers those that it gets. The
// error may be about only one of the others.
func (k *Call) askForEvents(ctx context.Context, types ...string) error {
	reply, err := k.verto(ctx, wire.VertoSubscribe, wire.VertoParams{SessID: k.id, EventChannel: types})
	if err != nil {
		return err
	}
	refused := reply.Result.Result.UnauthorizedChannels
	err = k.c.ask(ctx, func() {
		all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(k.subscribed, types))))
		k.subscribed = slices.DeleteFunc(all, func(t string) bool { return slices.Contains(refused, t) })
	})
	for _, t := range refused {
		if slices.Contains(types, t) {
			return &errs.UnauthorizedEventError{EventType: t}
		}
	}
	return err
}

// resubscribe asks again for all that was subscribed to, as a new session needs
// it. What fails is told on the call's error stream; the call goes on, and what
// the new session may not have is no longer subscribed to.
func (k *Call) resubscribe(ctx context.Context) {
	var types []string // nobody changes the slice
	if k.c.ask(ctx, func() { types = k.subscribed }) != nil || len(types) == 0 {
		return
	}
	if err := k.askForEvents(ctx, types...); err != nil {
		k.c.post(func() { k.report(err, false) })
	}
}
