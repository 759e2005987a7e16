package sessiontest

import (
	"context"
	"time"

	"github.com/pion/webrtc/v4"
)

// negotiateLocked answers the newest offer of a leg on its worker, and calls done with the answer under
// the lock. It ends the leg when there is nothing to agree on.
func (t *callTable) negotiateLocked(l *leg, choose chooser, done func(text string)) {
	l.work.post(func() {
		if !pause(l.ctx, l.script.AnswerDelay) {
			return
		}
		text, err := t.negotiate(l, choose)
		t.mu.Lock()
		defer t.mu.Unlock()
		switch {
		case l.state == CallEnded:
		case l.agreed != l.negotiated: // a newer offer came meanwhile
			t.negotiateLocked(l, choose, done)
		case err != nil:
			t.srv.log.Info("media cannot be agreed on", "error", err)
			l.endLocked(ending{by: endedByServer, cause: "INCOMPATIBLE_DESTINATION", code: 88, reason: "media"})
		default:
			done(text)
		}
	})
}

// negotiate answers the newest offer. It runs on the leg's worker.
func (t *callTable) negotiate(l *leg, choose chooser) (string, error) {
	t.mu.Lock()
	offer, number := l.offer, l.negotiated
	t.mu.Unlock()
	if l.own == nil {
		l.own = newLegMedia(l)
	}
	text, err := l.own.answer(l.ctx, offer, choose)
	t.mu.Lock()
	defer t.mu.Unlock()
	l.media, l.agreed = l.own, number
	return text, err
}

// answerLocked answers a leg that arrived at a room.
func (t *callTable) answerLocked(l *leg) {
	r := t.rooms[l.dest.address]
	if r == nil {
		r = t.newRoom(l.dest.kind, l.dest.name, l.dest.display)
	}
	if r.locked {
		l.endLocked(ending{by: endedByServer, cause: "CALL_REJECTED", code: 21, reason: "locked"})
		return
	}
	if l.script.NeverAnswer {
		return
	}
	t.negotiateLocked(l, r.chooser(), func(text string) {
		l.sendSDPLocked("verto.answer", text)
		l.answeredAt = t.srv.now()
		l.enterLocked(r)
	})
}

// enterLocked makes an answered leg a member of a room: of the one that others find, if there is to be one.
func (l *leg) enterLocked(r *room) {
	if l.dest.kind == roomConference {
		r = l.t.roomLocked(l.dest)
	}
	l.room = r
	l.setStateLocked(CallAnswered)
	l.joinLocked(r)
	l.matchSourceLocked()
}

// answerEarlyLocked sends early media, and the answer without description later.
func (t *callTable) answerEarlyLocked(l *leg) {
	r := t.newRoom(l.dest.kind, l.dest.name, l.dest.display)
	t.negotiateLocked(l, r.chooser(), func(text string) {
		l.sendSDPLocked("verto.media", text)
		l.playToneLocked()
		l.work.post(func() {
			if !pause(l.ctx, t.srv.opts.EarlyMedia) {
				return
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			if l.state == CallEnded {
				return
			}
			l.sendVertoLocked("verto.answer", map[string]any{"callID": l.callID})
			l.answeredAt = t.srv.now()
			l.enterLocked(r)
		})
	})
}

// pause waits and returns false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// chooser picks the codecs of a leg that joins the room: what the others there have, since the gateway
// does not transcode, or else what the client likes best.
func (r *room) chooser() chooser {
	return func(kind webrtc.RTPCodecType, offered []codec) []codec {
		if r.kind == roomTone && kind == webrtc.RTPCodecTypeAudio {
			return pick(offered, pcmuName, opusName)
		}
		r.t.mu.Lock()
		defer r.t.mu.Unlock()
		for _, l := range r.legs {
			for _, sec := range l.sections() {
				if sec.kind == kind {
					return common(offered, sec.agreed())
				}
			}
		}
		return pick(offered)
	}
}

// chooser picks the codecs of new sections of a leg where it is now.
func (l *leg) chooser() chooser {
	r := l.room
	return func(kind webrtc.RTPCodecType, offered []codec) []codec {
		r.t.mu.Lock()
		alone := len(r.legs) < 2
		r.t.mu.Unlock()
		if alone && r.kind != roomTone {
			return pick(offered)
		}
		return r.chooser()(kind, offered)
	}
}

// matchSourceLocked starts or stops the gateway's own source to match the room.
func (l *leg) matchSourceLocked() {
	l.silenceLocked()
	if l.room != nil && l.room.kind == roomTone {
		l.playToneLocked()
	}
}

// silenceLocked stops the gateway's own source.
func (l *leg) silenceLocked() {
	if l.stopSource != nil {
		l.stopSource()
		l.stopSource = nil
	}
}

func (l *leg) playToneLocked() {
	if l.stopSource != nil {
		return
	}
	for _, sec := range l.sections() {
		if !isVideo(sec) && sec.toClient() {
			ctx, cancel := context.WithCancel(l.ctx)
			l.stopSource = cancel
			sec.start(func() { sec.playTone(ctx) })
			return
		}
	}
}
