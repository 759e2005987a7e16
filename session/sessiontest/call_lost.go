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
		t.mediaFound(sec)
	case webrtc.PeerConnectionStateDisconnected:
		t.mediaQuiet(sec.leg)
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed: // closed by the far end
		t.mediaQuiet(sec.leg)
		t.mediaLost(sec.leg)
	}
}

// mediaQuiet offers a leg whose client is gone to the one that has its session now.
func (t *callTable) mediaQuiet(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.offerAttachLocked()
}

// connected tells whether the client's media is there.
func (l *leg) connected() bool {
	return slices.ContainsFunc(l.sections(), func(s *section) bool {
		return s.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
	})
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

// mediaLost ends a leg whose media is gone in every section, unless it comes back in time. A client without a socket has
// the time that calls survive it.
func (t *callTable) mediaLost(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.connected() || l.state == CallEnded || l.lost != nil {
		return
	}
	l.lost = time.AfterFunc(t.srv.opts.MediaTimeout, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		switch {
		case l.lost == nil, t.closed:
		case l.session != nil && t.srv.sessions.socketOf(l.session) == nil:
			l.lost.Reset(t.srv.opts.MediaTimeout)
		default:
			l.endLocked(ending{by: endedByTimeout, cause: "MEDIA_TIMEOUT", code: 804, reason: "media"})
		}
	})
}
