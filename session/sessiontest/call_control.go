package sessiontest

import (
	"encoding/json"
	"slices"
	"strings"

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

// control is one call.* method: the capability it takes, by its part of the name, and what it does. It
// runs under the lock; what it changes it changes after the answer.
type control struct {
	needs string // "" for nothing; "target" for "self" or "member", whichever the target is
	do    func(*controlCall) (map[string]any, *refusal)
}

// refusal is the error of a call.* request, which travels as a result.
type refusal struct{ code, message string }

var errNoMember = &refusal{"404", "Member not found"}

func (t *callTable) controls() map[string]control {
	type flags = memberFlags
	type params = controlParams
	return map[string]control{
		"call.mute":                       {"target", setMuted(true)},
		"call.unmute":                     {"target", setMuted(false)},
		"call.deaf":                       {"target", setFlag("deaf", func(f *flags, _ params) { f.Deaf = true })},
		"call.undeaf":                     {"target", setFlag("deaf", func(f *flags, _ params) { f.Deaf = false })},
		"call.raisehand":                  {"target", setFlag("handraised", func(f *flags, _ params) { f.HandRaised = true })},
		"call.lowerhand":                  {"target", setFlag("handraised", func(f *flags, _ params) { f.HandRaised = false })},
		"call.lowbitrate.set":             {"target", setFlag("lowbitrate", func(f *flags, p params) { f.LowBitrate = p.LowBitrate })},
		"call.microphone.volume.set":      {"target", setNumber("input_volume")},
		"call.speaker.volume.set":         {"target", setNumber("output_volume")},
		"call.microphone.sensitivity.set": {"target", setNumber("input_sensitivity")},
		"call.audioflags.set":             {"target", setAudioFlags},
		"call.member.position.set":        {"target", setPositions},
		"call.member.remove":              {"member", endTargets("removed")},
		"call.end":                        {"end", endTargets("ended")},
		"call.lock":                       {"lock", setLocked(true)},
		"call.unlock":                     {"lock", setLocked(false)},
		"call.layout.list":                {"layout", listLayouts},
		"call.layout.set":                 {"layout", setLayout},
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
	if c.self != nil && c.self.parent != nil {
		c.self = c.self.parent
	}
	if c.self == nil || !c.self.answered() {
		return nil, &refusal{"404", "Call not found"}
	}
	if no := c.findTargetsLocked(); no != nil {
		return nil, no
	}
	if !c.allowedLocked(method.needs) {
		return nil, &refusal{"-32001", "Permission Denied."}
	}
	return method.do(c)
}

func (c *controlCall) findTargetsLocked() *refusal {
	var ids []string
	for _, target := range c.params.Targets {
		ids = append(ids, target.MemberID+target.Target.MemberID)
	}
	if len(ids) == 0 {
		ids = []string{c.params.Target.MemberID}
	}
	for _, id := range ids {
		l := c.self.room.memberOf(id)
		if id == "" {
			l = c.self
		}
		if l == nil {
			return errNoMember
		}
		c.targets = append(c.targets, l)
	}
	return nil
}

func (c *controlCall) allowedLocked(needs string) bool {
	granted := c.self.room.capabilities()
	if needs != "target" {
		return slices.Contains(granted, needs)
	}
	for _, l := range c.targets {
		if l != c.self && l.parent != c.self && !slices.Contains(granted, "member") {
			return false
		}
	}
	return true
}

// updatedLocked tells the room what changed about a member.
func (l *leg) updatedLocked(fields ...string) {
	var all map[string]any
	_ = json.Unmarshal(mustJSON(l.memberLocked()), &all)
	partial := map[string]any{"updated": fields}
	for _, key := range append([]string{"room_session_id", "room_id", "member_id", "call_id", "node_id", "type"}, fields...) {
		partial[key] = all[key]
	}
	l.room.broadcastLocked("member.updated", nil, map[string]any{"member": partial})
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
			l.room.rerouteLocked()
		}
	})
}

func setMuted(muted bool) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		audio, video := slices.Contains(c.params.Channels, "audio"), slices.Contains(c.params.Channels, "video")
		if audio || !video {
			c.changeTargets(func(f *memberFlags) { f.AudioMuted = muted }, "audio_muted")
		}
		if video {
			c.changeTargets(func(f *memberFlags) { f.VideoMuted, f.Visible = muted, !muted }, "video_muted", "visible")
			c.layoutChanged()
		}
		return nil, nil
	}
}

func setFlag(field string, set func(*memberFlags, controlParams)) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		c.changeTargets(func(f *memberFlags) { set(f, c.params) }, field)
		return nil, nil
	}
}

// setNumber sets a volume or the sensitivity.
func setNumber(field string) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		value := c.params.Volume
		if field == "input_sensitivity" {
			value = c.params.Sensitivity
		}
		if value == nil || *value < -50 || *value > 100 {
			return nil, &refusal{"-32602", "Invalid params"}
		}
		c.changeTargets(func(f *memberFlags) {
			switch field {
			case "input_volume":
				f.InputVolume = *value
			case "output_volume":
				f.OutputVolume = *value
			default:
				f.InputSensitivity = *value
			}
		}, field)
		return nil, nil
	}
}

// setAudioFlags also tells the target's client to change its microphone.
func setAudioFlags(c *controlCall) (map[string]any, *refusal) {
	p := c.params
	c.changeTargets(func(f *memberFlags) {
		f.EchoCancellation, f.AutoGain, f.NoiseSuppression = p.EchoCancellation, p.AutoGain, p.NoiseSuppression
	}, "echo_cancellation", "auto_gain", "noise_suppression")
	c.after(c.t, func() {
		for _, l := range c.targets {
			l.sendVertoLocked("verto.mediaParams", map[string]any{"callID": l.callID, "mediaParams": map[string]any{
				"audio": map[string]any{
					"autoGainControl": p.AutoGain, "echoCancellation": p.EchoCancellation, "noiseSuppression": p.NoiseSuppression,
				},
			}})
		}
	})
	return nil, nil
}

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

func setLocked(locked bool) func(*controlCall) (map[string]any, *refusal) {
	return func(c *controlCall) (map[string]any, *refusal) {
		r := c.self.room
		c.after(c.t, func() {
			r.locked = locked
			for _, event := range []string{"call.updated", "room.updated"} {
				r.broadcastLocked(event, nil, map[string]any{"room_session": r.describeLocked(c.self)})
			}
		})
		return nil, nil
	}
}

func setPositions(c *controlCall) (map[string]any, *refusal) {
	if len(c.params.Targets) == 0 {
		return nil, &refusal{"-32602", "Invalid params"}
	}
	c.after(c.t, func() {
		for i, l := range c.targets {
			if position := c.params.Targets[i].Position; l.answered() && strings.TrimSpace(position) != "" {
				l.flags.RequestedPosition = position
				l.updatedLocked("requested_position")
			}
		}
	})
	c.layoutChanged()
	return nil, nil
}
