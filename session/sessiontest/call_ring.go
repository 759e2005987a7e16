package sessiontest

import (
	"slices"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// ring is a call on its way from one leg to a subscriber, who is rung on every session that is online.
type ring struct {
	t      *callTable
	caller *leg
	legs   []*leg // still ringing
	winner *leg   // answered, not yet connected to the caller
	timer  *time.Timer
}

// ringLocked rings the subscriber that a leg is bound for.
func (t *callTable) ringLocked(caller *leg) {
	r := &ring{t: t, caller: caller}
	plans := caller.plansLocked()
	for _, x := range t.onlineLocked(caller.dest.subject, caller.session) {
		l := t.newLeg(x, newUUID())
		l.from, l.to, l.dest, l.ring = caller.from, caller.dest.address, caller.dest, r
		if !t.addLocked(l) {
			return
		}
		r.legs = append(r.legs, l)
		l.work.post(func() { t.ringOne(l, plans) })
	}
	if len(r.legs) == 0 {
		caller.endLocked(ending{by: endedByServer, cause: "USER_NOT_REGISTERED", code: 20, reason: "offline"})
		return
	}
	caller.ring = r
	if caller.state == CallCreated {
		caller.setStateLocked(CallRinging)
	}
	r.timer = time.AfterFunc(t.srv.opts.RingTimeout, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if caller.ring == r && r.winner == nil && !t.closed {
			caller.endLocked(ending{by: endedByTimeout, cause: "NO_ANSWER", code: 19, reason: "no answer"})
		}
	})
}

// onlineLocked returns the registered and connected sessions of a subscriber but one.
func (t *callTable) onlineLocked(subject string, except *session) []*session {
	return t.srv.sessions.match(func(x *session) bool {
		return x.subject == subject && x.registered && x.socket != nil && x != except
	})
}

// plansLocked is what the far end of a leg is to be offered.
func (l *leg) plansLocked() []plan {
	if l.media != nil {
		return l.media.plans()
	}
	return plansFrom(l.offer)
}

// ringOne sends a leg's client the gateway's offer. It runs on the leg's worker.
func (t *callTable) ringOne(l *leg, plans []plan) {
	l.own = newLegMedia(l)
	text, err := l.own.offer(l.ctx, plans)
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.state == CallEnded {
		return
	}
	if err != nil || len(plans) == 0 {
		t.srv.log.Info("nothing to offer", "error", err)
		l.endLocked(ending{by: endedByServer, cause: "INCOMPATIBLE_DESTINATION", code: 88, reason: "media"})
		return
	}
	l.state = CallRinging
	caller := l.ring.caller
	l.sendVertoLocked("verto.invite", map[string]any{
		"callID": l.callID, "sdp": text, "display_direction": "outbound",
		"caller_id_name": caller.name, "caller_id_number": caller.from,
		"callee_id_name": l.name, "callee_id_number": l.to,
		"userVariables": caller.variables(),
	})
}

// variables returns the user variables that the far end is told.
func (l *leg) variables() map[string]any {
	variables := map[string]any{}
	for key, v := range l.userVariables {
		if key != "memberCallId" && key != "memberId" {
			variables[key] = v
		}
	}
	return variables
}

// answer takes the answer of a client that was rung. The first one wins.
func (t *callTable) answer(c *vertoCall) (any, *vertoError) {
	answer, err := parseSDP(c.params.SDP)
	if err != nil {
		return nil, badVerto(err.Error())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.findLocked(c.callID, c.session.subject)
	if l == nil || l.ring == nil || l.state != CallRinging || l.ring.winner != nil || l.inbound {
		return nil, noDialog()
	}
	l.via = c.sock
	l.startPingsLocked(c.params.Dialog.PingSupported)
	l.ring.wonLocked(l)
	c.resumable()
	c.after(t, func() { l.work.post(func() { t.connect(l, answer) }) })
	return map[string]any{}, nil
}

// wonLocked ends the ringing everywhere else.
func (r *ring) wonLocked(winner *leg) {
	r.winner = winner
	r.timer.Stop()
	for _, l := range slices.Clone(r.legs) {
		if l != winner {
			l.endLocked(ending{by: endedByPeer, cause: "LOSE_RACE", code: 502, reason: "answered elsewhere"})
		}
	}
	r.legs = nil
}

// connect applies the answer of the winner and then answers the caller with the codecs that the winner
// agreed on. It runs on the winner's worker.
func (t *callTable) connect(l *leg, answer *sdp.SessionDescription) {
	err := l.own.answered(answer)
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.state == CallEnded {
		return
	}
	if err != nil {
		t.srv.log.Info("answer cannot be used", "error", err)
		l.endLocked(ending{by: endedByServer, cause: "INCOMPATIBLE_DESTINATION", code: 88, reason: "media"})
		return
	}
	l.media = l.own
	caller := l.ring.caller
	if caller.state == CallAnswered { // transferred here
		l.ring.connectedLocked(l)
		return
	}
	t.negotiateLocked(caller, l.codecChooser(), func(text string) {
		if l.state == CallEnded {
			return
		}
		caller.sendSDPLocked("verto.answer", text)
		l.ring.connectedLocked(l)
	})
}

// codecChooser picks the codecs that a leg has agreed on.
func (l *leg) codecChooser() chooser {
	return func(kind webrtc.RTPCodecType, offered []codec) []codec {
		for _, sec := range l.own.live() {
			if sec.kind == kind {
				return common(offered, sec.agreed())
			}
		}
		return nil
	}
}

// connectedLocked brings both ends together.
func (r *ring) connectedLocked(callee *leg) {
	caller, now := r.caller, r.t.srv.now()
	for _, l := range []*leg{callee, caller} {
		l.ring = nil
		if l.state != CallAnswered {
			l.answeredAt = now
			l.setStateLocked(CallAnswered)
		}
	}
	r.t.bridgeLocked(caller, callee)
}

// legEndedLocked follows the end of one of the legs.
func (r *ring) legEndedLocked(l *leg, e ending) {
	l.ring = nil
	r.legs = slices.DeleteFunc(slices.Clone(r.legs), func(other *leg) bool { return other == l })
	switch {
	case l == r.caller:
		r.timer.Stop()
		cause := ending{by: endedByPeer, cause: "ORIGINATOR_CANCEL", code: 487, reason: "cancelled"}
		if e.by == endedByTimeout {
			cause = ending{by: endedByTimeout, cause: e.cause, code: e.code, reason: e.reason}
		}
		for _, other := range append(slices.Clone(r.legs), r.winner) {
			if other != nil {
				other.endLocked(cause)
			}
		}
	case e.cause == "REJECT_ALL", l == r.winner, r.winner == nil && len(r.legs) == 0:
		r.caller.endLocked(ending{by: endedByPeer, cause: e.cause, code: e.code, reason: "rejected"})
	}
}
