package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// send sends events of a type to ann, numbered, of the calls named.
func sendEvents(t *testing.T, srv *sessiontest.Server, eventType string, calls ...string) {
	t.Helper()
	for _, call := range calls {
		if _, err := srv.SendEvent("ann", eventType, nil, map[string]any{"call_id": call}); err != nil {
			t.Fatal(err)
		}
	}
}

// typesOf are the types of all events of a stream that completes.
func typesOf(events observable.Of[*session.Event]) (types []string) {
	for e := range events.Seq(context.Background()) {
		types = append(types, e.Type)
	}
	return types
}

func mustSubscribe(t *testing.T, k *session.Call, eventType string) observable.Of[*session.Event] {
	t.Helper()
	events, err := k.Subscribe(t.Context(), eventType)
	if err != nil {
		t.Fatalf("Subscribe(%q): %v", eventType, err)
	}
	return events
}

// TestSubscriptionIsTheCallsEventsOfOneType, all of them, until the call ends.
func TestSubscriptionIsTheCallsEventsOfOneType(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		user := mustSubscribe(t, k, "user_event")
		again := mustSubscribe(t, k, "user_event")
		speech := mustSubscribe(t, k, "ai.speech_detect")
		if asked := b.srv.Journal().Filter(received("verto.subscribe")); len(asked) != 2 {
			t.Errorf("the service was asked %d times", len(asked))
		}
		sendEvents(t, b.srv, "user_event", "another call", k.ID(), k.ID())
		sendEvents(t, b.srv, "user_event.other", k.ID())
		sendEvents(t, b.srv, "ai.speech_detect", k.ID())
		pass(0)
		late := mustSubscribe(t, k, "user_event")
		sendEvents(t, b.srv, "user_event", k.ID())
		pass(0)
		b.over(t, ann, k)
		for name, tc := range map[string]struct {
			events observable.Of[*session.Event]
			want   []string
		}{
			"user_event":                 {user, []string{"user_event", "user_event", "user_event"}},
			"user_event, asked for anew": {again, []string{"user_event", "user_event", "user_event"}},
			"user_event, asked for late": {late, []string{"user_event"}},
			"ai.speech_detect":           {speech, []string{"ai.speech_detect"}},
		} {
			if diff := cmp.Diff(tc.want, typesOf(tc.events)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// TestSubscriptionNotAuthorizedIsAnError for that type alone, and for the caller
// alone.
func TestSubscriptionNotAuthorizedIsAnError(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		b.srv.ScriptCalls(sessiontest.CallScript{RefuseEvents: []string{"ai.completion"}})
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		failures := k.ObserveErrors()
		for range 2 { // what was refused is asked for again
			var denied *errs.UnauthorizedEventError
			if _, err := k.Subscribe(t.Context(), "ai.completion"); !errors.As(err, &denied) || denied.EventType != "ai.completion" || errs.Retryable(err) {
				t.Errorf("Subscribe: %v", err)
			}
		}
		var empty *errs.InvalidParamsError
		if _, err := k.Subscribe(t.Context(), ""); !errors.As(err, &empty) {
			t.Errorf("Subscribe to nothing: %v", err)
		}
		mustSubscribe(t, k, "user_event")
		if asked := b.srv.Journal().Filter(received("verto.subscribe")); len(asked) != 3 {
			t.Errorf("the service was asked %d times", len(asked))
		}
		if info, _ := b.srv.Call(k.ID()); !cmp.Equal(info.Subscribed, []string{"user_event"}) {
			t.Errorf("the service has %v", info.Subscribed)
		}
		b.over(t, ann, k)
		for err := range failures.Seq(t.Context()) {
			t.Errorf("on the error stream: %v", err)
		}
	})
}

// TestNewSessionIsAskedForAllSubscriptions at once; a refusal is told and leaves
// the call and its streams alone.
func TestNewSessionIsAskedForAllSubscriptions(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		k.Resubscribe(t.Context()) // to nothing
		user := mustSubscribe(t, k, "user_event")
		mustSubscribe(t, k, "ai.completion")
		failures := k.ObserveErrors()
		b.srv.Inject(sessiontest.Fault{
			Match:  sessiontest.Match{Verto: "verto.subscribe"},
			Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32603},
		})
		for range 2 { // refused, then granted
			k.Resubscribe(t.Context())
		}
		if asked := b.srv.Journal().Filter(received("verto.subscribe")); len(asked) != 4 {
			t.Errorf("the service was asked %d times", len(asked))
		}
		var failure *errs.CallError
		var refused *errs.JSONRPCError
		if err := next(t, failures); !errors.As(err, &failure) || failure.Fatal || !errors.As(err, &refused) {
			t.Errorf("on the error stream: %v", err)
		}
		sendEvents(t, b.srv, "user_event", k.ID())
		pass(time.Second)
		if k.Status() != session.CallStatusConnected {
			t.Errorf("the call is %v", k.Status())
		}
		b.over(t, ann, k)
		if got := typesOf(user); len(got) != 1 {
			t.Errorf("events %v", got)
		}
	})
}
