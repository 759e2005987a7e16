package sessiontest

// endTargets ends the calls of members, which their clients are told by verto.bye.
func endTargets(reason string) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		c.after(c.t, func() {
			for _, l := range c.targets {
				l.endLocked(ending{by: endedByPeer, cause: "NORMAL_CLEARING", code: 16, reason: reason})
			}
		})
		return nil, nil
	}
}

// setLocked closes the room to those who are not in it, or opens it again.
func setLocked(locked bool) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		r := c.self.room
		r.state.Locked = locked // whoever comes after the answer finds it so
		c.after(c.t, r.sendUpdatedLocked)
		return nil, nil
	}
}

// listMembers answers who is in the room, in the order of arrival.
func listMembers(c *controlCall) (map[string]any, *refusal) {
	r, members := c.self.room, []member{}
	for _, l := range r.legs {
		members = append(members, l.memberLocked(r))
	}
	return map[string]any{"members": members}, nil
}

func listLayouts(*controlCall) (map[string]any, *refusal) {
	return map[string]any{"layouts": layouts()}, nil
}

func setLayout(c *controlCall) (map[string]any, *refusal) {
	if !isLayout(c.params.Layout) {
		return nil, &refusal{"404", "Layout not found"}
	}
	r := c.self.room
	c.after(c.t, func() {
		r.state.Layout = c.params.Layout
		r.sendLayoutLocked()
	})
	return nil, nil
}

// layoutChanged sends the layout after the answer, if the room has video.
func (c *controlCall) layoutChanged() {
	r := c.self.room
	c.after(c.t, func() {
		if r.hasVideo() {
			r.sendLayoutLocked()
		}
	})
}
