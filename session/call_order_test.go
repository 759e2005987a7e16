package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// The reply to an invite and what follows it are taken in by different goroutines. Whichever is first, the call goes
// through the same statuses.
func TestAnswerThatOvertakesTheInviteReplySkipsNoStatus(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		b.srv.Inject(sessiontest.Fault{
			Match:  sessiontest.Match{Verto: "verto.invite"},
			Action: sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second},
		})
		failed := dialAside(t, t.Context(), ann.Client, "/public/ring", ann.dialing(session.MediaOptions{}))
		journal(t, b.srv, received("verto.invite"))
		k := ann.Calls()[0]
		seen := watch(k)
		pass(100 * time.Millisecond) // the gateway knows the call now, and holds its reply back
		if !b.srv.SendVerto(k.ID(), "verto.answer", map[string]any{"callID": k.ID()}) {
			t.Fatal("the gateway knows no such call")
		}
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
		b.over(t, ann, k)
		want := []session.CallStatus{session.CallStatusNew, session.CallStatusTrying, session.CallStatusConnecting}
		if all := seen.all(t); !slices.Equal(all[:3], want) {
			t.Errorf("the statuses were %v, want them to begin with %v", all, want)
		}
	})
}
