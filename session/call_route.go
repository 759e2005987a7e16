package session

import (
	"context"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// route brings an event to the calls it is about. Runs on the loop, like
// everything in this file.
func (c *Client) route(e wire.Event, shown *Event) {
	if e.Type == wire.EventVerto {
		c.routeVerto(e, shown)
		return
	}
	if len(c.legs) == 0 {
		return
	}
	told, err := wire.DecodeCallEvent(e.Params)
	if err != nil {
		return
	}
	k := c.legs[told.CallID]
	if k == nil {
		k = c.legs[told.OriginCallID]
	}
	if k != nil {
		k.event(e.Type, &told, shown)
		return
	}
	if told.CallID != "" && (e.Type == wire.EventCallJoined || e.Type == wire.EventCallLeft) {
		return // the coming or going of a leg that is no more, perhaps in a room of another call
	}
	taken := false
	for _, k := range c.streams.calls.Get() {
		if told.RoomSessionID != "" && k.rooms[told.RoomSessionID] {
			k.event(e.Type, &told, shown)
			taken = true
		}
	}
	if !taken {
		c.hold(told.RoomSessionID, e, shown)
	}
}

// event takes in what the service says of a call. Its effect is to be seen when
// observers get the event.
func (k *Call) event(kind string, told *wire.CallEvent, shown *Event) {
	if kind == wire.EventCallJoined {
		k.rooms[told.RoomSessionID] = true
		if told.CallID != "" && k.c.legs[told.CallID] == nil {
			k.c.legs[told.CallID] = k // a further segment of the same call
		}
		if told.CallID == k.id && k.NodeID() == "" {
			k.node.Set(told.NodeID)
		}
	}
	if kind == wire.EventCallJoined || kind == wire.EventCallConnect {
		k.departure++
	}
	k.room.apply(kind, told)
	k.events.Publish(shown)
	if kind == wire.EventCallJoined {
		k.room.release(told.RoomSessionID)
	}
}

func (c *Client) routeVerto(e wire.Event, shown *Event) {
	m, err := wire.DecodeVerto(e.Params)
	if err != nil {
		c.report(&errs.InviteError{OriginalError: err})
		return
	}
	if m.Method == wire.VertoInvite {
		c.inbound(m, e.NodeID)
		return
	}
	if x := c.extras[m.CallID]; x != nil {
		x.message(m)
		x.k.talk.Publish(shown)
		return
	}
	k := c.legs[m.CallID]
	switch {
	case k == nil && m.Method == wire.VertoAttach:
		c.attachOffered(m, e.NodeID)
	case k == nil && m.Method == wire.VertoBye:
		c.leftBehind(m)
	}
	if k == nil || k.state.status >= CallStatusDisconnected {
		return // of a call that is no more
	}
	defer k.talk.Publish(shown)
	k.MergeUserVariables(m.Variables())
	offers := k.offers() // only then there is something to answer
	k.departure++
	switch m.Method {
	case wire.VertoMedia:
		if offers && m.SDP != "" {
			k.move(inviteAccepted) // its reply may still be on its way to who waits for it
			k.applyAnswer(m.SDP)
			k.move(earlyMedia)
		}
	case wire.VertoAnswer:
		if offers && m.SDP != "" {
			k.applyAnswer(m.SDP)
		}
		if offers {
			k.move(inviteAccepted)
			if k.move(callAnswered) {
				k.rewrite()
			}
		}
	case wire.VertoAttach:
		k.attachPushed()
	case wire.VertoBye:
		if m.CallID != k.id { // of a segment
			delete(c.legs, m.CallID)
			return
		}
		k.byeReceived(k.c.byeReason(m))
	case wire.VertoMediaParams:
		k.wished(mediaParams(m.MediaParams))
	case wire.VertoPing:
		k.refresh()
		k.pong()
	}
}

// byeReceived ends the call. An outbound one that nobody took was refused. A call
// whose media is being restored is not given up for want of it, if preferred.
func (k *Call) byeReceived(why *errs.CallEndedError) {
	if k.lostSight() {
		k.c.report(&errs.AttachError{CallID: k.id, OriginalError: why})
		k.over(why)
		return
	}
	if k.state.status == CallStatusRecovering && !k.attaching && why.Code == errs.CauseMediaTimeout &&
		k.c.preferred().EnableServerHangupInterception {
		k.attachAgain(why)
		return
	}
	if k.direction == errs.DirectionOutbound && !k.state.answered && why.Code != errs.CauseNormalClearing {
		k.refused(why)
		return
	}
	k.over(why)
}

// farewellWait is how long after a call.left the bye may come.
const farewellWait = 2 * time.Second

// awaitBye ends the call that has left its last room as a bye would, unless that
// comes, or a sign that the call goes on: it joins another room, or is connected to
// somebody else.
func (k *Call) awaitBye(reason string) {
	k.departure++
	mine, why := k.departure, k.c.byeReason(wire.VertoMessage{Cause: reason, CauseCode: errs.CauseNormalClearing})
	if reason == "" || reason == "hangup" {
		why = k.c.byeReason(wire.VertoMessage{})
	}
	time.AfterFunc(farewellWait, func() {
		k.c.post(func() {
			if k.departure == mine && k.end(callOver, why) {
				k.c.workers.Go(func() { k.bye("", 0) }) // or the leg would be left over there
			}
		})
	})
}

// byeReason is why the far end, or the service, ended the call.
func (c *Client) byeReason(m wire.VertoMessage) *errs.CallEndedError {
	e := &errs.CallEndedError{By: errs.EndedByRemote, Cause: c.hidden(m.Cause), Code: m.CauseCode}
	if e.Cause == "" && e.Code == 0 {
		e.Cause, e.Code = "NORMAL_CLEARING", errs.CauseNormalClearing
	}
	e.Retryable = passing(e.Code)
	return e
}

// passing reports whether a cause is of the kind that passes, so that calling
// again may work (ITU-T Q.850; 102 is a timer that ran out).
func passing(code int) bool {
	switch code {
	case errs.CauseUserBusy, errs.CauseNoResponse, errs.CauseNoAnswer, errs.CauseAbsent, errs.CauseOutOfOrder,
		errs.CauseNoCircuit, errs.CauseNetworkOutOfOrder, errs.CauseTemporaryFailure, errs.CauseCongestion,
		errs.CauseTimerExpired, errs.CauseMediaTimeout:
		return true
	}
	return false
}

// applyAnswer gives the service's description to the media. A second one is
// ignored: the answer after early media may repeat it.
func (k *Call) applyAnswer(sdp string) {
	if !k.attach() {
		return
	}
	k.mu.Lock()
	leg, here := k.leg, k.here
	k.mu.Unlock()
	k.jobs.Do(func() {
		err := leg.Accept(here, sdp)
		k.showDirections()
		if err != nil {
			k.c.post(func() {
				if here.Err() == nil { // else the answer was to an offer that is void
					k.fail(err)
				}
			})
		}
	})
}

// mediaState follows the main leg.
func (k *Call) mediaState(s media.State) {
	k.c.past.add(note{category: DiagnosticCall, what: "media", callID: k.id, to: s.String()})
	switch s {
	case media.StateConnected:
		if k.attaching && !k.isAttached() {
			return // the old transports, which are about to go
		}
		k.mediaFound()
	case media.StateNew:
		k.lapsed()
	case media.StateConnecting:
		if k.recovery.now.state == RecoveryRecovering { // new paths are looked for, not for a further section
			k.lapsed()
		}
	case media.StateDisconnected:
		if k.media().FarEndClosed() {
			k.lapsed()
		} else {
			k.move(mediaLost)
		}
		k.pathLost()
	case media.StateFailed:
		if k.attaching {
			return // new transports are on their way
		}
		if k.recovery.pref != nil {
			k.move(mediaLost)
			k.pathBroken()
			return
		}
		k.fail(&errs.MediaTrackError{Operation: "connect", Kind: "both", OriginalError: k.media().Err()})
	}
}

// pong answers the service's ping of this call.
func (k *Call) pong() {
	k.c.workers.Go(func() {
		ctx, cancel := context.WithTimeout(k.ctx, k.c.requestTimeout())
		defer cancel()
		if _, err := k.verto(ctx, wire.VertoPong, wire.VertoParams{CallID: k.id, Dialog: k.short()}); err != nil && k.ctx.Err() == nil {
			k.c.post(func() { k.report(&errs.VertoPongError{OriginalError: err}, false) })
		}
	})
}

// move takes the call's state machine a step and shows the status. It reports
// whether the step belonged here.
func (k *Call) move(e callEvent) bool {
	next, ok := nextCall(k.state, e)
	if !ok {
		return false
	}
	k.c.log.Debug("call", "call_id", k.id, "event", e.String(), "from", k.state.status.String(), "to", next.status.String())
	if next.status != k.state.status {
		k.past.moved(next.status)
		k.c.past.add(note{
			category: DiagnosticCall, what: "status", callID: k.id,
			from: k.state.status.String(), to: next.status.String(), on: e.String(),
		})
	}
	k.traceMove(k.state, next)
	k.state = next
	k.traceRecovery()
	if next.status == CallStatusConnected {
		k.watchNetwork()
	}
	k.status.Set(next.status)
	return true
}
