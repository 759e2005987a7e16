package session_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/transport/v5/vnet"
)

// inRelayBubble has a call that could go through a real TURN server, and goes
// directly as long as that is not blocked.
func inRelayBubble(t *testing.T, test func(t *testing.T, p *casualty, blocked *atomic.Bool)) {
	t.Helper()
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann, blocked := b.client(t, "ann"), new(atomic.Bool)
		ends := []int{0, 1} // the gateway and ann
		b.world.AddChunkFilter(func(c vnet.Chunk) bool {
			return !blocked.Load() || !slices.Contains(ends, hostOf(c.SourceAddr())) || !slices.Contains(ends, hostOf(c.DestinationAddr()))
		})
		o := ann.dialing(session.MediaOptions{ICEServers: []media.ICEServer{b.turn(t)}})
		test(t, watched(t, b, ann, connected(t, ann.Client, "/public/echo", o)), blocked)
	})
}

// TestBlockedCallGoesThroughTheRelay: by new paths if they can be agreed on, else by
// transports that use relays and nothing else.
func TestBlockedCallGoesThroughTheRelay(t *testing.T) {
	for means, refused := range map[session.RecoveryMeans]bool{session.RecoveryNewPaths: false, session.RecoveryRelayedTransports: true} {
		t.Run(string(means), func(t *testing.T) {
			inRelayBubble(t, func(t *testing.T, p *casualty, blocked *atomic.Bool) {
				if path := p.Stats().Audio.Path; path.Local != "host" {
					t.Fatalf("at first by %v", path)
				}
				if refused {
					refuseModify(p.b.srv)
				}
				blocked.Store(true)
				pass(20 * second)
				if path := p.Stats().Audio.Path; path.Local != "relay" {
					t.Errorf("blocked, by %v", path)
				}
				var by []session.RecoveryMeans
				for _, e := range p.events.all() {
					if e.Action == session.RecoveryReinviteSucceeded {
						by = append(by, e.Means)
					}
				}
				if !slices.Equal(by, []session.RecoveryMeans{means}) {
					t.Errorf("restored by %v", by)
				}
				p.wantFlow(t)
			})
		})
	}
}
