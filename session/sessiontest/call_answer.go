package sessiontest

import (
	"context"
	"time"
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
		r = t.newRoomLocked(l.dest)
	}
	if r.state.Locked {
		l.endLocked(turnedAway())
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
	if r.state.Locked { // meanwhile
		l.endLocked(turnedAway())
		return
	}
	l.room = r
	l.setStateLocked(CallAnswered)
	l.joinLocked(r)
	l.matchSourceLocked()
}

// answerEarlyLocked sends early media, and the answer without description later.
func (t *callTable) answerEarlyLocked(l *leg) {
	r := t.newRoomLocked(l.dest)
	t.negotiateLocked(l, r.chooser(), func(text string) {
		l.sendSDPLocked("verto.media", text)
		l.playToneLocked()
		time.AfterFunc(t.srv.opts.EarlyMedia, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.closed || l.state == CallEnded {
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

// matchSourceLocked starts or stops the gateway's own source to match the room.
func (l *leg) matchSourceLocked() {
	if l.stopSource != nil {
		l.stopSource()
		l.stopSource = nil
	}
	if l.room != nil && l.room.kind == roomTone {
		l.playToneLocked()
	}
}

func (l *leg) playToneLocked() {
	if l.stopSource != nil {
		return
	}
	for _, sec := range l.sections() {
		if !isVideo(sec) && sec.toClient() {
			ctx, cancel := context.WithCancel(sec.ctx)
			l.stopSource = cancel
			sec.start(func() { sec.playTone(ctx) })
			return
		}
	}
}
