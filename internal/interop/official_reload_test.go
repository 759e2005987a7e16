package interop

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/callrx/callrx/session"
)

// lasting are options of a client that outlives a reload of its page.
const lasting = "{options: {persistSession: true, reconnectAttachedCalls: true}}"

// reload loads the page anew, with what it stored, and makes a client that has no other token and is registered again.
func (p *Page) reload() {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, chromedp.Reload()); err != nil {
		p.t.Fatalf("reload: %v", err)
	}
	p.make("", lasting)
	p.online()
}

// A page that is reloaded in a call takes the call up again: with the ids it had, muted as it was, and heard again once it
// is not; the others in the room notice nothing.
func TestOfficialSDKTakesItsCallUpAfterAReload(t *testing.T) {
	t.Parallel()
	ann, bob := open(t, "ann"), newGopher(t, "bob").online()
	ann.make(ann.sat.Token, lasting)
	ann.online()
	room := "/public/" + unique(t, "room")
	k := ann.connect(room, "{}")
	call := bob.dial(room, bob.toSpeak(&ear{}))
	bob.becomes(call, session.CallStatusConnected)
	ann.holds(k.js()+".participants.length", 2)
	ann.do(nil, "%s.self.mute()", k.js())
	ann.holds(k.js()+".self.audioMuted", true)
	before := ann.leg(k)
	var comings []string
	sub := call.ObserveParticipants().Subscribe(t.Context(), func(all []*session.Participant) { comings = append(comings, typesOf(call)) })

	ann.reload()
	ann.holds("proof.client.session.calls.length", 1)
	ann.do(&k, "proof.follow(proof.client.session.calls[0])")
	ann.wait(k.on("status"), "connected")
	after := ann.leg(k)
	if after.CallID != before.CallID || after.MemberID != before.MemberID {
		t.Errorf("the call was %s as %s, and is %s as %s", before.CallID, before.MemberID, after.CallID, after.MemberID)
	}
	ann.holds(k.js()+".self.id", before.MemberID)
	ann.holds(k.js()+".self.audioMuted", true)
	ann.do(nil, "%s.self.unmute()", k.js())
	ann.sends(k, "audio")
	isTone(t, ann.hear(k), GopherHz)
	sub.Cancel()
	<-sub.Done()
	if len(comings) > 1 {
		t.Errorf("bob saw somebody come or go: %v", comings)
	}
	ann.hangUp(k)
	ann.isQuiet()
	bob.isQuiet()
}

// A stored state of the session that was tampered with is refused once; the SDK then signs in afresh, and nobody hears of
// it.
func TestOfficialSDKHealsATamperedSession(t *testing.T) {
	t.Parallel()
	p := open(t, "ann")
	p.make(p.sat.Token, lasting)
	p.online()
	before := sessionOf(t, p.sat.SubscriberID)
	var states int
	p.do(&states, `Object.keys(sessionStorage).filter((k) => k.endsWith(':as')).map((k) => sessionStorage.setItem(k, '"tampered"')).length`)
	if states != 1 {
		t.Fatalf("the page stores %d states of its session", states)
	}
	from := len(p.Frames())
	p.reload()
	var connects []bool // with a state, without
	for _, f := range p.Frames()[from:] {
		var m struct {
			Method string
			Params map[string]json.RawMessage
		}
		if f.Sent && strings.Contains(f.Text, "signalwire.connect") && json.Unmarshal([]byte(f.Text), &m) == nil {
			_, resumes := m.Params["authorization_state"]
			connects = append(connects, resumes)
		}
	}
	if len(connects) != 2 || !connects[0] || connects[1] {
		t.Errorf("it signed in with a state: %v, want once with it and once without", connects)
	}
	if after := sessionOf(t, p.sat.SubscriberID); after.Protocol == before.Protocol {
		t.Error("the session was resumed")
	}
	p.isQuiet()
}
