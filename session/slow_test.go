package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestSlowSubscriptionIsWarnedOfOnce: the one that loses events, and not the one
// that wants the latest only.
func TestSlowSubscriptionIsWarnedOfOnce(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		pass(time.Second)
		slowly := func(*session.Event) { time.Sleep(time.Second) }
		for _, s := range []*observable.Subscription{
			k.ObserveEvents().Subscribe(t.Context(), slowly, observable.Bounded(5)),
			k.ObserveEvents().Subscribe(t.Context(), slowly, observable.Latest()),
			ann.ObserveSignalingEvents().Subscribe(t.Context(), slowly),
		} {
			defer func() { <-s.Done() }()
			defer s.Cancel()
		}
		warnings := ann.ObserveWarnings()
		for range 30 {
			sendEvents(t, b.srv, "user_event", k.ID())
		}
		synctest.Wait() // the slow ones are at their first event
		pass(time.Minute)
		b.over(t, ann, k)
		_ = ann.Close()
		var got []session.Warning
		for w := range warnings.Seq(t.Context()) {
			if w.Code() == session.WarningSlowConsumer {
				got = append(got, w)
			}
		}
		if len(got) != 1 {
			t.Fatalf("warnings %v", got)
		}
		w, ok := got[0].(*session.SlowConsumerWarning)
		if !ok || w.Stream != "ObserveEvents" || w.CallID != k.ID() || w.Waiting != 5 || w.Dropped == 0 {
			t.Errorf("warned of %+v", got[0])
		}
	})
}
