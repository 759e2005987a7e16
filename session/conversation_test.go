package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// inConversation signs ann in beside bob and carol, who are only written to, and
// finds bob's address.
func inConversation(t *testing.T, test func(t *testing.T, r *rig, bob *session.Address)) {
	t.Helper()
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		for _, name := range []string{"bob", "carol"} {
			r.srv.IssueSAT(sessiontest.SATRequest{Reference: name})
		}
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		bob, err := r.c.Directory().Lookup(r.t.Context(), "/private/bob")
		if err != nil {
			r.t.Fatal(err)
		}
		test(r.t, r, bob)
	})
}

func mustTalk(t *testing.T, a *session.Address) *session.Conversation {
	t.Helper()
	k, err := a.Conversation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func say(t *testing.T, srv *sessiontest.Server, from, to, text string) {
	t.Helper()
	if err := srv.SendText(from, to, text); err != nil {
		t.Fatal(err)
	}
}

func texts(list []session.Message) string {
	var all []string
	for _, m := range list {
		all = append(all, m.Text)
	}
	return strings.Join(all, ",")
}

func TestMessagesArriveOnceInTheirOwnConversation(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		say(t, r.srv, "bob", "ann", "before")
		synctest.Wait() // it has arrived, and nobody was there
		k := mustTalk(t, bob)
		var arrived []string
		watched := r.c.ObserveMessages().Subscribe(t.Context(), func(m session.Message) { arrived = append(arrived, m.Text) })
		say(t, r.srv, "carol", "ann", "psst")
		say(t, r.srv, "bob", "ann", "hello")
		if err := bob.SendText(t.Context(), "hi bob"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := texts(k.Messages()); got != "hello,hi bob" {
			t.Errorf("the conversation has %s", got)
		}
		if err := k.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := texts(k.Messages()); got != "before,hello,hi bob" || k.HasMore() {
			t.Errorf("with its history it has %s, more: %v", got, k.HasMore())
		}
		mine := k.Messages()[2]
		if mine.FromAddressID != r.c.User().Addresses[0].ID || mine.ConversationID != k.ID() || mine.SentAt.IsZero() || mine.Subtype != "chat" {
			t.Errorf("my message is %+v", mine)
		}
		_ = r.c.Close()
		<-watched.Done()
		if got := strings.Join(arrived, ","); got != "psst,hello,hi bob" {
			t.Errorf("observed %s", got)
		}
		completes(t, k.ObserveMessages())
		completes(t, k.ObserveHasMore())
	})
}

func TestConversationLoadsOlderPages(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		for i := range 250 {
			say(t, r.srv, "bob", "ann", fmt.Sprintf("%03d", i))
		}
		synctest.Wait()
		k := mustTalk(t, bob)
		for _, want := range []int{100, 200, 250, 250} {
			if err := k.LoadMore(t.Context()); err != nil {
				t.Fatal(err)
			}
			list := k.Messages()
			if len(list) != want || list[0].Text != fmt.Sprintf("%03d", 250-want) || list[want-1].Text != "249" || k.HasMore() != (want < 250) {
				t.Fatalf("%d messages from %s on, more: %v", len(list), list[0].Text, k.HasMore())
			}
		}
		n := 249
		for m, err := range k.History(t.Context()) {
			if err != nil || m.Text != fmt.Sprintf("%03d", n) {
				t.Fatalf("%v, %+v, want %03d", err, m, n)
			}
			n--
		}
		if n != -1 {
			t.Errorf("the history ends at %d", n)
		}
	})
}

func TestConversationKnowsItsCalls(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		began := time.Now().Truncate(time.Millisecond)
		if err := r.srv.LogCall("bob", "ann", "missed", began, began.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		k := mustTalk(t, bob)
		if err := k.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := k.Messages()[0]
		if m.Subtype != "log" || m.Kind != "call_ended" || m.Status != "missed" || !m.StartedAt.Equal(began) || !m.EndedAt.Equal(began.Add(time.Minute)) {
			t.Errorf("the note is %+v", m)
		}
	})
}

func TestConversationIsOpenedOnceByAll(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if k := mustTalk(t, bob); k != mustTalk(t, bob) {
					t.Error("another conversation")
				}
			})
		}
		all.Wait()
		joins := 0
		for _, e := range r.srv.Journal() {
			if strings.HasSuffix(e.Path, "/conversations/join") {
				joins++
			}
		}
		if joins != 1 {
			t.Errorf("%d joins", joins)
		}
	})
}

// TestTextIsNeverSentTwice: the service may have it although it says otherwise.
func TestTextIsNeverSentTwice(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		r.fault("/api/fabric/messages", 1, sessiontest.Action{Kind: sessiontest.FaultCommitThenFail, Status: 503})
		var failed *errs.ConversationError
		if err := k.SendText(t.Context(), "once"); !errors.As(err, &failed) || failed.Status != 503 || failed.Operation != "send" || failed.With != "bob" {
			t.Errorf("SendText: %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := texts(k.Messages()); got != "once" {
			t.Errorf("the conversation has %q", got)
		}
		own, err := r.c.Directory().Lookup(t.Context(), "/private/ann")
		if err != nil {
			t.Fatal(err)
		}
		if err := own.SendText(t.Context(), "me"); !errors.As(err, &failed) || failed.Status != 422 || failed.Operation != "join" {
			t.Errorf("to myself: %v", err)
		}
	})
}

func TestConversationsAreListed(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		say(t, r.srv, "bob", "ann", "hello")
		say(t, r.srv, "ann", "carol", "hello")
		say(t, r.srv, "bob", "carol", "ann must not see this")
		names := map[string]bool{}
		for c, err := range r.c.Conversations(t.Context()) {
			if err != nil || c.ID == "" || c.LastMessageAt.IsZero() || c.CreatedAt.IsZero() || c.Metadata == nil {
				t.Fatalf("%v, %+v", err, c)
			}
			names[c.Name] = true
		}
		if len(names) != 2 || !names["bob"] || !names["carol"] {
			t.Errorf("conversations with %v", names)
		}
	})
}

// TestConversationsTellWhatTheServiceKeepsAboutThem, such as what is unread; what
// makes no sense about one spoils none of the others.
func TestConversationsTellWhatTheServiceKeepsAboutThem(t *testing.T) {
	to := func(r *http.Request) (string, bool) {
		return `{"data":[
			{"group_id":"a_b","from_fabric_address_id":"b","name":"a","metadata":{"unread":3,"last":{"by":"a"}},"last_message_at":1718300050.5},
			{"group_id":"c_b","from_fabric_address_id":"b","metadata":[],"created_at":"2026-03-01T09:30:00Z"},
			{"group_id":"d_b","from_fabric_address_id":"b","metadata":null,"name":null},
			{"group_id":"","from_fabric_address_id":"b"},{"group_id":"e_b"}],"links":{}}`, r.URL.Path == "/api/fabric/conversations"
	}
	inAnswers(t, to, func(t *testing.T, r *rig, _ *session.Address) {
		var all []session.ConversationRecord
		for c, err := range r.c.Conversations(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		if len(all) != 3 || all[0].ID != "a_b" || all[1].ID != "c_b" || all[2].ID != "d_b" {
			t.Fatalf("%+v", all)
		}
		if m := all[0].Metadata; fmt.Sprint(m) != "map[last:map[by:a] unread:3]" || all[0].LastMessageAt.UnixMilli() != 1718300050500 {
			t.Errorf("%+v", all[0])
		}
		if all[1].Metadata != nil || all[2].Metadata != nil || all[1].CreatedAt.IsZero() {
			t.Errorf("%+v", all[1:])
		}
	})
}
