package interop

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/callrx/callrx/session"
)

// The address book is the same for both SDKs: the same entries in the same order, page by page, with the same of each.
func TestAddressBookIsTheSameForBothSDKs(t *testing.T) {
	t.Parallel()
	fillAddressBook(t)
	ann, bob := open(t, "ann"), newGopher(t, "bob").online()
	ann.signIn()
	uri := "/private/" + bob.who
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ours, err := bob.c.Directory().Lookup(ctx, uri)
	if err != nil {
		t.Fatal(err)
	}
	ann.holds(fmt.Sprintf("((a) => JSON.stringify([a.id, a.name, a.displayName, a.type, a.channels, a.defaultChannel, a.locked]))(await proof.find(%s))", quote(uri)),
		quote([]any{ours.ID(), ours.Name(), ours.DisplayName(), ours.Type(), ours.Channels(), ours.DefaultChannel(), ours.Locked()}))
	ann.do(nil, "void (window.more = false, proof.client.directory.hasMore$.subscribe((v) => { window.more = v; }))")
	ann.holds("proof.client.directory.addresses.length > 1 && !proof.client.directory.loading", true)
	for more := true; more; ann.do(&more, "window.more") {
		ann.do(nil, "proof.client.directory.loadMore()")
		ann.holds("proof.client.directory.loading", false)
	}
	for bob.c.Directory().HasMore() {
		if err := bob.c.Directory().LoadMore(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var names, all []string
	ann.do(&names, "proof.client.directory.addresses.map((a) => a.name).filter((n) => n !== %s)", quote(bob.who)) // looked up before
	for _, a := range bob.c.Directory().Addresses() {
		all = append(all, a.Name())
	}
	if len(names) <= pageOfAddresses || !slices.IsSorted(names) {
		t.Errorf("the official SDK has %v", names)
	}
	if len(all) <= pageOfAddresses || all[0] != bob.who || !slices.IsSorted(all[1:]) {
		t.Errorf("callrx has %v", all)
	}
	for _, name := range names {
		if !slices.Contains(all, name) { // callrx asked later, and may have more
			t.Errorf("callrx lacks %s", name)
		}
	}
	ann.isQuiet()
	bob.isQuiet()
}

// pageOfAddresses is how many addresses the gateway tells at once.
const pageOfAddresses = 50

// fillAddressBook makes so many rooms that one page does not hold them.
func fillAddressBook(t *testing.T) {
	t.Helper()
	for i := range pageOfAddresses + 10 {
		body := strings.NewReader(fmt.Sprintf(`{"name":"shelf-%02d","display_name":"Shelf %d"}`, i, i))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stage.gw.APIURL()+"/api/fabric/resources/conference_rooms", body)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(stage.gw.Project())
		answer, err := stage.gw.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("make a room: %s", answer.Status)
		}
	}
}

// A text from one SDK arrives in the other, in both directions and between two browsers, where the conversation is open and
// where it is opened later; and no text of one conversation is in another.
func TestMessagesReachBothSDKs(t *testing.T) {
	t.Parallel()
	ann, bea, bob := open(t, "ann"), open(t, "bea"), newGopher(t, "bob").online()
	ann.signIn()
	bea.signIn()
	var bobID string
	ann.do(&bobID, "proof.chat('bob', %s)", quote("/private/"+bob.who))
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	withAnn, withBea := bob.converse(ctx, ann), bob.converse(ctx, bea)

	ann.do(nil, "(await proof.find(%s)).sendText('from ann')", quote("/private/"+bob.who))
	bob.reads(ctx, withAnn, "from ann")
	ann.wait("texts bob", []string{"from ann"})
	if err := withAnn.SendText(ctx, "from bob"); err != nil {
		t.Fatal(err)
	}
	ann.wait("texts bob", []string{"from ann", "from bob"})
	bob.reads(ctx, withAnn, "from ann", "from bob")
	ann.wait("author of from bob", bobID)

	bea.do(nil, "(await proof.find(%s)).sendText('from bea')", quote("/private/"+bob.who))
	bob.reads(ctx, withBea, "from bea")
	bea.do(nil, "(await proof.find(%s)).sendText('to ann')", quote("/private/"+ann.who))
	// Opened now. (The official SDK adds what arrives to every open conversation, whosever it is, and looks nobody up while
	// it asks for the author.)
	ann.wait("author of to ann", nil)
	ann.do(nil, "proof.chat('bea', %s)", quote("/private/"+bea.who))
	ann.wait("texts bea", []string{"to ann"})
	bea.do(nil, "proof.chat('bob', %s)", quote("/private/"+bob.who))
	bea.wait("texts bob", []string{"from bea"})
	bob.reads(ctx, withAnn, "from ann", "from bob")
	bob.reads(ctx, withBea, "from bea")
	ann.isQuiet()
	bea.isQuiet()
	bob.isQuiet()
}

// converse opens the conversation with the subscriber of a page.
func (g *gopher) converse(ctx context.Context, with *Page) *session.Conversation {
	g.t.Helper()
	a, err := g.c.Directory().Lookup(ctx, "/private/"+with.who)
	if err != nil {
		g.t.Fatal(err)
	}
	k, err := a.Conversation(ctx)
	if err != nil {
		g.t.Fatal(err)
	}
	return k
}

// reads waits until a conversation has these texts.
func (g *gopher) reads(ctx context.Context, k *session.Conversation, want ...string) {
	g.t.Helper()
	var last []string
	if _, err := k.ObserveMessages().Wait(ctx, func(all []session.Message) bool {
		last = nil
		for _, m := range all {
			if m.Subtype == "chat" {
				last = append(last, m.Text)
			}
		}
		return slices.Equal(last, want)
	}); err != nil {
		g.t.Fatalf("%s reads %q, not %q: %v", g.who, last, want, err)
	}
}
