package session_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestUpdateOfAMessageChangesWhatItMentions and nothing else (wire.md W39,
// behaviour.md 9.1); one of an unknown message that does not say when is none.
func TestUpdateOfAMessageChangesWhatItMentions(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		say(t, r.srv, "bob", "ann", "one")
		began := time.Now().Truncate(time.Millisecond)
		if err := r.srv.LogCall("bob", "ann", "ringing", began, time.Time{}); err != nil {
			t.Fatal(err)
		}
		say(t, r.srv, "bob", "ann", "three")
		synctest.Wait()
		want := append([]session.Message(nil), k.Messages()...)
		for _, update := range []map[string]any{
			{"id": want[0].ID, "text": "1"},
			{"id": want[1].ID, "details": map[string]any{"status": "answered", "end_time": began.Add(time.Minute).UnixMilli()}},
			{"id": want[2].ID, "text": nil},
			{"id": "unknown", "text": "?"},
		} {
			update["group_id"] = k.ID()
			if _, err := r.srv.SendEvent("ann", "conversation.message.updated", "conversation."+k.ID(), update); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		want[0].Text, want[1].Status, want[1].EndedAt, want[2].Text = "1", "answered", began.Add(time.Minute), ""
		if got := k.Messages(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v\nwant\n%+v", got, want)
		}
	})
}

// TestPageBringsMessagesOfItsConversationOnly, and each that can be made out,
// whatever is odd about it.
func TestPageBringsMessagesOfItsConversationOnly(t *testing.T) {
	to := func(r *http.Request) (string, bool) {
		if !strings.HasSuffix(r.URL.Path, "/messages") {
			return "", false
		}
		var list []string
		own := fmt.Sprintf(`"group_id":%q`, strings.Split(r.URL.Path, "/")[4])
		for i, odd := range []string{
			own, `"group_id":"x_y","text":"of others"`, `"text":"no group"`, own + `,"details":[]`, own + `,"details":"none"`,
			own + `,"text":null,"kind":null,"details":null`, own + `,"text":7`, own + `,"text":{}`,
		} {
			list = append(list, fmt.Sprintf(`{"id":"%d","ts":%d,"subtype":"chat","text":"plain",%s}`, i, 1718300050000+i, odd))
		}
		list = append(list, `{"id":9,"ts":1718300050.009,"text":"number"}`, `{"text":"no id"}`, `null`, `[]`, `"text"`)
		for _, ts := range []string{`"NaN"`, `1e300`, `-5`, `"soon"`, `null`, `{}`} {
			list = append(list, fmt.Sprintf(`{"id":%q,"ts":%s}`, ts, ts))
		}
		return `{"data":[` + strings.Join(list, ",") + `],"links":{}}`, true
	}
	inAnswers(t, to, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		if err := k.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		var timed []session.Message
		for _, m := range k.Messages() {
			if !m.SentAt.IsZero() {
				timed = append(timed, m)
			}
		}
		if got, want := texts(timed), "plain,no group,plain,plain,,7,,number"; got != want || len(k.Messages()) != len(timed)+6 {
			t.Errorf("%d messages: %s, want %s", len(k.Messages()), got, want)
		}
		if last := timed[len(timed)-1]; last.ID != "9" || last.SentAt.UnixMilli() != 1718300050009 {
			t.Errorf("the last is %+v", last)
		}
	})
}

// TestConversationOutlivesItsEntryInTheDirectory: the entry that comes in its place
// has the same conversation.
func TestConversationOutlivesItsEntryInTheDirectory(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k, d := mustTalk(t, bob), r.c.Directory()
		r.fault(pathAddresses+"/"+bob.ID(), 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 404})
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: `{"data":[],"links":{}}`})
		if err := d.Refresh(t.Context()); err != nil || d.Address(bob.ID()) != nil {
			t.Fatalf("%v, %v", err, d.Addresses())
		}
		again, err := d.Lookup(t.Context(), "/private/bob")
		if err != nil || again == bob {
			t.Fatalf("%v, the same: %v", err, again == bob)
		}
		if same := mustTalk(t, again); same != k || mustTalk(t, bob) != k {
			t.Error("it has another conversation")
		}
		say(t, r.srv, "bob", "ann", "hello")
		synctest.Wait()
		if got := texts(k.Messages()); got != "hello" {
			t.Errorf("messages %s", got)
		}
		_ = k.Close()
		for _, a := range []*session.Address{bob, again} {
			if other := mustTalk(t, a); other == k || other != mustTalk(t, again) {
				t.Error("it is the closed one, or a third")
			}
		}
	})
}

// TestHugeAndForeignTextsArriveAsTheyAre.
func TestHugeAndForeignTextsArriveAsTheyAre(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		for _, text := range []string{"ahoj 👩‍👩‍👧\u202eRTL\u2028\"\\\x00\n", strings.Repeat("я", 400_000)} {
			if err := k.SendText(t.Context(), text); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if list := k.Messages(); len(list) == 0 || list[len(list)-1].Text != text {
				t.Errorf("%d messages, %.20q has not arrived", len(list), text)
			}
		}
	})
}
