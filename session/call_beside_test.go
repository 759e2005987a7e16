package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// shareScreen shares a screen beside a call in a bubble.
func shareScreen(t *testing.T, line lineOf, k *session.Call) *session.ExtraLeg {
	t.Helper()
	screen, err := k.ShareScreen(t.Context(), media.NewTestPattern(), line.media(session.MediaOptions{}))
	if err != nil {
		t.Fatalf("ShareScreen: %v", err)
	}
	return screen
}

// TestByeOfAScreenIsNotTheCalls: a moderator may stop a share, or it may break.
func TestByeOfAScreenIsNotTheCalls(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
		screen := shareScreen(t, ann, k)
		b.srv.SendVerto(screen.ID(), "verto.bye", map[string]any{"callID": screen.ID(), "cause": "NORMAL_CLEARING", "causeCode": 16})
		<-screen.Done()
		before := k.Stats().Audio.PacketsReceived
		pass(time.Second)
		if s := k.Status(); s != session.CallStatusConnected || k.Stats().Audio.PacketsReceived < before {
			t.Errorf("the call is %v: %v", s, k.Err())
		}
		if byes := b.srv.Journal().Filter(received("verto.bye")); len(byes) != 0 {
			t.Errorf("the service was told what it had said: %v", byes)
		}
		if err := shareScreen(t, ann, k).Stop(t.Context()); err != nil { // another one, then
			t.Error(err)
		}
		b.over(t, ann, k)
	})
}

// TestScreenDoesNotBecomeTheCall: what one does after sharing is still about
// oneself and not about the screen.
func TestScreenDoesNotBecomeTheCall(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, sent := b.tapped(t, "ann")
		k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
		self, _ := b.srv.Call(k.ID())
		screen := shareScreen(t, ann, k)
		invite := sent.last(t, "verto.invite")
		if invite.CallID != screen.ID() || invite.NodeID == "" || invite.Message.Params.Dialog["callID"] != screen.ID() {
			t.Errorf("the screen's invite: %+v", invite)
		}
		changes := k.ObserveEvents()
		if err := k.Execute(t.Context(), "call.raisehand", nil, nil); err != nil {
			t.Fatal(err)
		}
		e, err := changes.Wait(t.Context(), func(e *session.Event) bool { return e.Type == "member.updated" })
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Member struct {
				ID string `json:"member_id"`
			}
		}
		if err := json.Unmarshal(e.Payload, &said); err != nil || said.Member.ID != self.MemberID {
			t.Errorf("%q raised a hand, want %s: %v", said.Member.ID, self.MemberID, err)
		}
		if err := screen.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		bye := sent.last(t, "verto.bye")
		if bye.CallID != k.ID() || bye.Message.Params.Dialog["callID"] != screen.ID() || bye.Message.Params.Dialog["screenShare"] != true {
			t.Errorf("the screen's bye: %+v", bye)
		}
		b.over(t, ann, k)
		if v := sent.last(t, "verto.bye").Message.Params.Dialog["userVariables"].(map[string]any); v["memberId"] != self.MemberID || v["memberCallId"] != k.ID() {
			t.Errorf("the call's bye speaks of %v", v)
		}
	})
}

// TestEveryLegHangsUp: the others need not wait for the service to notice that a
// screen has gone, whichever way its call ends on this side.
func TestEveryLegHangsUp(t *testing.T) {
	for name, leave := range map[string]func(*session.Client, *session.Call) error{
		"Hangup":     func(_ *session.Client, k *session.Call) error { return k.Hangup(context.Background()) },
		"Disconnect": func(c *session.Client, _ *session.Call) error { return c.Disconnect(context.Background()) },
		"Close":      func(c *session.Client, _ *session.Call) error { return c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann := b.client(t, "ann")
				k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
				screen := shareScreen(t, ann, k)
				if err := leave(ann.Client, k); err != nil {
					t.Error(err)
				}
				<-screen.Done()
				wantOver(t, b.srv, ann.Client, k)
				for _, id := range []string{k.ID(), screen.ID()} {
					if byes := b.srv.Journal().Call(id).Filter(received("verto.bye")); len(byes) != 1 || byes[0].Answered.IsZero() {
						t.Errorf("byes %+v", byes)
					}
				}
			})
		})
	}
}

// TestScreenThatFailsHangsUp by itself, and the call goes on.
func TestScreenThatFailsHangsUp(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := connected(t, ann.Client, "/public/stage", ann.dialing(session.MediaOptions{}))
		taken(b.srv, time.Second)
		failed := make(chan error)
		go func() {
			_, err := k.ShareScreen(t.Context(), media.NewTestPattern(), ann.media(session.MediaOptions{}))
			failed <- err
		}()
		screen := journal(t, b.srv, func(e sessiontest.Entry) bool { return received("verto.invite")(e) && e.Call != k.ID() }).Call
		eventually(t, "the gateway knows the screen", func() bool {
			return b.srv.SendVerto(screen, "verto.answer", map[string]any{"callID": screen, "sdp": "no description"})
		})
		var track *errs.MediaTrackError
		if err := <-failed; !errors.As(err, &track) {
			t.Errorf("ShareScreen: %v", err)
		}
		pass(time.Second)
		if byes := b.srv.Journal().Call(screen).Filter(received("verto.bye")); len(byes) != 1 || byes[0].Code != 0 {
			t.Errorf("byes %+v", byes)
		}
		if s := k.Status(); s != session.CallStatusConnected {
			t.Errorf("the call is %v: %v", s, k.Err())
		}
		b.over(t, ann, k)
	})
}
