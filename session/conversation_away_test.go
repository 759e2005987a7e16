package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// away drops ann's connection and has others write meanwhile; the session cannot
// be resumed, so nothing is delivered later.
func away(r *rig, write func()) {
	r.t.Helper()
	r.rpcFault(rpcConnect, 1, sessiontest.Action{Kind: sessiontest.FaultRPCError, Code: -32003})
	r.srv.Drop("ann")
	write()
	time.Sleep(10 * time.Second)
	r.wantOnline("after a drop")
}

func numbered(from, to int) string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("%03d", i))
	}
	return strings.Join(all, ",")
}

func messagePages(r *rig, k *session.Conversation) int {
	n := 0
	for _, e := range r.srv.Journal() {
		if strings.HasSuffix(e.Path, k.ID()+"/messages") {
			n++
		}
	}
	return n
}

func TestConversationCatchesUpWithWhatWasWrittenWhileTheConnectionWasAway(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		for i := range 2 {
			say(t, r.srv, "bob", "ann", fmt.Sprintf("%03d", i))
		}
		synctest.Wait() // they have arrived
		away(r, func() {
			for i := 2; i < 252; i++ {
				say(t, r.srv, "bob", "ann", fmt.Sprintf("%03d", i))
			}
		})
		say(t, r.srv, "bob", "ann", "252")
		synctest.Wait()
		if got := texts(k.Messages()); got != numbered(0, 253) {
			t.Errorf("%d messages: %s", len(k.Messages()), got)
		}
		if n := messagePages(r, k); n != 3 || len(allErrors[*errs.CollectionFetchError](r)) != 0 {
			t.Errorf("%d pages, errors %v", n, r.errors)
		}
	})
}

// TestConversationTriesAgainWithTheNextConnection: a gap stays known until it has
// been closed.
func TestConversationTriesAgainWithTheNextConnection(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		say(t, r.srv, "bob", "ann", "000")
		synctest.Wait()
		r.fault("/api/fabric/conversations/"+k.ID()+"/messages", 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 403})
		away(r, func() { say(t, r.srv, "bob", "ann", "001") })
		if got := allErrors[*errs.CollectionFetchError](r); len(got) != 1 || texts(k.Messages()) != "000" {
			t.Errorf("reported %v, messages %s", got, texts(k.Messages()))
		}
		say(t, r.srv, "bob", "ann", "002")
		synctest.Wait()
		away(r, func() { say(t, r.srv, "bob", "ann", "003") })
		if got := texts(k.Messages()); got != numbered(0, 4) {
			t.Errorf("messages %s", got)
		}
	})
}

// TestConversationWithoutAnyMessageAsksForTheNewestPage, however long it is.
func TestConversationWithoutAnyMessageAsksForTheNewestPage(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		for i := range 150 {
			say(t, r.srv, "bob", "ann", fmt.Sprintf("%03d", i))
		}
		synctest.Wait()
		k := mustTalk(t, bob)
		away(r, func() { say(t, r.srv, "bob", "ann", "150") })
		if got := texts(k.Messages()); got != numbered(51, 151) || messagePages(r, k) != 1 {
			t.Errorf("%d pages, messages %s", messagePages(r, k), got)
		}
	})
}

func TestConversationThatIsClosedHoldsNothingAndCanBeOpenedAnew(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		old := mustTalk(t, bob)
		hang := r.fault("/api/fabric/conversations/"+old.ID()+"/messages", 1, sessiontest.Action{Kind: sessiontest.FaultHang})
		defer hang.Remove()
		loading := make(chan error, 1)
		go func() { loading <- old.LoadMore(t.Context()) }()
		synctest.Wait() // the page has been asked for
		for range 2 {
			if err := old.Close(); err != nil {
				t.Error(err)
			}
		}
		for what, err := range map[string]error{"a page under way": <-loading, "a page": old.LoadMore(t.Context()), "a text": old.SendText(t.Context(), "x")} {
			if !errors.Is(err, errs.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		completes(t, old.ObserveMessages())
		completes(t, old.ObserveLoading())
		say(t, r.srv, "bob", "ann", "hello")
		synctest.Wait()
		again := mustTalk(t, bob)
		say(t, r.srv, "bob", "ann", "again")
		synctest.Wait()
		if again == old || again.ID() != old.ID() || len(old.Messages()) != 0 || texts(again.Messages()) != "again" {
			t.Errorf("old %s, new %s", texts(old.Messages()), texts(again.Messages()))
		}
		if err := again.LoadMore(t.Context()); err != nil || texts(again.Messages()) != "hello,again" {
			t.Errorf("%v, %s", err, texts(again.Messages()))
		}
	})
}

// TestConversationIsNotOpenedForAClientThatCloses: the caller gets the error, and
// no conversation with it.
func TestConversationIsNotOpenedForAClientThatCloses(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		hang := r.fault("/api/fabric/conversations/join", 1, sessiontest.Action{Kind: sessiontest.FaultHang})
		defer hang.Remove()
		opened := make(chan error, 1)
		go func() {
			k, err := bob.Conversation(t.Context())
			if k != nil {
				t.Error("there is a conversation")
			}
			opened <- err
		}()
		synctest.Wait()
		_ = r.c.Close()
		if err := <-opened; !errors.Is(err, errs.ErrClosed) {
			t.Errorf("while it closed: %v", err)
		}
		if k, err := bob.Conversation(t.Context()); k != nil || !errors.Is(err, errs.ErrClosed) {
			t.Errorf("after it closed: %v, %v", k, err)
		}
	})
}

// TestSomebodyElseSeesNothingOfTheAccountBefore: addresses and conversations end
// when the client signs in as another subscriber.
func TestSomebodyElseSeesNothingOfTheAccountBefore(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k, d := mustTalk(t, bob), r.c.Directory()
		say(t, r.srv, "bob", "ann", "for ann")
		synctest.Wait()
		carol := r.srv.IssueSAT(sessiontest.SATRequest{Reference: "carol", TTL: time.Hour})
		if err := r.c.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.c.UpdateCredential(t.Context(), session.Credential{Token: carol.Token}); err != nil {
			t.Fatal(err)
		}
		if err := r.c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(d.Addresses()) != 0 || d.Address(bob.ID()) != nil || !d.HasMore() || d.Loading() {
			t.Errorf("the directory has %v, more %v", d.Addresses(), d.HasMore())
		}
		completes(t, k.ObserveMessages())
		completes(t, bob.ObserveLocked())
		if err := k.SendText(t.Context(), "as ann"); !errors.Is(err, errs.ErrClosed) {
			t.Errorf("SendText: %v", err)
		}
		if a, err := d.LookupID(t.Context(), bob.ID()); err != nil || a == bob {
			t.Errorf("bob for carol: %v, %v", a, err)
		}
	})
}

// TestMessagesAreOrderedByTimeThenID, and a newer version takes the place of the
// one that is known (wire.md W39).
func TestMessagesAreOrderedByTimeThenID(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		send := func(kind, group, id, text string, ts float64) {
			t.Helper()
			payload := map[string]any{
				"id": id, "group_id": group, "ts": ts, "type": "message", "subtype": "chat", "kind": "text",
				"text": text, "from_fabric_address_id": bob.ID(), "conversation_name": "bob", "details": map[string]any{"status": "", "start_time": 0},
			}
			if _, err := r.srv.SendEvent("ann", kind, "conversation."+group, payload); err != nil {
				t.Fatal(err)
			}
		}
		send("conversation.message", k.ID(), "m-c", "c", 1718300050.5)
		send("conversation.message", k.ID(), "m-b", "b", 1718300050.5)
		send("conversation.message", k.ID(), "m-d", "d", 1718300051)
		send("conversation.message", k.ID(), "m-a", "a", 1718300050)
		send("conversation.message", k.ID(), "m-d", "d again", 1718300051)
		send("conversation.message", "another", "m-e", "e", 1718300052)
		send("conversation.message", k.ID(), "", "without an id", 1718300052)
		synctest.Wait()
		shown := k.Messages()
		if got := texts(shown); got != "a,b,c,d again" || !shown[1].SentAt.Equal(time.UnixMilli(1718300050500)) {
			t.Errorf("messages %s", got)
		}
		send("conversation.message.updated", k.ID(), "m-b", "b, corrected", 1718300050.5)
		synctest.Wait()
		if got := texts(k.Messages()); got != "a,b, corrected,c,d again" || texts(shown) != "a,b,c,d again" {
			t.Errorf("after the update %s, shown before %s", got, texts(shown))
		}
		_ = append(shown, session.Message{Text: "of the program"}) //nolint:staticcheck // what is shown is nobody else's to write to
		send("conversation.message", k.ID(), "m-f", "f", 1718300053)
		synctest.Wait()
		if got := k.Messages(); !slices.ContainsFunc(got, func(m session.Message) bool { return m.Text == "f" }) || len(got) != 5 {
			t.Errorf("in the end %s", texts(got))
		}
	})
}

// TestAccountIsUsedByManyAtOnce while the connection comes and goes: nothing is
// lost, doubled or out of order.
func TestAccountIsUsedByManyAtOnce(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k, d := mustTalk(t, bob), r.c.Directory()
		ctx, stop := context.WithCancel(t.Context())
		var users, writers sync.WaitGroup
		use := func(what string, do func() error) {
			users.Go(func() {
				for ctx.Err() == nil {
					if err := do(); err != nil && ctx.Err() == nil {
						t.Errorf("%s: %v", what, err)
					}
					time.Sleep(200 * time.Millisecond)
				}
			})
		}
		use("page of messages", func() error { return k.LoadMore(ctx) })
		use("history", func() error { return through(k.History(ctx)) })
		use("conversations", func() error { return through(r.c.Conversations(ctx)) })
		use("refresh", func() error { return d.Refresh(ctx) })
		use("address", func() error { return bob.Refresh(ctx) })
		use("lookup", func() error { _, err := d.Lookup(ctx, "/private/carol"); return err })
		use("second conversation", func() error {
			carol, err := d.Lookup(ctx, "/private/carol")
			if err != nil {
				return err
			}
			other, err := carol.Conversation(ctx)
			if err != nil {
				return err
			}
			return other.Close()
		})
		for w := range 4 {
			writers.Go(func() {
				for i := range 25 {
					if err := k.SendText(ctx, fmt.Sprintf("%d-%02d", w, i)); err != nil {
						t.Error(err)
					}
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
		for range 3 {
			time.Sleep(200 * time.Millisecond)
			r.srv.Drop("ann")
		}
		writers.Wait()
		time.Sleep(3 * time.Second) // the connection is back, and what was missing there
		stop()
		users.Wait()
		synctest.Wait()
		all := k.Messages()
		if len(all) != 100 {
			t.Errorf("%d messages", len(all))
		}
		next := map[byte]int{}
		for i, m := range all {
			if i > 0 && m.SentAt.Before(all[i-1].SentAt) || m.Text[2:] != fmt.Sprintf("%02d", next[m.Text[0]]) {
				t.Errorf("message %d is %s", i, m.Text)
			}
			next[m.Text[0]]++
		}
	})
}
