package sessiontest_test

import (
	"slices"
	"testing"

	"github.com/callrx/callrx/session/sessiontest"
)

// The event of a message names the conversation and the session that gets it: the official SDK discards what does not
// name its session.
func TestMessagesNameTheSessionThatGetsThem(t *testing.T) {
	gw := sessiontest.NewServer(t)
	mara, noor := newPhone(t, gw, "mara@example.org"), newPhone(t, gw, "noor@example.org")
	joined := call(t, gw, "POST", "/api/fabric/conversations/join", bearer(mara.sat.Token), obj{
		"from_fabric_address_id": mara.sat.AddressID, "fabric_address_ids": []string{noor.sat.AddressID, mara.sat.AddressID},
	})
	group, _ := joined.JSON["group_id"].(string)
	call(t, gw, "POST", "/api/fabric/messages", bearer(mara.sat.Token), obj{
		"group_id": group, "from_fabric_address_id": mara.sat.AddressID, "text": "are you there",
	})
	for _, p := range []*phone{mara, noor} {
		event := p.next("message", func(f obj) bool { return dig(f, "params", "event_type") == "conversation.message" })
		channels, _ := dig(event, "params", "event_channel").([]any)
		for _, s := range gw.Sessions() {
			if mine := s.SubscriberID == p.sat.SubscriberID; mine != slices.Contains(channels, any(s.Protocol)) {
				t.Errorf("%s is told by %v, and its session is %s", p.sat.SubscriberID, channels, s.Protocol)
			}
		}
		if !slices.Contains(channels, any("conversation."+group)) {
			t.Errorf("%v does not name %s", channels, group)
		}
	}
}
