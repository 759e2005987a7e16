package session

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// A MemberTarget names a member in requests: by its id alone, or with its own
// leg as well.
type MemberTarget struct {
	CallID   string `json:"call_id"`
	MemberID string `json:"member_id"`
	NodeID   string `json:"node_id"`
}

// ExecuteMethod sends any call.* request about a member. With only its id the
// request has the form of call.mute: a target, on the call's own leg. With the
// member's leg it has the form of call.member.remove: a list of targets. A zero
// target is the call itself. args are added; in call.member.position.set they
// name the targets themselves. See Client.Execute for the errors.
func (k *Call) ExecuteMethod(ctx context.Context, target MemberTarget, method string, args map[string]any, result any) error {
	params := map[string]any{}
	switch {
	case method == "call.member.position.set":
	case target.CallID != "" || target.NodeID != "":
		params["targets"] = []MemberTarget{target}
	default:
		return k.aimed(ctx, target, method, args, result)
	}
	maps.Copy(params, args)
	return k.executeAs(ctx, method, params, result)
}

// aimed sends a request about one member. What is not known of its leg is taken
// from the call's own, as the service finds members by their id.
func (k *Call) aimed(ctx context.Context, target MemberTarget, method string, args map[string]any, result any) error {
	self := k.self()
	if target.MemberID == "" {
		target.MemberID = self.MemberID
	}
	if target.CallID == "" || target.NodeID == "" {
		target.CallID, target.NodeID = self.CallID, self.NodeID
	}
	params := map[string]any{"target": target}
	maps.Copy(params, args)
	return k.executeAs(ctx, method, params, result)
}

// command sends a request whose args name its targets.
func (k *Call) command(ctx context.Context, method string, args map[string]any) error {
	return k.executeAs(ctx, method, args, nil)
}

// executeAs sends a request of the call as a member.
func (k *Call) executeAs(ctx context.Context, method string, params map[string]any, result any) error {
	if err := k.alive(method); err != nil {
		return err
	}
	full := map[string]any{"self": k.self()}
	maps.Copy(full, params)
	return k.c.Execute(ctx, method, full, result)
}

// self is how the call names itself in requests.
func (k *Call) self() MemberTarget {
	return MemberTarget{CallID: k.id, MemberID: k.SelfID(), NodeID: k.NodeID()}
}

// SetLocked locks the room, so that nobody else can join it, or unlocks it.
func (k *Call) SetLocked(ctx context.Context, locked bool) error {
	return k.aimed(ctx, MemberTarget{}, map[bool]string{true: "call.lock", false: "call.unlock"}[locked], nil, nil)
}

// ToggleLock locks the room or unlocks it, whichever the service has not told
// last.
func (k *Call) ToggleLock(ctx context.Context) error { return k.SetLocked(ctx, !k.Locked()) }

// SetLayout changes the layout for everybody in the room, and then, one after
// the other in the order of their ids, asks for positions of members in it. It
// is not one step: after a failure the layout may be changed and some of the
// positions asked for. A layout that is not one of Layouts is an
// *errs.InvalidParamsError, as is a position that there is not; members that
// have left are passed over.
func (k *Call) SetLayout(ctx context.Context, layout string, positions map[string]VideoPosition) error {
	for id, p := range positions {
		if !p.Valid() {
			return &errs.InvalidParamsError{Param: "positions", Reason: fmt.Sprintf("ask for %q, for member %s", p, id)}
		}
	}
	if len(k.Layouts()) == 0 {
		if err := k.RefreshLayouts(ctx); err != nil {
			return err
		}
	}
	if known := k.Layouts(); !slices.Contains(known, layout) {
		return &errs.InvalidParamsError{Param: "layout", Reason: fmt.Sprintf("is %q: want one of %q", layout, known)}
	}
	if err := k.aimed(ctx, MemberTarget{}, "call.layout.set", map[string]any{"layout": layout}, nil); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(positions)) {
		p := k.Participant(id)
		if p == nil {
			k.c.log.Warn("no such member to place", "call_id", k.id)
			continue
		}
		if err := p.SetPosition(ctx, positions[id]); err != nil {
			return err
		}
	}
	return nil
}

// RefreshLayouts asks the service for the layouts again.
func (k *Call) RefreshLayouts(ctx context.Context) error {
	var reply struct {
		Layouts []string `json:"layouts"`
	}
	if err := k.aimed(ctx, MemberTarget{}, "call.layout.list", nil, &reply); err != nil {
		return err
	}
	return k.c.ask(ctx, func() {
		k.room.layouts = reply.Layouts
		k.room.publish()
	})
}

// listLayouts asks for the layouts without anybody waiting. On the loop.
func (r *room) listLayouts() {
	k := r.k
	k.c.workers.Go(func() {
		ctx, cancel := context.WithTimeout(k.ctx, k.c.requestTimeout())
		defer cancel()
		if err := k.RefreshLayouts(ctx); err != nil && k.ctx.Err() == nil {
			k.c.log.Warn("the layouts are not known", "call_id", k.id, "error", err)
		}
	})
}

// ToggleIncomingAudio stops receiving audio, or receives it again, and agrees
// that with the service; see SetDirections.
func (k *Call) ToggleIncomingAudio(ctx context.Context) error {
	d := k.wantedDirections()
	d.Audio ^= media.RecvOnly
	return k.SetDirections(ctx, d)
}

// ToggleIncomingVideo does the same for video.
func (k *Call) ToggleIncomingVideo(ctx context.Context) error {
	d := k.wantedDirections()
	d.Video ^= media.RecvOnly
	return k.SetDirections(ctx, d)
}

func (k *Call) wantedDirections() media.Directions {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wanted
}

// StartRecording is not offered by the service: *errs.UnimplementedError. A sink
// of package media records the call here.
func (k *Call) StartRecording(context.Context) error {
	return &errs.UnimplementedError{Operation: "start recording"}
}

// StartStreaming is not offered by the service: *errs.UnimplementedError.
func (k *Call) StartStreaming(context.Context) error {
	return &errs.UnimplementedError{Operation: "start streaming"}
}

// SetMeta is not offered by the service: *errs.UnimplementedError.
func (k *Call) SetMeta(context.Context, map[string]any) error {
	return &errs.UnimplementedError{Operation: "set the metadata of a call"}
}

// UpdateMeta is not offered by the service: *errs.UnimplementedError.
func (k *Call) UpdateMeta(context.Context, map[string]any) error {
	return &errs.UnimplementedError{Operation: "update the metadata of a call"}
}
