package sessiontest

import (
	"encoding/json"

	"github.com/callrx/callrx/internal/wire"
)

// controlParams holds the parameters of every call.* request.
type controlParams struct {
	Self        memberRef `json:"self"`
	Target      memberRef `json:"target"`
	Targets     []target  `json:"targets"`
	Channels    []string  `json:"channels"`
	Volume      *float64  `json:"volume"`
	Sensitivity *float64  `json:"sensitivity"`
	Layout      string    `json:"layout"`
	LowBitrate  bool      `json:"lowbitrate"`
	audioFlags
}

type audioFlags struct {
	EchoCancellation bool `json:"echo_cancellation"`
	AutoGain         bool `json:"auto_gain"`
	NoiseSuppression bool `json:"noise_suppression"`
}

type memberRef struct {
	MemberID string `json:"member_id"`
	CallID   string `json:"call_id"`
	NodeID   string `json:"node_id"`
}

// target is a member in a list, with the ids in it or, when it is to be moved, one level below.
type target struct {
	memberRef
	Target   memberRef `json:"target"`
	Position string    `json:"position"`
}

// controlCall is one call.* request, with the members it is about.
type controlCall struct {
	*rpcCall
	t       *callTable
	params  controlParams
	self    *leg
	targets []*leg
}

// control is one call.* method: the capability it takes and what it does. It runs under the lock; what it
// changes it changes after the answer.
type control struct {
	// needs is "" for nothing. After a dot it is what is done to a target, which takes the capability
	// "self…" for one's own legs and "member…" for others.
	needs string
	do    func(*controlCall) (map[string]any, *refusal)
}

// refusal is the error of a call.* request, which travels as a result.
type refusal struct{ code, message string }

func noMember() *refusal     { return &refusal{"404", "Member not found"} }
func badParams() *refusal    { return &refusal{"-32602", "Invalid params"} }
func notPermitted() *refusal { return &refusal{"-32001", "Permission Denied."} }

func (t *callTable) controls() map[string]control {
	return map[string]control{
		"call.mute":                       {"", setMuted(true)},
		"call.unmute":                     {"", setMuted(false)},
		"call.deaf":                       {".deaf.on", setFlag("deaf", func(f *memberFlags, _ controlParams) { f.Deaf = true })},
		"call.undeaf":                     {".deaf.off", setFlag("deaf", func(f *memberFlags, _ controlParams) { f.Deaf = false })},
		"call.raisehand":                  {".raisehand.on", raiseHand(true)},
		"call.lowerhand":                  {".raisehand.off", raiseHand(false)},
		"call.lowbitrate.set":             {".lowbitrate.set", setFlag("lowbitrate", func(f *memberFlags, p controlParams) { f.LowBitrate = p.LowBitrate })},
		"call.microphone.volume.set":      {".microphone.volume.set", setNumber("input_volume")},
		"call.speaker.volume.set":         {".speaker.volume.set", setNumber("output_volume")},
		"call.microphone.sensitivity.set": {".microphone.sensitivity.set", setNumber("input_sensitivity")},
		"call.audioflags.set":             {".audioflags.set", setAudioFlags},
		"call.member.position.set":        {".position.set", setPositions},
		"call.member.remove":              {".remove", endTargets("removed")},
		"call.member.list":                {"", listMembers},
		"call.end":                        {"end", endTargets("ended")},
		"call.lock":                       {"lock.on", setLocked(true)},
		"call.unlock":                     {"lock.off", setLocked(false)},
		"call.layout.list":                {"layout.list", listLayouts},
		"call.layout.set":                 {"layout.set", setLayout},
	}
}

// control answers a call.* request. Members are found by their id in the caller's room: the call and node
// ids beside it are the caller's own with some clients and the member's with others.
func (t *callTable) control(c *rpcCall, method control) (any, *rpcError) {
	cc := &controlCall{rpcCall: c, t: t}
	if err := json.Unmarshal(c.frame.Params, &cc.params); err != nil {
		return nil, &rpcError{Code: wire.CodeInvalidParams, Message: "Invalid params", reason: err.Error()}
	}
	t.srv.journal.update(c.entry, func(e *Entry) { e.Call = cc.params.Self.CallID })
	t.mu.Lock()
	defer t.mu.Unlock()
	result, no := cc.runLocked(method)
	if no != nil {
		t.srv.journal.update(c.entry, func(e *Entry) { e.Reason = no.message })
		return map[string]string{"code": no.code, "message": no.message}, nil
	}
	if result == nil {
		result = map[string]any{}
	}
	result["code"], result["message"] = "200", "OK"
	return result, nil
}

func (c *controlCall) runLocked(method control) (map[string]any, *refusal) {
	c.self = c.t.findLocked(c.params.Self.CallID, c.sock.subscriberID())
	if c.self != nil {
		c.self = c.self.head()
	}
	if c.self == nil || !c.self.answered() {
		return nil, &refusal{"404", "Call not found"}
	}
	if no := c.findTargetsLocked(); no != nil {
		return nil, no
	}
	if !c.allowed(method.needs) {
		return nil, notPermitted()
	}
	return method.do(c)
}

// findTargetsLocked finds who is meant by their member ids. A client that took the id of its screen for its
// own means itself by it.
func (c *controlCall) findTargetsLocked() *refusal {
	ids := []string{c.params.Target.MemberID}
	if len(c.params.Targets) > 0 {
		ids = nil
	}
	for _, target := range c.params.Targets {
		ids = append(ids, target.MemberID+target.Target.MemberID)
	}
	for _, id := range ids {
		l := c.self.companionLocked(id)
		if id == "" || id == c.params.Self.MemberID {
			l = c.self
		}
		if l == nil {
			return noMember()
		}
		c.targets = append(c.targets, l)
	}
	return nil
}

// companionLocked returns the member with that id of a room that the leg is in, nil if there is none.
func (l *leg) companionLocked(id string) *leg {
	for _, r := range l.roomsLocked() {
		if found := r.memberOf(id); found != nil {
			return found
		}
	}
	return nil
}

// allowed tells whether the caller has a capability, for every target if it is about targets.
func (c *controlCall) allowed(needs string) bool {
	switch {
	case needs == "":
		return true
	case needs == "layout.list":
		return c.self.mayAny("layout")
	case needs[0] != '.':
		return c.self.may(needs)
	}
	for _, l := range c.targets {
		if !c.self.may(c.relation(l) + needs) {
			return false
		}
	}
	return true
}

// relation tells one's own legs from others.
func (c *controlCall) relation(l *leg) string {
	if l.head() == c.self {
		return "self"
	}
	return "member"
}

// changeTargets applies change to the flags of every target after the answer.
func (c *controlCall) changeTargets(change func(*memberFlags), fields ...string) {
	c.after(c.t, func() {
		for _, l := range c.targets {
			if !l.answered() {
				continue
			}
			change(&l.flags)
			l.updatedLocked(fields...)
			if l.flags.AudioMuted {
				l.stopTalkingLocked()
			}
			l.room.rerouteLocked()
		}
	})
}
