package peer_test

import (
	"testing"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/webrtc/v4"
)

// TestCloseLeavesNothing of connections that have not come far; package media
// tests the others.
func TestCloseLeavesNothing(t *testing.T) {
	for name, begin := range map[string]func(*webrtc.PeerConnection) error{
		"new": func(*webrtc.PeerConnection) error { return nil },
		"gathering": func(pc *webrtc.PeerConnection) error {
			if _, err := pc.CreateDataChannel("x", nil); err != nil {
				return err
			}
			offer, err := pc.CreateOffer(nil)
			if err != nil {
				return err
			}
			return pc.SetLocalDescription(offer)
		},
	} {
		pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
		if err != nil {
			t.Fatal(err)
		}
		if err := begin(pc); err != nil {
			t.Error(name, err)
		}
		for range 2 {
			if err := peer.Close(pc); err != nil {
				t.Error(name, err)
			}
		}
	}
}
