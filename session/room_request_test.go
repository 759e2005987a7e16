package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

// Parts of the requests below, with their keys sorted.
const (
	annRef = `{"call_id":"c-ann","member_id":"m-ann","node_id":"n-1@puc"}`
	bobRef = `{"call_id":"c-bob","member_id":"m-bob","node_id":"n-1@puc"}`
	ofAnn  = `"self":` + annRef + `,"target":` + annRef
	ofBob  = `"self":` + annRef + `,"target":` + bobRef
)

// A roomCommand is something that a program asks for, and the request it makes.
type roomCommand struct {
	name string
	do   func(ctx context.Context, k *session.Call, self *session.SelfParticipant, bob *session.Participant) error
	want []string
}

func onBob(do func(*session.Participant, context.Context) error) func(context.Context, *session.Call, *session.SelfParticipant, *session.Participant) error {
	return func(ctx context.Context, _ *session.Call, _ *session.SelfParticipant, bob *session.Participant) error {
		return do(bob, ctx)
	}
}

func onSelf(do func(*session.SelfParticipant, context.Context) error) func(context.Context, *session.Call, *session.SelfParticipant, *session.Participant) error {
	return func(ctx context.Context, _ *session.Call, self *session.SelfParticipant, _ *session.Participant) error {
		return do(self, ctx)
	}
}

func onCall(do func(*session.Call, context.Context) error) func(context.Context, *session.Call, *session.SelfParticipant, *session.Participant) error {
	return func(ctx context.Context, k *session.Call, _ *session.SelfParticipant, _ *session.Participant) error {
		return do(k, ctx)
	}
}

func with[P, V any](do func(P, context.Context, V) error, v V) func(P, context.Context) error {
	return func(p P, ctx context.Context) error { return do(p, ctx, v) }
}

type (
	participant = *session.Participant
	self        = *session.SelfParticipant
	call        = *session.Call
)

var roomCommands = []roomCommand{
	{"mute", onBob(participant.Mute), []string{`call.mute {"channels":["audio"],` + ofBob + `}`}},
	{"unmute", onBob(participant.Unmute), []string{`call.unmute {"channels":["audio"],` + ofBob + `}`}},
	{"mute video", onBob(participant.MuteVideo), []string{`call.mute {"channels":["video"],` + ofBob + `}`}},
	{"unmute video", onBob(participant.UnmuteVideo), []string{`call.unmute {"channels":["video"],` + ofBob + `}`}},
	{"toggle mute", onBob(participant.ToggleMute), []string{`call.mute {"channels":["audio"],` + ofBob + `}`}},
	{"toggle mute video", onBob(participant.ToggleMuteVideo), []string{`call.mute {"channels":["video"],` + ofBob + `}`}},
	{"mute oneself", onSelf(self.Mute), []string{`call.mute {"channels":["audio"],` + ofAnn + `}`}},
	{"unmute oneself", onSelf(self.Unmute), []string{`call.unmute {"channels":["audio"],` + ofAnn + `}`}},
	{"mute one's video", onSelf(self.MuteVideo), []string{`call.mute {"channels":["video"],` + ofAnn + `}`}},
	{"deaf", onBob(with(participant.SetDeaf, true)), []string{`call.deaf {` + ofBob + `}`}},
	{"undeaf", onBob(with(participant.SetDeaf, false)), []string{`call.undeaf {` + ofBob + `}`}},
	{"toggle deaf", onSelf(self.ToggleDeaf), []string{`call.deaf {` + ofAnn + `}`}},
	{"raise hand", onSelf(with(self.SetHandRaised, true)), []string{`call.raisehand {` + ofAnn + `}`}},
	{"lower hand", onBob(with(participant.SetHandRaised, false)), []string{`call.lowerhand {` + ofBob + `}`}},
	{"toggle hand", onBob(participant.ToggleHandraise), []string{`call.raisehand {` + ofBob + `}`}},
	{"low bitrate", onBob(with(participant.SetLowBitrate, true)), []string{`call.lowbitrate.set {"lowbitrate":true,` + ofBob + `}`}},
	{"toggle low bitrate", onSelf(self.ToggleLowbitrate), []string{`call.lowbitrate.set {"lowbitrate":true,` + ofAnn + `}`}},
	{"audio flags", onBob(with(participant.SetAudioFlags, session.AudioFlags{AutoGain: true})), []string{
		`call.audioflags.set {"auto_gain":true,"echo_cancellation":false,"noise_suppression":false,` + ofBob + `}`}},
	{"toggle echo cancellation", onBob(participant.ToggleEchoCancellation), []string{
		`call.audioflags.set {"auto_gain":true,"echo_cancellation":false,"noise_suppression":true,` + ofBob + `}`}},
	{"toggle auto gain", onBob(participant.ToggleAudioInputAutoGain), []string{
		`call.audioflags.set {"auto_gain":false,"echo_cancellation":true,"noise_suppression":true,` + ofBob + `}`}},
	{"toggle noise suppression", onBob(participant.ToggleNoiseSuppression), []string{
		`call.audioflags.set {"auto_gain":true,"echo_cancellation":true,"noise_suppression":false,` + ofBob + `}`}},
	{"studio audio", onSelf(self.EnableStudioAudio), []string{
		`call.audioflags.set {"auto_gain":false,"echo_cancellation":false,"noise_suppression":false,` + ofAnn + `}`}},
	{"microphone volume", onBob(with(participant.SetAudioInputVolume, 40)), []string{`call.microphone.volume.set {` + ofBob + `,"volume":40}`}},
	{"speaker volume", onBob(with(participant.SetAudioOutputVolume, 12.5)), []string{`call.speaker.volume.set {` + ofBob + `,"volume":12.5}`}},
	{"sensitivity", onBob(with(participant.SetAudioInputSensitivity, 50)), []string{
		`call.microphone.sensitivity.set {"self":` + annRef + `,"sensitivity":50,"target":` + bobRef + `}`}},
	{"position", onBob(with(participant.SetPosition, session.ReservedPosition(1))), []string{
		`call.member.position.set {"self":` + annRef + `,"targets":[{"position":"reserved-1","target":` + bobRef + `}]}`}},
	{"remove", onBob(participant.Remove), []string{`call.member.remove {"self":` + annRef + `,"targets":[` + bobRef + `]}`}},
	{"end", onBob(participant.End), []string{`call.end {` + ofBob + `}`}},
	{"lock", onCall(with(call.SetLocked, true)), []string{`call.lock {` + ofAnn + `}`}},
	{"unlock", onCall(with(call.SetLocked, false)), []string{`call.unlock {` + ofAnn + `}`}},
	{"toggle lock", onCall(call.ToggleLock), []string{`call.lock {` + ofAnn + `}`}},
	{"list layouts", onCall(call.RefreshLayouts), []string{`call.layout.list {` + ofAnn + `}`}},
	{"layout", onCall(func(k call, ctx context.Context) error {
		return k.SetLayout(ctx, "highlight-1-responsive", map[string]session.VideoPosition{
			"m-bob": "reserved-1", "m-ann": session.StandardPosition(2), "m-gone": "auto",
		})
	}), []string{
		`call.layout.set {"layout":"highlight-1-responsive",` + ofAnn + `}`,
		`call.member.position.set {"self":` + annRef + `,"targets":[{"position":"standard-2","target":` + annRef + `}]}`,
		`call.member.position.set {"self":` + annRef + `,"targets":[{"position":"reserved-1","target":` + bobRef + `}]}`,
	}},
	{"any method, by id", onCall(func(k call, ctx context.Context) error {
		return k.ExecuteMethod(ctx, session.MemberTarget{MemberID: "m-bob"}, "call.custom", map[string]any{"a": 1}, nil)
	}), []string{`call.custom {"a":1,"self":` + annRef + `,"target":{"call_id":"c-ann","member_id":"m-bob","node_id":"n-1@puc"}}`}},
	{"any method, by leg", onCall(func(k call, ctx context.Context) error {
		return k.ExecuteMethod(ctx, session.MemberTarget{MemberID: "m-bob", CallID: "c-bob", NodeID: "n-1@puc"}, "call.custom", nil, nil)
	}), []string{`call.custom {"self":` + annRef + `,"targets":[` + bobRef + `]}`}},
	{"any method, on oneself", onCall(func(k call, ctx context.Context) error {
		return k.ExecuteMethod(ctx, session.MemberTarget{}, "call.custom", nil, nil)
	}), []string{`call.custom {` + ofAnn + `}`}},
	{"positions by hand", onCall(func(k call, ctx context.Context) error {
		return k.ExecuteMethod(ctx, session.MemberTarget{MemberID: "m-bob"}, "call.member.position.set", map[string]any{"targets": []int{}}, nil)
	}), []string{`call.member.position.set {"self":` + annRef + `,"targets":[]}`}},
}

func TestEachCommandSendsTheRequestOfTheProtocol(t *testing.T) {
	for _, c := range roomCommands {
		t.Run(c.name, func(t *testing.T) {
			inTestRoom(t, func(r *roomRig) {
				r.requests()
				if err := c.do(r.t.Context(), r.k, r.k.Self(), r.k.Participant("m-bob")); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, r.requests()); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// refusals are the places where the service says no.
var refusals = []string{
	`"error":{"code":-32001,"message":"Permission Denied.","data":{"needs":"member"}}`,
	`"result":{"code":"-32001","message":"Permission Denied.","data":{"needs":"member"}}`,
}

func TestARefusedCommandSaysWithWhatCode(t *testing.T) {
	for _, c := range roomCommands {
		for _, refusal := range refusals {
			t.Run(c.name, func(t *testing.T) {
				inTestRoom(t, func(r *roomRig) {
					r.answering(func(string, map[string]any) string { return refusal })
					err := c.do(r.t.Context(), r.k, r.k.Self(), r.k.Participant("m-bob"))
					var refused *errs.JSONRPCError
					if !errors.As(err, &refused) || refused.Code != -32001 || refused.Message != "Permission Denied." ||
						string(refused.Data) != `{"needs":"member"}` {
						t.Errorf("got %#v", err)
					}
					if s := r.k.Status(); s != session.CallStatusNew {
						t.Errorf("a refused command made the call %v", s)
					}
				})
			})
		}
	}
}

func TestACommandThatCannotWorkIsNotSent(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		r.requests()
		r.tell("member.joined", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-legless"}}))
		bob, legless, ctx := r.k.Participant("m-bob"), r.k.Participant("m-legless"), r.t.Context()
		for what, err := range map[string]error{
			"volume":            bob.SetAudioInputVolume(ctx, 101),
			"speaker":           bob.SetAudioOutputVolume(ctx, -1),
			"sensitivity":       bob.SetAudioInputSensitivity(ctx, nan()),
			"position":          bob.SetPosition(ctx, "somewhere"),
			"leg to place":      legless.SetPosition(ctx, session.PositionAuto),
			"leg to remove":     legless.Remove(ctx),
			"layout":            r.k.SetLayout(ctx, "5x5", nil),
			"position in there": r.k.SetLayout(ctx, "grid-responsive", map[string]session.VideoPosition{"m-bob": "reserved-01"}),
		} {
			var bad *errs.InvalidParamsError
			if !errors.As(err, &bad) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for what, err := range map[string]error{
			"meta": r.k.SetMeta(ctx, nil), "more meta": r.k.UpdateMeta(ctx, nil), "recording": r.k.StartRecording(ctx),
			"streaming": r.k.StartStreaming(ctx), "bob's meta": bob.SetMeta(ctx, nil), "more of it": bob.UpdateMeta(ctx, nil),
		} {
			if !errors.Is(err, errs.ErrUnimplemented) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if sent := r.requests(); len(sent) > 0 {
			t.Errorf("sent %s", strings.Join(sent, "\n"))
		}
		session.End(r.k)
		var over *errs.InvalidStateTransitionError
		if err := bob.Mute(ctx); !errors.As(err, &over) {
			t.Errorf("after the end: %v", err)
		}
		if err := bob.ToggleMute(ctx); !errors.As(err, &over) {
			t.Errorf("toggled after the end: %v", err)
		}
	})
}

func nan() float64 { zero := 0.0; return zero / zero }
