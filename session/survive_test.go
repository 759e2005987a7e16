package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestCallOutlivesItsProcess: the machine of one side vanishes in mid-call, and
// another with the same storage goes on, under the same ids. The other side hears
// it again and is told nothing.
func TestCallOutlivesItsProcess(t *testing.T) {
	for _, side := range []string{"ann", "bob"} {
		t.Run(side, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				storage, stays, again := sharedMemory(), newListener(t), newListener(t)
				other := map[string]string{"ann": "bob", "bob": "ann"}[side]
				first := b.start(t, side, storage, session.Options{})
				peer := b.client(t, other)
				k, far := b.pair(t, first.lineOf, peer, side, session.MediaOptions{}, session.MediaOptions{
					AudioSource: newTone(t, 520, -24), AudioSink: stays,
				})
				k.MergeUserVariables(map[string]any{"ticket": "42"})
				pass(3 * time.Second)
				member := k.SelfID()
				b.vanish(first, side)
				pass(2 * time.Second)

				began := time.Now()
				second := b.start(t, side, storage, takingUp(session.MediaOptions{
					AudioSource: newTone(t, 440, -12), AudioSink: again,
				}))
				now := theCall(t, second)
				awaitStatus(t, now, session.CallStatusConnected)
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("the call came back after %v", took)
				}
				pass(time.Second)
				wantTone(t, side, again, 520, -24)
				wantTone(t, other, stays, 440, -12)
				if now.ID() != k.ID() || now.Direction() != k.Direction() || now.To() != k.To() || now.From() != k.From() ||
					now.SelfID() != member || now.UserVariables()["ticket"] != "42" {
					t.Errorf("call %s %v from %v to %v as %s with %v, want that of %s %v from %v to %v as %s", now.ID(), now.Direction(),
						now.From(), now.To(), now.SelfID(), now.UserVariables(), k.ID(), k.Direction(), k.From(), k.To(), member)
				}
				if far.Status() != session.CallStatusConnected || len(told[error](second)) != 0 {
					t.Errorf("the far end is %v, errors %v", far.Status(), second.errors)
				}
				if n := len(b.srv.Sessions()); n != 2 {
					t.Errorf("%d sessions, want the old one resumed", n)
				}
				b.over(t, second.lineOf, now)
				<-far.Done()
			})
		})
	}
}

// pair connects ann, who dials, with bob; k is the call of the client whose side
// is named.
func (b *callBubble) pair(t *testing.T, first, peer lineOf, side string, mine, theirs session.MediaOptions) (k, far *session.Call) {
	t.Helper()
	ann, bob, from, to := first, peer, mine, theirs
	if side == "bob" {
		ann, bob, from, to = peer, first, theirs, mine
	}
	incoming := bob.ObserveIncoming()
	out := mustDial(t, ann.Client, "/private/bob", ann.dialing(from))
	in := next(t, incoming)
	if err := in.Answer(t.Context(), bob.media(to)); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, in, session.CallStatusConnected)
	awaitStatus(t, out, session.CallStatusConnected)
	if side == "bob" {
		return in, out
	}
	return out, in
}

var _ = errs.ErrClosed
