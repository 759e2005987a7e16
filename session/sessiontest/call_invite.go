package sessiontest

import (
	"github.com/pion/sdp/v3"

	"github.com/callrx/callrx/internal/wire"
)

// invite begins a leg, attaches a client to one again, or replaces an offer that was not answered yet.
func (t *callTable) invite(c *vertoCall) (any, *vertoError) {
	offer, err := parseSDP(c.params.SDP)
	if err != nil {
		return nil, &vertoError{Code: wire.CodeInvalidParams, Message: err.Error(), Cause: "INCOMPATIBLE_DESTINATION", CauseCode: 88}
	}
	if c.callID == "" {
		return nil, badVerto("callID is missing")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old, reattach := t.legs[c.callID], c.params.Dialog.Reattaching || c.params.Dialog.Attach
	switch {
	case reattach && !old.attachable(c.session):
		return nil, &vertoError{
			Code: codeNoDialog, Message: "Cannot reattach this call with this member ID",
			Cause: "INVALID_MSG_UNSPECIFIED", CauseCode: 95,
		}
	case reattach:
		return t.reattachLocked(c, old, offer), nil
	case old != nil && (old.subject != c.session.subject || !old.inbound):
		return nil, &vertoError{
			Code: codeNoDialog, Message: "INVALID_CALL_REFERENCE", Cause: "INVALID_CALL_REFERENCE", CauseCode: 81,
		}
	case old != nil:
		old.offer = offer
		old.negotiated++
		c.after(t, func() { t.renewLocked(old) })
		return created(old), nil
	case c.params.Dialog.ScreenShare || c.params.Dialog.AdditionalDevice:
		return t.inviteAuxiliaryLocked(c, offer)
	}
	return t.inviteMainLocked(c, offer)
}

func created(l *leg) map[string]any {
	return map[string]any{"message": "CALL CREATED", "callID": l.callID, "memberID": l.memberID, "sessid": l.segmentID}
}

func (t *callTable) inviteMainLocked(c *vertoCall, offer *sdp.SessionDescription) (any, *vertoError) {
	d, ok := t.srv.resolve(c.params.Dialog.Destination)
	switch {
	case !ok:
		return nil, &vertoError{
			Code: codeNoDialog, Message: "no such address", Cause: "UNALLOCATED_NUMBER", CauseCode: 1,
		}
	case d.arrival == arriveFail:
		return nil, &vertoError{
			Code: codeServer, Message: "CALL FAILED", Cause: "NORMAL_TEMPORARY_FAILURE", CauseCode: 41,
		}
	}
	l := t.newLeg(c.session, c.callID)
	l.inbound, l.dest, l.offer = true, d, offer
	l.userVariables = c.params.Dialog.UserVariables
	l.from, l.to = t.srv.addressOf(c.session.subject), d.address
	if c.params.Dialog.CallerName != "" {
		l.name = c.params.Dialog.CallerName
	}
	if !t.addLocked(l) {
		return nil, noDialog()
	}
	l.via = c.sock
	l.startPingsLocked(c.params.Dialog.PingSupported)
	l.sendStateLocked()
	c.resumable()
	c.after(t, func() { t.arriveLocked(l) })
	return created(l), nil
}

// inviteAuxiliaryLocked begins a screen or device leg. The user variables name the call it belongs to.
func (t *callTable) inviteAuxiliaryLocked(c *vertoCall, offer *sdp.SessionDescription) (any, *vertoError) {
	owner, _ := c.params.Dialog.UserVariables["memberCallId"].(string)
	parent := t.findLocked(owner, c.session.subject)
	if parent == nil || parent.parent != nil || !parent.answered() {
		return nil, noDialog()
	}
	needs := "device"
	if c.params.Dialog.ScreenShare {
		needs = "screenshare"
	}
	if !parent.may(needs) {
		return nil, forbidden()
	}
	l := t.newLeg(c.session, c.callID)
	l.inbound, l.offer, l.parent, l.dest, l.kind, l.name = true, offer, parent, parent.dest, "device", parent.name
	if c.params.Dialog.ScreenShare {
		l.kind = "screen"
	}
	if !t.addLocked(l) {
		return nil, noDialog()
	}
	c.resumable()
	c.after(t, func() {
		t.negotiateLocked(l, preferOffered, func(text string) {
			if !parent.answered() {
				l.endLocked(normal(endedByPeer))
				return
			}
			l.sendSDPLocked("verto.answer", text)
			l.state, l.answeredAt = CallAnswered, t.srv.now()
			l.joinLocked(parent.room)
		})
	})
	return created(l), nil
}

// renewLocked answers an offer that replaced an earlier one.
func (t *callTable) renewLocked(l *leg) {
	if !l.answered() {
		return // the answer under way takes the newest offer
	}
	t.negotiateLocked(l, l.chooser(), func(text string) {
		l.sendSDPLocked("verto.answer", text)
		l.room.changedLocked()
	})
}

// arriveLocked brings a leg to its destination.
func (t *callTable) arriveLocked(l *leg) {
	if l.state != CallCreated {
		return
	}
	l.script = t.takeScriptLocked(l.dest.address)
	l.dropped = l.script.DropMedia
	switch l.dest.arrival {
	case arriveRoom:
		t.answerLocked(l)
	case arrivePerson:
		t.ringLocked(l)
	case arriveRing:
		l.setStateLocked(CallRinging)
	case arriveBusy:
		l.endLocked(ending{by: endedByPeer, cause: "USER_BUSY", code: 17, reason: "busy"})
	case arriveEarly:
		l.setStateLocked(CallRinging)
		t.answerEarlyLocked(l)
	case arriveGone:
		l.endLocked(ending{by: endedByServer, cause: "UNALLOCATED_NUMBER", code: 1, reason: "unallocated"})
	}
}
