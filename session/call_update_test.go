package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// exchanges are what makes an offer in a live call.
var exchanges = map[string]func(context.Context, *session.Call) error{
	"SetDirections": func(ctx context.Context, k *session.Call) error {
		return k.SetDirections(ctx, media.Directions{Audio: media.SendOnly})
	},
	"RestartICE": func(ctx context.Context, k *session.Call) error { return k.RestartICE(ctx) },
}

func TestMediaIsNotAgreedAnewBeforeTheAnswer(t *testing.T) {
	for name, change := range exchanges {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann, bob := b.client(t, "ann"), b.client(t, "bob")
				incoming := bob.ObserveIncoming()
				out := mustDial(t, ann.Client, "/private/bob", ann.dialing(session.MediaOptions{}))
				in := next(t, incoming)
				for _, k := range []*session.Call{out, in} {
					if err := change(t.Context(), k); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
						t.Errorf("%v: %v", k.Direction(), err)
					}
				}
				if err := in.Answer(t.Context(), bob.media(session.MediaOptions{})); err != nil {
					t.Fatal(err)
				}
				awaitStatus(t, out, session.CallStatusConnected)
				if d := out.Directions(); d.Audio != media.SendRecv {
					t.Errorf("directions %v", d)
				}
				b.over(t, ann, out)
				<-in.Done()
			})
		})
	}
}

// TestExchangeThatLosesItsSessionLeavesTheCallAlone: what was offered to the old
// session is taken back before the call is offered to the new one.
func TestExchangeThatLosesItsSessionLeavesTheCallAlone(t *testing.T) {
	for name, change := range exchanges {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann := b.client(t, "ann")
				k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
				refuseResume(b.srv)
				b.srv.Drop("ann")
				if _, err := ann.ObserveStatus().Wait(t.Context(), func(s session.Status) bool { return s == session.StatusReconnecting }); err != nil {
					t.Fatal(err)
				}
				if err := change(context.Background(), k); !errors.As(err, new(*errs.InvalidStateTransitionError)) {
					t.Errorf("%s: %v", name, err)
				}
				awaitStatus(t, k, session.CallStatusConnected)
				pass(time.Second)
				if s := k.Stats().Audio; k.Status() != session.CallStatusConnected || k.Directions().Audio != media.SendRecv || s.PacketsReceived < 40 {
					t.Fatalf("call %v (%v), %v, %+v", k.Status(), k.EndReason(), k.Directions(), s)
				}
				if err := change(t.Context(), k); err != nil {
					t.Error(err)
				}
				b.over(t, ann, k)
			})
		})
	}
}
