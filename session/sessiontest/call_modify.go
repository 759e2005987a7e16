package sessiontest

import (
	"cmp"
	"slices"
	"time"
)

// modify changes a live leg.
func (t *callTable) modify(c *vertoCall) (any, *vertoError) {
	l := c.leg()
	if l == nil {
		return nil, noDialog()
	}
	switch c.params.Action {
	case "updateMedia":
		return t.updateMedia(c, l)
	case "hold", "unhold":
		return t.hold(l, c.params.Action)
	case "transfer":
		return t.transfer(c, l)
	}
	return nil, badVerto("unknown action")
}

// updateMedia answers a renewed offer inside the reply. It waits for the leg's worker, shortly.
func (t *callTable) updateMedia(c *vertoCall, l *leg) (any, *vertoError) {
	offer, err := parseSDP(c.params.SDP)
	if err != nil {
		return nil, badVerto(err.Error())
	}
	t.mu.Lock()
	if l.media == nil {
		t.mu.Unlock()
		return nil, noDialog()
	}
	l.offer = offer
	l.negotiated++
	choose := preferOffered
	if l.room != nil {
		choose = l.chooser()
	}
	t.mu.Unlock()
	answer := make(chan string, 1)
	l.work.post(func() {
		text, err := t.negotiate(l, choose)
		if err != nil {
			t.srv.log.Info("renewed offer cannot be answered", "error", err)
		}
		answer <- text
	})
	var text string
	select {
	case text = <-answer:
	case <-l.ctx.Done():
	}
	if text == "" {
		return nil, &vertoError{
			Code: codeNoDialog, Message: "media cannot be updated", Cause: "INCOMPATIBLE_DESTINATION", CauseCode: 88,
		}
	}
	c.after(t, func() {
		if l.answered() {
			l.room.changedLocked()
		}
	})
	return map[string]any{"action": "updateMedia", "callID": l.callID, "holdState": l.holdState(), "sdp": text}, nil
}

// hold stops what is sent to the client, or lets it go on.
func (t *callTable) hold(l *leg, action string) (any, *vertoError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !l.answered() {
		return nil, &vertoError{Code: codeNoDialog, Message: "call is not answered"}
	}
	l.held = action == "hold"
	l.room.rerouteLocked()
	return map[string]any{"action": action, "callID": l.callID, "holdState": l.holdStateLocked()}, nil
}

func (l *leg) holdState() string {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	return l.holdStateLocked()
}

func (l *leg) holdStateLocked() string {
	if l.held {
		return "held"
	}
	return "active"
}

// transfer sends the far end of a call between two somewhere else and ends the leg that asked.
func (t *callTable) transfer(c *vertoCall, l *leg) (any, *vertoError) {
	d, ok := t.srv.resolve(c.params.Destination)
	if !ok || d.arrival == arriveFail {
		return nil, &vertoError{Code: codeNoDialog, Message: "no such address", Cause: "UNALLOCATED_NUMBER", CauseCode: 1}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.peerLocked() == nil {
		return nil, &vertoError{Code: codeNoDialog, Message: "call is not bridged"}
	}
	c.after(t, func() { t.transferLocked(l, d) })
	return map[string]any{"action": "transfer", "callID": l.callID, "message": "CALL TRANSFERRED"}, nil
}

// peerLocked returns the other end of a call between two, nil if there is none.
func (l *leg) peerLocked() *leg {
	if !l.answered() || l.room.kind != roomBridge {
		return nil
	}
	for _, other := range l.room.legs {
		if other != l && other.parent == nil {
			return other
		}
	}
	return nil
}

func (t *callTable) transferLocked(l *leg, d destination) {
	peer := l.peerLocked()
	if peer == nil {
		return
	}
	peer.room.removeLocked(peer)
	peer.sendLeftLocked(peer.room, "transferred")
	peer.dest, peer.held = d, false
	l.endLocked(ending{by: endedByServer, cause: "NORMAL_CLEARING", code: 16, reason: "transferred"})
	switch d.arrival {
	case arriveRoom, arriveEarly:
		r := t.roomLocked(d)
		if r.state.Locked {
			peer.endLocked(turnedAway())
			return
		}
		peer.joinLocked(r)
		peer.matchSourceLocked()
	case arrivePerson:
		peer.sendConnectLocked("", "connecting", nil)
		t.ringLocked(peer)
	case arriveBusy:
		peer.endLocked(ending{by: endedByPeer, cause: "USER_BUSY", code: 17, reason: "busy"})
	case arriveGone:
		peer.endLocked(ending{by: endedByServer, cause: "UNALLOCATED_NUMBER", code: 1, reason: "unallocated"})
	}
}

// bye ends a leg at its client's wish.
func (t *callTable) bye(c *vertoCall) (any, *vertoError) {
	l := c.leg()
	if l == nil {
		return nil, noDialog()
	}
	e := normal(endedByClient)
	if c.params.Cause != "" {
		e.cause, e.code, e.reason = c.params.Cause, c.params.causeCode(), "rejected"
	}
	c.after(t, func() {
		if c.params.Cause == "" && !l.inbound && l.state == CallRinging {
			e.cause, e.code, e.reason = "CALL_REJECTED", 21, "rejected"
		}
		l.endLocked(e)
	})
	return map[string]any{"callID": l.callID, "message": "CALL ENDED", "causeCode": e.code, "cause": e.cause}, nil
}

// info takes digits. In a call between two they go on to the far end, as telephone events.
func (t *callTable) info(c *vertoCall) (any, *vertoError) {
	l := c.leg()
	if l == nil {
		return nil, noDialog()
	}
	if c.params.DTMF == "" {
		return nil, badVerto("dtmf is missing")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.answered() && !l.mayAny("digit") {
		return nil, forbidden()
	}
	l.digits = append(l.digits, c.params.DTMF)
	if peer := l.peerLocked(); peer != nil {
		peer.sendDigitsLocked(c.params.DTMF)
	}
	return map[string]any{"message": "SENT"}, nil
}

// sendDigitsLocked plays digits to the leg's client and returns false when nothing can carry them.
func (l *leg) sendDigitsLocked(digits string) bool {
	for _, sec := range l.sections() {
		if !isVideo(sec) && sec.toClient() {
			sec.start(func() { sec.sendDigits(digits, sec.ctx.Done()) })
			return true
		}
	}
	return false
}

func (t *callTable) pong(c *vertoCall) (any, *vertoError) {
	if c.leg() == nil {
		return nil, noDialog()
	}
	return map[string]any{}, nil
}

// subscribe grants event types, but for those that a script refuses. Events are sent all the same: it is the
// client's business what it has subscribed to.
func (t *callTable) subscribe(c *vertoCall) (any, *vertoError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.findLocked(c.callID, c.session.subject)
	if l == nil {
		return nil, noDialog()
	}
	granted, refused, had := []string{}, []string{}, []string{}
	for _, event := range c.params.EventChannel {
		switch {
		case slices.Contains(l.script.RefuseEvents, event):
			refused = append(refused, event)
		case slices.Contains(l.subscribed, event):
			had = append(had, event)
		default:
			granted = append(granted, event)
		}
	}
	l.subscribed = append(l.subscribed, granted...)
	return map[string]any{
		"subscribedChannels": granted, "unauthorizedChannels": refused, "alreadySubscribedChannels": had,
	}, nil
}

// startPingsLocked asks the client for signs of life, if it knows how to give them.
func (l *leg) startPingsLocked(supported bool) {
	interval := l.t.srv.opts.CallPingInterval
	if !supported || interval <= 0 || l.pinger != nil {
		return
	}
	l.pinger = time.AfterFunc(interval, func() {
		l.t.mu.Lock()
		defer l.t.mu.Unlock()
		if l.state == CallEnded || l.t.closed {
			return
		}
		l.sendVertoLocked("verto.ping", map[string]any{"callID": l.callID, "dialogParams": map[string]any{"callID": l.callID}})
		l.pinger.Reset(interval)
	})
}

// codeOf makes a cause code from a name when the caller of a verb gave none (ITU-T Q.850, and the
// platform's own).
func codeOf(cause string, code int) int {
	known := map[string]int{
		"UNALLOCATED_NUMBER": 1, "NORMAL_CLEARING": 16, "USER_BUSY": 17, "NO_ANSWER": 19, "CALL_REJECTED": 21,
		"INCOMPATIBLE_DESTINATION": 88, "ORIGINATOR_CANCEL": 487, "LOSE_RACE": 502, "MEDIA_TIMEOUT": 804, "REJECT_ALL": 825,
	}
	return cmp.Or(code, known[cause])
}
