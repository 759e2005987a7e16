package sessiontest

import (
	"time"

	"github.com/pion/sdp/v3"
)

// attachPatience is what a client that has resumed a session gets to attach to its calls by itself.
const attachPatience = 2 * time.Second

// attachable tells whether a session may take over a leg: its subscriber's main leg, once a client that was called has
// answered.
func (l *leg) attachable(x *session) bool {
	return l != nil && l.subject == x.subject && l.parent == nil && (l.answered() || l.inbound && l.state != CallEnded)
}

// reattachLocked gives a live leg to a client of its subscriber, on new media, and tells the one that had it in another
// session that it is taken. One that is not answered yet gets its early media again, if it has had any; its answer comes
// when it comes.
func (t *callTable) reattachLocked(c *vertoCall, l *leg, offer *sdp.SessionDescription) map[string]any {
	if l.session != c.session {
		l.sendVertoLocked("verto.bye", map[string]any{"callID": l.callID, "cause": "LOSE_RACE", "causeCode": 502})
	}
	l.session, l.via, l.offer = c.session, c.sock, offer
	l.negotiated++
	if l.answered() {
		l.sendJoinedLocked()
	}
	c.resumable()
	c.after(t, func() {
		if l.media == nil {
			return // the answer under way takes the newest offer
		}
		l.stopSource = nil // the old section ends what it plays
		choose := preferOffered
		if l.answered() {
			choose = l.chooser()
		}
		l.work.post(func() {
			if l.own != nil {
				l.own.close()
				l.own = nil
			}
		})
		t.negotiateLocked(l, choose, l.resumeLocked)
	})
	body := created(l)
	body["holdState"] = l.holdStateLocked()
	return body
}

// resumeLocked sends what was agreed on for a leg that was taken over.
func (l *leg) resumeLocked(text string) {
	if !l.answered() {
		l.sendSDPLocked("verto.media", text)
		l.playToneLocked()
		return
	}
	l.sendSDPLocked("verto.answer", text)
	l.room.sendLayoutLocked()
	l.matchSourceLocked()
	l.room.rerouteLocked()
}

// offerHeld offers the calls of a session that was resumed to its client, which may be another process than the one
// that had them.
func (t *callTable) offerHeld(x *session) {
	time.AfterFunc(attachPatience, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, l := range t.legs {
			if l.session == x {
				l.offerAttachLocked()
			}
		}
	})
}

// offerAttachLocked pushes verto.attach for a leg without media to a client that has not used it on its connection, once
// for each. Where there is media, its client is the one that has it.
func (l *leg) offerAttachLocked() {
	if l.t.closed || l.via == nil || !l.attachable(l.session) || l.connected() {
		return
	}
	socket := l.t.srv.sessions.socketOf(l.session)
	if socket == nil || socket == l.via || socket == l.offered {
		return
	}
	l.offered = socket
	direction := "inbound"
	if l.inbound {
		direction = "outbound"
	}
	l.sendVertoLocked("verto.attach", map[string]any{
		"callID": l.callID, "sdp": "v=0\r\n", "display_direction": direction,
		"caller_id_name": "", "caller_id_number": l.from, "callee_id_name": "", "callee_id_number": l.to,
		"variables": l.variables(),
	})
}
