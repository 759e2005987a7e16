package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestHoldOutlastsWhatIsAgreedMeanwhile: nothing flows until Unhold, and then
// what was agreed does.
func TestHoldOutlastsWhatIsAgreedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *session.Call) error{
		"SetDirections": func(t *testing.T, k *session.Call) error {
			return k.SetDirections(t.Context(), media.Directions{Audio: media.SendRecv})
		},
		"RestartICE": func(t *testing.T, k *session.Call) error { return k.RestartICE(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
				ann := b.client(t, "ann")
				k := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{AudioSource: newTone(t, 440, -12)}))
				if err := k.Hold(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := change(t, k); err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				before := k.Stats().Audio
				pass(time.Second)
				if now := k.Stats().Audio; now.PacketsSent != before.PacketsSent || now.PacketsReceived != before.PacketsReceived || !k.Held() {
					t.Errorf("held %t, and %+v after %+v", k.Held(), now, before)
				}
				if err := k.Unhold(t.Context()); err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				if now := k.Stats().Audio; now.PacketsSent < before.PacketsSent+40 || now.PacketsReceived < before.PacketsReceived+40 {
					t.Errorf("after hold %+v, before %+v", now, before)
				}
				b.over(t, ann, k)
			})
		})
	}
}
