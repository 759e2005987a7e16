package session_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

func TestExecuteFillsInTheLeg(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/den", ann.dialing(session.MediaOptions{}))
		changes := k.ObserveEvents()
		if err := k.Execute(t.Context(), "call.raisehand", nil, nil); err != nil {
			t.Fatal(err)
		}
		e, err := changes.Wait(t.Context(), func(e *session.Event) bool { return e.Type == "member.updated" })
		if err != nil {
			t.Fatal(err)
		}
		info, _ := b.srv.Call(k.ID())
		var said struct {
			Member struct {
				MemberID   string `json:"member_id"`
				HandRaised bool   `json:"handraised"`
			}
		}
		if err := json.Unmarshal(e.Payload, &said); err != nil || said.Member.MemberID != info.MemberID || !said.Member.HandRaised {
			t.Errorf("the service says %+v: %v", said, err)
		}
		var result struct{ Code string }
		if err := k.Execute(t.Context(), "call.microphone.volume.set", map[string]any{"volume": 7}, &result); err != nil || result.Code != "200" {
			t.Errorf("result %+v: %v", result, err)
		}
		var refused *errs.JSONRPCError
		target := map[string]any{"target": map[string]any{"member_id": "nobody"}}
		if err := k.Execute(t.Context(), "call.mute", target, nil); !errors.As(err, &refused) || refused.Code != errs.CodeNotFound {
			t.Errorf("with a target of its own: %v", err)
		}
		b.over(t, ann, k)
	})
}

func TestPingIsAnswered(t *testing.T) {
	inCallBubble(t, sessiontest.Options{CallPingInterval: 10 * time.Second}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := mustDial(t, ann.Client, "/public/ring", ann.dialing(session.MediaOptions{}))
		pass(35 * time.Second)
		pongs := b.srv.Journal().Call(k.ID()).Filter(received("verto.pong"))
		if len(pongs) != 3 {
			t.Fatalf("%d pongs", len(pongs))
		}
		for _, p := range pongs {
			if p.Code != 0 || p.Answered.IsZero() {
				t.Errorf("pong %+v", p)
			}
		}
		// a pong that fails is told, and that is all
		b.srv.Inject(sessiontest.Fault{
			Match:  sessiontest.Match{Verto: "verto.pong"},
			Action: sessiontest.Action{Kind: sessiontest.FaultVertoError},
		})
		failures := k.ObserveErrors()
		pass(10 * time.Second)
		var failure *errs.CallError
		var pong *errs.VertoPongError
		if err := next(t, failures); !errors.As(err, &failure) || failure.Fatal || failure.CallID != k.ID() || !errors.As(err, &pong) {
			t.Errorf("a failed pong: %v", err)
		}
		if k.Status().String() != "trying" || k.Stats().State == media.StateFailed {
			t.Errorf("the call is %v", k.Status())
		}
		b.over(t, ann, k)
	})
}

// TestByeOfASegmentIsNotTheCalls: a call may pass through several legs at the
// service, and goes on when one of the later ones ends.
func TestByeOfASegmentIsNotTheCalls(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		events := k.ObserveEvents()
		send := func(eventType string, params map[string]any) {
			if _, err := b.srv.SendEvent("ann", eventType, nil, params); err != nil {
				t.Fatal(err)
			}
		}
		send("call.joined", map[string]any{"call_id": "segment", "origin_call_id": k.ID(), "room_session_id": "room-2", "member_id": "m-2"})
		send("member.updated", map[string]any{"room_session_id": "room-2", "member": map[string]any{}})
		send("call.state", map[string]any{"call_id": "segment"})
		send("webrtc.message", map[string]any{"method": "verto.bye", "params": map[string]any{"callID": "segment", "cause": "NORMAL_CLEARING"}})
		pass(time.Second)
		if k.Status() != session.CallStatusConnected {
			t.Errorf("the call is %v: %v", k.Status(), k.Err())
		}
		send("call.play", map[string]any{"call_id": "segment"}) // which is no more
		b.over(t, ann, k)
		var seen []string
		for e := range events.Seq(t.Context()) {
			seen = append(seen, e.Type)
		}
		if diff := cmp.Diff([]string{"call.joined", "member.updated", "call.state"}, seen[:min(3, len(seen))]); diff != "" || slices.Contains(seen, "call.play") {
			t.Errorf("events %v (-want +got):\n%s", seen, diff)
		}
	})
}
