package session_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// What is known of a call is told as it becomes known, and with what is agreed about
// its media; after the call nothing flows, and nothing panics (21 of B3).
func TestWhatIsKnownOfACallIsToldAsItChanges(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		slow := sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 100 * time.Millisecond}
		b.srv.Inject(sessiontest.Fault{Match: sessiontest.Match{Verto: "verto.invite"}, Action: slow})
		b.srv.ScriptCalls(sessiontest.CallScript{AnswerDelay: time.Second}) // nothing is told before somebody watches
		var node, self, flows, said *record
		calls := ann.ObserveCalls().Subscribe(t.Context(), func(list []*session.Call) {
			if len(list) == 1 && node == nil {
				k := list[0]
				node, self, flows = keep(k.ObserveNodeID(), printed), keep(k.ObserveSelfID(), printed), keep(k.ObserveDirections(), printed)
				said = keep(k.ObserveWebRTCMessages(), func(e *session.Event) string { return vertoMethod(t, e) })
			}
		})
		defer calls.Cancel()
		k := connected(t, ann.Client, "/public/lobby", ann.dialing(session.MediaOptions{VideoSource: media.NewTestPattern()}))
		me, host := k.SelfID(), k.NodeID()
		for range 2 {
			if err := k.ToggleHold(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.ToggleIncomingVideo(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		b.srv.HangupCall(k.ID(), "", 0)
		<-k.Done()
		for what, c := range map[string]struct {
			got  *record
			want []string
		}{
			"node":       {node, []string{"", host}},
			"self":       {self, []string{"", me}},
			"directions": {flows, []string{"{inactive inactive}", "{sendrecv sendrecv}", "{inactive inactive}", "{sendrecv sendrecv}", "{sendrecv sendonly}", "{inactive inactive}"}},
			"messages":   {said, []string{"verto.answer", "verto.bye"}},
		} {
			if diff := cmp.Diff(c.want, c.got.so()); diff != "" || !c.got.over() {
				t.Errorf("%s (-want +got), ended %t:\n%s", what, c.got.over(), diff)
			}
		}
		if d := k.Directions(); d != (media.Directions{}) || k.SelfID() != me || k.NodeID() != host {
			t.Errorf("after the call: %v, %s at %s", d, k.SelfID(), k.NodeID())
		}
		if err := k.RequestKeyframe(); err == nil {
			t.Error("a picture was asked for after the call")
		}
	})
}

// vertoMethod is the method of a message of the media service.
func vertoMethod(t *testing.T, e *session.Event) string {
	var m struct {
		Method string `json:"method"`
	}
	if err := json.Unmarshal(e.Payload, &m); err != nil {
		t.Error(err)
	}
	return m.Method
}
