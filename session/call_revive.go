package session

import (
	"context"
	"maps"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/internal/wire"
	"github.com/callrx/callrx/media"
)

// inherit looks for the calls of an earlier process. It returns when it is known
// whether the session that is stored has another owner, whom resuming would cut
// off, and says so; the search goes on as long as it takes. Without
// ReconnectAttachedCalls, or when it takes too long, one look decides.
func (c *Client) inherit(ctx context.Context, l *life, user string, wait bool) (elsewhere bool, err error) {
	s, first, done := c.newSearch(keyCalls(user), ""), make(chan struct{}), make(chan struct{})
	open := 0 // calls that have another owner, as far as one look tells
	s.first = func() {
		open = s.fresh + len(s.owned)
		close(first)
	}
	err = c.ask(ctx, func() {
		u := &c.custody
		u.key, u.left, u.ready, u.elsewhere = s.key, attachRecords{}, false, false
	})
	if err != nil || c.store.storage == nil {
		return false, err
	}
	s.gain = func(won attachRecords, began time.Time) { c.post(func() { c.gained(l, won, began) }) }
	c.workers.Go(func() {
		s.run(l.ctx)
		c.post(func() { c.found(l, s) })
		close(done)
	})
	if err := awaitClosed(ctx, first, 0); err != nil || c.store.shared() == nil {
		return false, err
	}
	if wait && c.opts.ReconnectAttachedCalls {
		if err := awaitClosed(ctx, done, patience(ctx)); err != nil {
			return false, err
		}
	}
	select {
	case <-done:
		elsewhere = len(s.owned) > 0
	default:
		elsewhere = open > 0
	}
	return elsewhere, c.ask(ctx, func() { c.custody.elsewhere = elsewhere })
}

// patience is how long Connect waits to learn whether an owner lives: the longest
// it can take, but not more than half of what is left.
func patience(ctx context.Context) time.Duration {
	limit := lease + beatPeriod
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2)
	}
	return max(limit, time.Millisecond)
}

// awaitClosed waits for done, no longer than limit if that is not zero. Only the
// end of ctx is an error.
func awaitClosed(ctx context.Context, done <-chan struct{}, limit time.Duration) error {
	var late <-chan time.Time
	if limit > 0 {
		late = time.After(limit)
	}
	select {
	case <-done:
	case <-late:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// gained takes in what a search has brought so far: its records show at once that
// they have an owner who lives. On the loop.
func (c *Client) gained(l *life, won attachRecords, began time.Time) {
	u := &c.custody
	if len(won) > 0 {
		u.renewed(began)
	}
	switch {
	case l.ctx.Err() != nil: // its records wait for the next session
	case !c.opts.ReconnectAttachedCalls:
		for id := range won {
			u.drop(id, func() {})
		}
	default:
		maps.Copy(u.left, won)
		if len(u.left) > 0 {
			u.beginBeats()
		}
		c.takeUpAll()
	}
}

// found tells which calls have another owner, when the search is over. On the loop.
func (c *Client) found(l *life, s *search) {
	if l.ctx.Err() != nil || !c.opts.ReconnectAttachedCalls {
		return
	}
	for _, id := range s.owned {
		c.report(&errs.CallOwnedError{CallID: id})
	}
}

// takeUp is called when the session is ready for the calls of an earlier process.
func (c *Client) takeUp() {
	c.post(func() {
		c.custody.ready = c.session != nil
		c.takeUpAll()
	})
}

func (c *Client) takeUpAll() {
	if !c.custody.ready {
		return
	}
	for id, r := range c.custody.left {
		c.revive(id, r)
	}
}

// revive makes a call of a record, which is used up, and attaches it. On the loop.
func (c *Client) revive(id string, r attachRecord) {
	delete(c.custody.left, id)
	if c.legs[id] != nil {
		return
	}
	k := c.newCall(context.Background(), id, errs.DirectionOutbound)
	if r.Direction == errs.DirectionInbound {
		k.direction = r.Direction
	}
	k.to, k.from = Party(r.To), Party(r.From)
	k.node.Set(r.NodeID)
	k.MergeUserVariables(r.Variables)
	k.setMember(r.MemberID)
	k.wanted = r.directions()
	k.revived, k.answeredBefore, k.known, k.reattaching = true, r.Answered, true, true
	k.orphans = r.Extras
	k.held.Set(r.Held)
	k.room.local.set(&localView{audioMuted: r.AudioMuted, videoMuted: r.VideoMuted})
	k.input(media.KindAudio).recall(r.AudioInput)
	k.input(media.KindVideo).recall(r.VideoInput)
	c.addCall(k)
	k.keep()
	c.workers.Go(func() {
		err := k.reviveMedia(r)
		c.post(func() {
			if err != nil {
				k.attachDone(&mediaFailure{err}, nil)
			} else if !k.state.status.ended() {
				k.attachAgain(nil)
			}
		})
	})
}

// reviveMedia asks the program for the media and makes the leg, which sends and
// receives what the call did.
func (k *Call) reviveMedia(r attachRecord) error {
	var o MediaOptions
	if ask := k.c.opts.ReattachMedia; ask != nil {
		var err error
		o, err = program.Ask(k.ctx, "ReattachMedia",
			func(context.Context) (MediaOptions, error) { return ask(k), nil }, func(late MediaOptions) { late.release(k.c) })
		if err != nil {
			return err
		}
	}
	if err := k.openMedia(k.ctx, o, impliedByRecord(r.directions())); err != nil {
		return err
	}
	k.leg.Mute(media.KindAudio, r.AudioMuted)
	k.leg.Mute(media.KindVideo, r.VideoMuted)
	k.leg.Pause(r.Held)
	return nil
}

// lostSight: the call is an earlier process's and not attached yet. Nobody waits
// for it, or knows it, so that the client tells of its end.
func (k *Call) lostSight() bool { return k.revived && !k.state.answered && !k.isAttached() }

// leftBehind: a call that was to be taken up has ended. On the loop.
func (c *Client) leftBehind(m wire.VertoMessage) {
	if _, ok := c.custody.left[m.CallID]; ok {
		delete(c.custody.left, m.CallID)
		c.custody.drop(m.CallID, func() {})
		c.report(&errs.AttachError{CallID: m.CallID, OriginalError: c.byeReason(m)})
	}
}

// attachOffered: the service holds a call that this client does not know. On the
// loop.
func (c *Client) attachOffered(m wire.VertoMessage, node string) {
	u := &c.custody
	if r, ok := u.left[m.CallID]; ok {
		c.revive(m.CallID, r)
		return
	}
	if m.CallID == "" || u.seeking[m.CallID] {
		return
	}
	u.seeking[m.CallID] = true
	l, s := c.session, c.newSearch(u.key, m.CallID)
	c.workers.Go(func() {
		s.run(l.ctx)
		c.post(func() {
			delete(u.seeking, m.CallID)
			if c.session == l && len(s.owned) == 0 {
				c.settleOffer(m, node, s)
			}
		})
	})
}

// settleOffer takes an offered call up, with its record or without, or declines.
func (c *Client) settleOffer(m wire.VertoMessage, node string, s *search) {
	r, recorded := s.taken[m.CallID]
	switch {
	case !c.opts.ReconnectAttachedCalls:
		if recorded {
			c.custody.drop(m.CallID, func() {})
		}
		c.workers.Go(func() { c.decline(m.CallID, node) })
		return
	case !recorded:
		r = offeredRecord(m, node)
	}
	c.revive(m.CallID, r)
}

// offeredRecord is what an offer tells of a call that is not on record.
func offeredRecord(m wire.VertoMessage, node string) attachRecord {
	return attachRecord{
		Direction: errs.CallDirection(m.Direction), NodeID: node, Variables: m.Variables(),
		From:  attachParty{m.CallerNumber, known(m.CallerName)},
		To:    attachParty{m.CalleeNumber, known(m.CalleeName)},
		Media: attachMedia{Audio: media.SendRecv.String()},
	}
}

// decline ends a call that the service offers and nobody wants.
func (c *Client) decline(id, node string) {
	ctx, cancel := context.WithTimeout(c.ctx, byeTimeout)
	defer cancel()
	_, err := c.verto(ctx, wire.VertoEnvelope{CallID: id, NodeID: node, Message: wire.VertoRequest{
		JSONRPC: "2.0", ID: id, Method: wire.VertoBye, Params: wire.VertoParams{Dialog: &wire.DialogParams{CallID: id}},
	}})
	if err != nil {
		c.log.Debug("bye", "call_id", id, "error", err)
	}
}
