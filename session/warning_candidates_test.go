package session_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestCallThatOnlyHostsCanReachIsWarnedOf, but not one that wants it so.
func TestCallThatOnlyHostsCanReachIsWarnedOf(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		told := taped(t, ann.ObserveWarnings())
		if len(ann.ICEServers()) > 0 {
			t.Fatal("the service offers servers: the test proves nothing")
		}
		out := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		b.over(t, ann, out)
		out = connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{ICEServers: []media.ICEServer{}}))
		b.over(t, ann, out)
		dead := []media.ICEServer{{URLs: []string{"stun:10.0.0.99:3478"}}}
		out = connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{ICEServers: dead}))
		b.over(t, ann, out)
		synctest.Wait()
		var got []string
		for _, w := range told.all() {
			if h, ok := w.(*session.HostCandidatesWarning); ok && h.CallID != "" && h.Code() == session.WarningHostCandidates {
				got = append(got, strings.ReplaceAll(h.String(), h.CallID, "X"))
			}
		}
		want := "call X can be reached at this machine's own addresses only: there are no ICE servers\n" +
			"call X can be reached at this machine's own addresses only: none of its 1 ICE servers told another in time"
		if strings.Join(got, "\n") != want {
			t.Errorf("warned %q", got)
		}
	})
}
