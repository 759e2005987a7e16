package session_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestMessagesArriveWhileTheHistoryIsLoaded: in two conversations at once, while
// each page takes a second, none is lost, doubled, out of order or in the wrong
// one; and who observes never sees a list that gets shorter.
func TestMessagesArriveWhileTheHistoryIsLoaded(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		carol, err := r.c.Directory().Lookup(t.Context(), "/private/carol")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for name, a := range map[string]*session.Address{"bob": bob, "carol": carol} {
			for i := range 350 {
				say(t, r.srv, name, "ann", fmt.Sprintf("%s%03d", name, i))
			}
			synctest.Wait()
			k := mustTalk(t, a)
			r.fault("/api/fabric/conversations/"+k.ID()+"/messages", -1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second})
			before := 0
			k.ObserveMessages().Subscribe(t.Context(), func(list []session.Message) {
				if len(list) < before {
					t.Errorf("%d messages after %d", len(list), before)
				}
				before = len(list)
			})
			all.Go(func() {
				for i := range 100 {
					say(t, r.srv, name, "ann", fmt.Sprintf("%s%03d", name, 350+i))
					time.Sleep(30 * time.Millisecond)
				}
			})
			all.Go(func() {
				for k.HasMore() {
					if err := k.LoadMore(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		synctest.Wait()
		for name, a := range map[string]*session.Address{"bob": bob, "carol": carol} {
			k := mustTalk(t, a)
			for i, m := range k.Messages() {
				if want := fmt.Sprintf("%s%03d", name, i); m.Text != want {
					t.Fatalf("message %d is %s", i, m.Text)
				}
			}
			if n := len(k.Messages()); n != 450 {
				t.Errorf("%d messages with %s", n, name)
			}
		}
	})
}

// TestPageThatComesLateUndoesNoUpdate that has arrived since it was asked for.
func TestPageThatComesLateUndoesNoUpdate(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		say(t, r.srv, "bob", "ann", "one")
		synctest.Wait()
		m := k.Messages()[0]
		stale := fmt.Sprintf(`{"data":[{"id":%q,"group_id":%q,"ts":%d,"subtype":"chat","text":"one"},
			{"id":"older","group_id":%q,"ts":%d,"subtype":"chat","text":"zero"}],"links":{}}`, m.ID, k.ID(), m.SentAt.UnixMilli(), k.ID(), m.SentAt.UnixMilli()-1)
		r.fault("/api/fabric/conversations/"+k.ID()+"/messages", 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second, Body: stale})
		page := make(chan error, 1)
		go func() { page <- k.LoadMore(t.Context()) }()
		synctest.Wait() // it is on its way
		update := map[string]any{"id": m.ID, "group_id": k.ID(), "text": "one, corrected"}
		if _, err := r.srv.SendEvent("ann", "conversation.message.updated", "conversation."+k.ID(), update); err != nil {
			t.Fatal(err)
		}
		if err := <-page; err != nil || texts(k.Messages()) != "zero,one, corrected" {
			t.Errorf("%v, %s", err, texts(k.Messages()))
		}
	})
}

// unplugged is a transport that reaches nobody while it is.
type unplugged struct {
	http.RoundTripper
	now *atomic.Bool
}

func (u unplugged) RoundTrip(r *http.Request) (*http.Response, error) {
	if u.now.Load() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("network is unreachable")}
	}
	return u.RoundTripper.RoundTrip(r)
}

// TestTextThatCannotLeaveIsAnErrorSoon, and not sent later behind the program's
// back.
func TestTextThatCannotLeaveIsAnErrorSoon(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		var off atomic.Bool
		own := *r.opts.HTTPClient
		own.Transport = unplugged{own.Transport, &off}
		r.opts.HTTPClient = &own
		r.srv.IssueSAT(sessiontest.SATRequest{Reference: "bob"})
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		bob, err := r.c.Directory().Lookup(r.t.Context(), "/private/bob")
		if err != nil {
			t.Fatal(err)
		}
		k := mustTalk(r.t, bob)
		off.Store(true)
		r.srv.Drop("ann")
		time.Sleep(time.Second)
		began := time.Now()
		var failed *errs.ConversationError
		if err := bob.SendText(r.t.Context(), "lost"); !errors.As(err, &failed) || failed.Operation != "send" || !errors.As(err, new(*errs.RequestError)) {
			t.Errorf("SendText: %v", err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("after %v", took)
		}
		off.Store(false)
		time.Sleep(time.Minute)
		r.wantOnline("after the network is back")
		if err := bob.SendText(r.t.Context(), "found"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := texts(k.Messages()); got != "found" {
			t.Errorf("messages %s", got)
		}
	})
}
