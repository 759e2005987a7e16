package peer_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/webrtc/v4"
)

// TestWhoReadsATrackIsLetGo, though pion has ended nothing: before the end, and after.
func TestWhoReadsATrackIsLetGo(t *testing.T) {
	near, far := newSide(t, quiet{}), newSide(t, quiet{})
	arrived := make(chan *webrtc.TrackRemote, 1)
	near.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { arrived <- track })
	connect(t, far, near)
	track := <-arrived
	var tracks, late peer.Tracks
	tracks.Add(track)
	ends := func() {
		t.Helper()
		for { // what has arrived comes first
			if _, _, err := track.ReadRTP(); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(err)
				}
				return
			}
		}
	}
	go tracks.End()
	ends()
	near.want(track.SetReadDeadline(time.Time{}))
	late.End()
	go late.Add(track)
	ends()
	near.close()
	far.close()
}
