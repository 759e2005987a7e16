package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// D21: the Browser SDK goes on sending until the service has answered.
func TestMutingOneselfDoesNotWaitForTheService(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		r.answering(func(string, map[string]any) string { return "silence" })
		self := r.k.Self()
		ctx, cancel := context.WithTimeout(r.t.Context(), 3*time.Second)
		defer cancel()
		failed := make(chan error)
		go func() { failed <- self.Mute(ctx) }()
		synctest.Wait() // the request is under way
		if !self.LocalAudioMuted() || self.AudioMuted() {
			t.Errorf("locally muted: %t, by the service: %t", self.LocalAudioMuted(), self.AudioMuted())
		}
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Mute: %v", err)
		}
		if !self.LocalAudioMuted() {
			t.Error("the failure of the service's half undid this side's")
		}
	})
}

func TestARefusedUnmuteLeavesThisSideMuted(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		self := r.k.Self()
		if err := errors.Join(self.Mute(r.t.Context()), self.MuteVideo(r.t.Context())); err != nil {
			t.Fatal(err)
		}
		r.answering(func(string, map[string]any) string { return refusals[1] })
		var refused *errs.JSONRPCError
		if err := self.Unmute(r.t.Context()); !errors.As(err, &refused) || !self.LocalAudioMuted() {
			t.Errorf("%v; muted: %t", err, self.LocalAudioMuted())
		}
		r.answering(nil)
		if err := self.Unmute(r.t.Context()); err != nil || self.LocalAudioMuted() || !self.LocalVideoMuted() {
			t.Errorf("%v; muted: %t, video %t", err, self.LocalAudioMuted(), self.LocalVideoMuted())
		}
	})
}

// Who says mute last is not heard, even if an unmute before it is slow.
func TestAMuteWinsOverAnUnmuteThatIsUnderWay(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		self, ctx := r.k.Self(), r.t.Context()
		if err := self.Mute(ctx); err != nil {
			t.Fatal(err)
		}
		slow := make(chan struct{})
		r.answering(func(method string, _ map[string]any) string {
			if method == "call.unmute" {
				<-slow
			}
			return ""
		})
		done := make(chan error, 2)
		go func() { done <- self.Unmute(ctx) }()
		synctest.Wait() // it waits for the service
		go func() { done <- self.Mute(ctx) }()
		synctest.Wait() // and this one waits for its turn
		close(slow)
		if err := errors.Join(<-done, <-done); err != nil || !self.LocalAudioMuted() {
			t.Errorf("%v; muted: %t", err, self.LocalAudioMuted())
		}
	})
}

// A moderator's mute is the service's: this side goes on, and both can be seen.
func TestAModeratorsMuteIsNotALocalOne(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		r.update("m-ann", map[string]any{"audio_muted": true})
		if self := r.k.Self(); !self.AudioMuted() || self.LocalAudioMuted() {
			t.Errorf("by the service: %t, locally: %t", self.AudioMuted(), self.LocalAudioMuted())
		}
	})
}

// D55: two quick toggles send the same request twice in the Browser SDK.
func TestTwoQuickTogglesChangeNothingInTheEnd(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		bob, ctx := r.k.Participant("m-bob"), r.t.Context()
		for name, toggle := range map[string]func(context.Context) error{
			"mute": bob.ToggleMute, "video": bob.ToggleMuteVideo, "deaf": bob.ToggleDeaf, "hand": bob.ToggleHandraise,
			"bitrate": bob.ToggleLowbitrate, "echo": bob.ToggleEchoCancellation, "gain": bob.ToggleAudioInputAutoGain,
			"noise": bob.ToggleNoiseSuppression,
		} {
			r.requests()
			done := make(chan error, 4)
			for range 4 {
				go func() { done <- toggle(ctx) }()
			}
			if err := errors.Join(<-done, <-done, <-done, <-done); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			sent := r.requests()
			if len(sent) != 4 || sent[0] == sent[1] || sent[0] != sent[2] || sent[1] != sent[3] {
				t.Errorf("%s sent\n%s", name, strings.Join(sent, "\n"))
			}
		}
	})
}

func TestATogglesBaseIsWhatWasRequestedUntilItIsReported(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		bob, ctx := r.k.Participant("m-bob"), r.t.Context()
		next := func(do func(context.Context) error) string {
			r.requests()
			if err := do(ctx); err != nil {
				return err.Error()
			}
			method, _, _ := strings.Cut(strings.Join(r.requests(), " "), " ")
			return method
		}
		steps := []string{
			next(bob.Mute),       // asked, not reported
			next(bob.ToggleMute), // so this unmutes
			func() string { r.update("m-bob", map[string]any{"audio_muted": true}); return "" }(), // a late report of the first
			next(bob.ToggleMute), // unmuting was asked last
			func() string { r.update("m-bob", map[string]any{"audio_muted": true}); return "" }(),  // as asked
			func() string { r.update("m-bob", map[string]any{"audio_muted": false}); return "" }(), // a moderator
			next(bob.ToggleMute),
		}
		r.answering(func(string, map[string]any) string { return refusals[0] })
		next(bob.ToggleMute) // refused, so it does not count
		r.answering(nil)
		r.update("m-bob", map[string]any{"audio_muted": true})
		steps = append(steps, next(bob.ToggleMute))
		want := []string{"call.mute", "call.unmute", "", "call.mute", "", "", "call.mute", "call.unmute"}
		if diff := cmp.Diff(want, steps); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestAToggleIsNotConfusedByAReportThatArrivesMeanwhile, whichever is first.
func TestAToggleIsNotConfusedByAReportThatArrivesMeanwhile(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		bob, ctx := r.k.Participant("m-bob"), r.t.Context()
		muted := func(v bool) { r.update("m-bob", map[string]any{"audio_muted": v}) }
		for range 300 {
			muted(false)
			r.requests()
			err := bob.Mute(ctx)
			reported := make(chan struct{})
			go func() { defer close(reported); muted(true) }()
			err = errors.Join(err, bob.ToggleMute(ctx))
			<-reported
			if err := errors.Join(err, bob.ToggleMute(ctx)); err != nil {
				t.Fatal(err)
			}
			var methods []string
			for _, line := range r.requests() {
				method, _, _ := strings.Cut(line, " ")
				methods = append(methods, method)
			}
			if got := strings.Join(methods, " "); got != "call.mute call.unmute call.mute" {
				t.Fatalf("sent %s", got)
			}
			muted(true) // as asked
		}
	})
}

func TestAToggleThatWaitsForItsTurnCanBeGivenUp(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		bob := r.k.Participant("m-bob")
		r.answering(func(string, map[string]any) string { return "silence" })
		ctx, cancel := context.WithCancel(r.t.Context())
		first := make(chan error)
		go func() { first <- bob.ToggleDeaf(ctx) }()
		synctest.Wait() // it waits for the service
		impatient, giveUp := context.WithTimeout(r.t.Context(), time.Millisecond)
		defer giveUp()
		if err := bob.ToggleDeaf(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the second toggle: %v", err)
		}
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the first toggle: %v", err)
		}
	})
}

// 16 of B3: studio audio stays on in the Browser SDK when the service refuses it.
func TestStudioAudioFollowsTheService(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		self, ctx := r.k.Self(), r.t.Context()
		on := keep(self.ObserveStudioAudio(), printed)
		r.answering(func(string, map[string]any) string { return refusals[0] })
		if err := self.EnableStudioAudio(ctx); err == nil || self.StudioAudio() {
			t.Errorf("refused: %v, on: %t", err, self.StudioAudio())
		}
		r.answering(nil)
		r.requests()
		for _, do := range []func(context.Context) error{
			self.DisableStudioAudio, // is off
			self.EnableStudioAudio, self.EnableStudioAudio, self.DisableStudioAudio, self.EnableStudioAudio,
			self.ToggleNoiseSuppression, // which ends it
			self.DisableStudioAudio,
		} {
			if err := do(ctx); err != nil {
				t.Error(err)
			}
		}
		if sent := r.requests(); len(sent) != 4 {
			t.Errorf("sent\n%s", strings.Join(sent, "\n"))
		}
		if diff := cmp.Diff([]string{"false", "true", "false", "true", "false"}, on.so()); diff != "" {
			t.Errorf("studio audio (-want +got):\n%s", diff)
		}
		if f := self.AudioFlags(); f != (session.AudioFlags{NoiseSuppression: true}) {
			t.Errorf("flags %+v", f)
		}
	})
}

// What has not been told of the treatment of a voice is on: an early toggle does
// not switch the others off, as in the Browser SDK.
func TestAnEarlyToggleLeavesTheOtherFlagsOn(t *testing.T) {
	inTestRoom(t, func(r *roomRig) {
		r.tell("member.joined", inSession("rs-1", map[string]any{"member": map[string]any{"member_id": "m-new"}}))
		p := r.k.Participant("m-new")
		if f := p.AudioFlags(); f != (session.AudioFlags{EchoCancellation: true, AutoGain: true, NoiseSuppression: true}) {
			t.Errorf("flags %+v", f)
		}
		if p.EchoCancellation() || p.InputVolume().Known {
			t.Error("a getter knows what was not told")
		}
	})
}

// selfOf waits until a call has joined its room.
func selfOf(t *testing.T, k *session.Call) *session.SelfParticipant {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	self, err := k.ObserveSelf().Wait(ctx, func(s *session.SelfParticipant) bool { return s != nil })
	if err != nil {
		t.Fatalf("the call has not joined a room: %v", err)
	}
	return self
}

// Muting is heard, or rather not, at the far end; and a member of the room sees it.
func TestAMutedMemberIsNotHeard(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann, bob := onLoopback(t, srv, "ann"), onLoopback(t, srv, "bob")
	ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
	defer cancel()
	tone, err := media.NewTone(440, -12)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := media.NewListener(16000, 1)
	if err != nil {
		t.Fatal(err)
	}
	out := connected(t, ann, "/public/lobby", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{AudioSource: tone})})
	in := connected(t, bob, "/public/lobby", session.DialOptions{MediaOptions: onLoop(session.MediaOptions{AudioSink: listener})})
	hears := func(sound bool) {
		t.Helper()
		for range listener.Frames(ctx) {
			if listener.Level() > -50 == sound {
				return
			}
		}
		t.Fatalf("bob never hears sound = %t: level %v", sound, listener.Level())
	}
	hears(true)
	self := selfOf(t, out)
	atBob := in.Participant(self.ID())
	if atBob == nil {
		t.Fatalf("bob sees %s", idsOf(in.Participants()))
	}
	for _, muted := range []bool{true, false} {
		do := map[bool]func(context.Context) error{true: self.Mute, false: self.Unmute}[muted]
		if err := do(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := atBob.ObserveAudioMuted().Wait(ctx, func(m bool) bool { return m == muted }); err != nil {
			t.Fatalf("bob does not see muted = %t: %v", muted, err)
		}
		hears(!muted)
	}
	if err := out.Hangup(ctx); err != nil {
		t.Error(err)
	}
	<-atBob.Done()
}

// A screen that is shared, stopped, and ends by itself.
func TestScreenShareStatusFollowsTheShare(t *testing.T) {
	srv := sessiontest.NewServer(t)
	ann := onLoopback(t, srv, "ann")
	ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
	defer cancel()
	k := connected(t, ann, "/public/lobby", dialing())
	self := selfOf(t, k)
	seen := make(chan session.ScreenShareStatus, 16)
	ended := self.ObserveScreenShareStatus().Subscribe(context.Background(), func(s session.ScreenShareStatus) { seen <- s })
	if err := self.StopScreenShare(ctx); err != nil { // none: no harm
		t.Error(err)
	}
	for range 2 {
		x, err := self.StartScreenShare(ctx, media.NewTestPattern(), onLoop(session.MediaOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the screen is a member", func() bool {
			for _, p := range k.Participants() {
				if p.Type() == "screen" && p.ParentID() == self.ID() {
					return true
				}
			}
			return false
		})
		if k.SelfID() != self.ID() { // D05
			t.Error("the screen became the call itself")
		}
		if err := self.StopScreenShare(ctx); err != nil {
			t.Error(err)
		}
		<-x.Done()
	}
	if _, err := self.StartScreenShare(ctx, nil, session.MediaOptions{}); err == nil {
		t.Error("nothing was shared")
	}
	dev, err := self.AddAdditionalDevice(ctx, media.NewTestPattern(), onLoop(session.MediaOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(self.RemoveAdditionalDevice(ctx, "unknown"), self.RemoveAdditionalDevice(ctx, dev.ID())); err != nil {
		t.Error(err)
	}
	<-dev.Done()
	if err := k.Hangup(ctx); err != nil {
		t.Error(err)
	}
	<-ended.Done()
	close(seen)
	var got []string
	for s := range seen {
		got = append(got, fmt.Sprint(s))
	}
	want := []string{"none", "starting", "started", "stopping", "none", "starting", "started", "stopping", "none"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}
