package session

// Stats counts the frames of a session that were received and dropped. None of
// them harms it.
type Stats struct {
	Malformed  uint64 // not JSON, or larger than Options.MaxFrame; each is a *errs.MessageParseError too
	Ignored    uint64 // JSON that means nothing here: batches, unknown requests, answers nobody waits for
	Stale      uint64 // events meant for an older session
	Duplicates uint64 // events that were delivered before
}

// Stats tells what the current session has dropped so far, over all its
// connections. After its end the counts stay until the next Connect.
func (c *Client) Stats() Stats {
	if l := c.counted.Load(); l != nil {
		return Stats(l.relay.Stats())
	}
	return Stats{}
}
