package sessiontest

import (
	"slices"
	"time"

	"github.com/pion/webrtc/v4"
)

// connectionChanged follows the transport of a section.
func (t *callTable) connectionChanged(sec *section, state webrtc.PeerConnectionState) {
	switch state {
	case webrtc.PeerConnectionStateConnected:
		sec.upOnce.Do(func() {
			now := time.Now()
			sec.since.Store(&now)
			close(sec.up)
		})
		t.mediaFound(sec)
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed: // closed by the far end
		t.mediaLost(sec.leg)
	}
}

// mediaFound also asks for a key frame, since what came before the transport was there is gone.
func (t *callTable) mediaFound(sec *section) {
	t.mu.Lock()
	if l := sec.leg; l.lost != nil {
		l.lost.Stop()
		l.lost = nil
	}
	t.mu.Unlock()
	if isVideo(sec) {
		t.requestKeyFrameFor(sec)
	}
}

// mediaLost ends a leg whose media is gone in every section, unless it comes back in time.
func (t *callTable) mediaLost(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	connected := slices.ContainsFunc(l.sections(), func(s *section) bool {
		return s.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
	})
	if connected || l.state == CallEnded || l.lost != nil {
		return
	}
	l.lost = time.AfterFunc(t.srv.opts.MediaTimeout, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if l.lost != nil && !t.closed {
			l.endLocked(ending{by: endedByTimeout, cause: "MEDIA_TIMEOUT", code: 804, reason: "media"})
		}
	})
}
