package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// pushAttach has the service offer to attach a call.
func pushAttach(t *testing.T, srv *sessiontest.Server, k *session.Call) {
	t.Helper()
	_, err := srv.SendEvent("ann", "webrtc.message", nil, map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "verto.attach", "params": map[string]any{
			"callID": k.ID(), "sdp": "v=0", "callee_id_number": "/public/echo", "display_direction": "outbound",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestServiceThatOffersToAttachAWellCallChangesNothing(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		pushAttach(t, b.srv, k)
		pass(time.Second)
		if n := reinvites(b.srv, k); n != 1 || k.Status() != session.CallStatusConnected {
			t.Errorf("%d invites, call %v", n, k.Status())
		}
		b.over(t, ann, k)
	})
}

// TestServiceThatOffersToAttachIsTakenAtItsWord: the next try does not wait.
func TestServiceThatOffersToAttachIsTakenAtItsWord(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		b.srv.Inject(sessiontest.Fault{
			Match:  sessiontest.Match{Verto: "verto.invite"},
			Action: sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32603},
		})
		replaceSession(t, b.srv, ann.Client, "ann")
		eventually(t, "the first try has failed", func() bool { return reinvites(b.srv, k) == 2 })
		began := time.Now()
		pushAttach(t, b.srv, k)
		awaitStatus(t, k, session.CallStatusConnected)
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
		b.over(t, ann, k)
	})
}

// TestServiceThatOffersToAttachMeanwhileIsNotOfferedTheCallTwice: it would answer
// each offer, and only one of them stands.
func TestServiceThatOffersToAttachMeanwhileIsNotOfferedTheCallTwice(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, heard := b.client(t, "ann"), newListener(t)
		k := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{AudioSink: heard}))
		taken(b.srv, 500*time.Millisecond)
		replaceSession(t, b.srv, ann.Client, "ann")
		eventually(t, "the call is offered", func() bool { return reinvites(b.srv, k) == 2 })
		pushAttach(t, b.srv, k)
		pass(2 * time.Second)
		if n := reinvites(b.srv, k); n != 2 || k.Status() != session.CallStatusConnected {
			t.Errorf("%d invites, call %v", n, k.Status())
		}
		wantTone(t, "ann", heard, 440, -6)
		b.over(t, ann, k)
	})
}
