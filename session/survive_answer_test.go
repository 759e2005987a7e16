package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestAnswerToAnEarlierProcessIsNotTakenForOnesOwn: the service sends again what that
// process has not acknowledged, before the next one has offered anything.
func TestAnswerToAnEarlierProcessIsNotTakenForOnesOwn(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		first, heard := b.start(t, "ann", sharedMemory(), session.Options{}), newListener(t)
		bob := b.client(t, "bob")
		_, far := b.pair(t, first.lineOf, bob, "ann", session.MediaOptions{}, session.MediaOptions{AudioSource: newTone(t, 520, -24)})
		o := takingUp(session.MediaOptions{})
		o.ReattachMedia = func(k *session.Call) session.MediaOptions {
			if !b.srv.SendVerto(k.ID(), "verto.answer", map[string]any{"callID": k.ID(), "sdp": "v=0\r\n"}) {
				t.Error("the gateway knows no such call")
			}
			pass(100 * time.Millisecond) // it is here
			return session.MediaOptions{AudioSink: heard}
		}
		second, k := b.survive(t, first, "ann", o)
		pass(time.Second)
		if len(told[error](second)) != 0 {
			t.Errorf("told %v", second.errors)
		}
		wantTone(t, "ann", heard, 520, -24)
		b.over(t, second.lineOf, k)
		<-far.Done()
	})
}
