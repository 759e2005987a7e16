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
	all   []incoming
	ended bool
}

// An incoming track has a stream of packets, and its receiver one of reports.
type incoming struct {
	track    *webrtc.TrackRemote
	receiver *webrtc.RTPReceiver
}

// Add takes in a track that is going to be read, as OnTrack tells of it.
func (t *Tracks) Add(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	t.mu.Lock()
	defer t.mu.Unlock()
	in := incoming{track, receiver}
	t.all = append(t.all, in)
	if t.ended {
		in.release()
	}
}

// End lets go of who reads. It is for after [Close].
func (t *Tracks) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	for _, track := range t.all {
		track.release()
	}
}

// release fails where there is no stream to wait for.
func (in incoming) release() {
	_ = in.track.SetReadDeadline(time.Unix(1, 0))
	_ = in.receiver.SetReadDeadline(time.Unix(1, 0))
}
