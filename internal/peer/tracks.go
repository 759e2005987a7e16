package peer

import (
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// Tracks are those of one connection that somebody reads. pion (v4.2.26) does not end
// the stream of a track that arrives while its receiver is being stopped, so that its
// reader would wait for ever; a deadline does.
type Tracks struct {
	mu    sync.Mutex
	all   []*webrtc.TrackRemote
	ended bool
}

// Add takes in a track that is going to be read.
func (t *Tracks) Add(track *webrtc.TrackRemote) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, track)
	if t.ended {
		release(track)
	}
}

// End lets go of who reads. It is for after [Close].
func (t *Tracks) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	for _, track := range t.all {
		release(track)
	}
}

func release(track *webrtc.TrackRemote) {
	_ = track.SetReadDeadline(time.Unix(1, 0)) // fails where there is no stream to wait for
}
