package session

import "context"

// converse brings a message to its conversation, if that is open. An update says
// that something about its sender has changed, but not what. On the loop.
func (c *Client) converse(e *Event) {
	if e.Type != eventMessage && e.Type != eventMessageUpdated {
		return
	}
	m, ok := decodeMessage(e.Payload)
	if !ok {
		return
	}
	k := c.talks[m.ConversationID]
	switch {
	case e.Type == eventMessageUpdated:
		c.directory.renew(m.FromAddressID)
		if k != nil && m.Subtype != "update" {
			k.amend(m.ID, e.Payload)
		}
	case k != nil && m.Subtype != "update":
		k.arrived(m)
	}
}

// A gap is where a conversation may lack messages, because the connection was
// away.
type gap struct {
	after  Message // the last known before it; the zero message: none
	queued bool    // to be asked for
}

// markGaps remembers where open conversations stand, as the connection goes away.
// On the loop.
func (c *Client) markGaps() {
	for _, k := range c.talks {
		if k.gap == nil { // or an older one has not been closed
			k.gap = &gap{after: k.newest()}
		}
	}
}

// catchUp asks for what was written to open conversations while the connection
// was away, one after the other. On the loop.
func (c *Client) catchUp() {
	c.markGaps() // also of those opened meanwhile
	for _, k := range c.talks {
		k.gap.queued = true
	}
	if c.catching || len(c.talks) == 0 {
		return
	}
	c.catching = true
	c.workers.Go(func() {
		for k, after := c.nextGap(); k != nil; k, after = c.nextGap() {
			err := k.catchUp(after)
			if err == nil {
				c.post(func() { k.caughtUp() })
			} else if k.ctx.Err() == nil {
				c.report(err) // nobody waits for it; the next connection tries again
			}
		}
	})
}

// nextGap is a conversation that may lack messages, and its last one before
// these; nil when there is none left.
func (c *Client) nextGap() (next *Conversation, after Message) {
	_ = c.ask(context.Background(), func() {
		for _, k := range c.talks {
			if k.gap != nil && k.gap.queued {
				k.gap.queued = false
				next, after = k, k.gap.after
				return
			}
		}
		c.catching = false
	})
	return next, after
}

// caughtUp: unless the connection was away meanwhile, nothing is missing. On the
// loop.
func (k *Conversation) caughtUp() {
	if k.gap != nil && !k.gap.queued {
		k.gap = nil
	}
}

// catchUp loads the newest pages, back to a message; without one, the newest.
func (k *Conversation) catchUp(after Message) error {
	var at listPlace
	for reached := false; !reached && !at.end(); {
		asked := k.arrivals()
		page, older, err := k.page(k.ctx, at.next)
		if err == nil {
			at, err = at.beyond(older)
		}
		if err != nil {
			return fetchFailed(k.ctx, "catch up with messages of "+k.other.Name(), err)
		}
		reached = after.ID == ""
		for _, m := range page {
			reached = reached || compareMessages(m, after) <= 0
		}
		k.add(asked, page)
	}
	return nil
}

// newest is the last known message, or the zero message.
func (k *Conversation) newest() Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.list) == 0 {
		return Message{}
	}
	return k.list[len(k.list)-1]
}

// signedInAs shows who the client is for now. What somebody else was allowed to
// see is gone. On the loop.
func (c *Client) signedInAs(u *User) {
	before := c.User()
	c.streams.user.Set(u)
	if before == nil || before.ID == u.ID {
		return
	}
	for _, k := range c.talks {
		k.complete()
	}
	clear(c.talks)
	c.directory.sameOwner()
}
