package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// exampleRoom signs in a client for each name and brings all of them into a
// room; the calls are returned in the same order.
func exampleRoom(ctx context.Context, names ...string) (calls []*session.Call, gw *sessiontest.Server, end func()) {
	clients, gw, end := exampleCallers(ctx, names...)
	for _, c := range clients {
		call, err := c.Dial(ctx, "/public/lobby", session.DialOptions{MediaOptions: onLoopbackOnly()})
		if err != nil {
			panic(err)
		}
		untilConnected(ctx, call)
		if _, err := call.ObserveSelf().Wait(ctx, func(s *session.SelfParticipant) bool { return s != nil }); err != nil {
			panic(err)
		}
		calls = append(calls, call)
	}
	if _, err := calls[0].ObserveParticipants().Wait(ctx, func(p []*session.Participant) bool { return len(p) == len(names) }); err != nil {
		panic(err)
	}
	return calls, gw, end
}

// named finds a participant.
func named(call *session.Call, name string) *session.Participant {
	for _, p := range call.Participants() {
		if p.Name() == name {
			return p
		}
	}
	panic("nobody is named " + name)
}

// until waits for a value.
func until[T comparable](ctx context.Context, o observable.Of[T], want T) string {
	if _, err := o.Wait(ctx, func(v T) bool { return v == want }); err != nil {
		return err.Error()
	}
	return fmt.Sprint(want)
}

// The list tells who comes and goes; how somebody is doing is on that one's own
// observables.
func ExampleCall_ObserveParticipants() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	call := calls[0]

	for participants := range call.ObserveParticipants().Seq(ctx) {
		fmt.Println(len(participants), "in the room")
		for _, p := range participants {
			fmt.Printf("  %s: muted %t, the call itself %t\n", p.Name(), p.AudioMuted(), p.Self() != nil)
		}
		if len(participants) == 1 {
			break
		}
		_ = calls[1].Hangup(ctx)
	}
	// Output:
	// 2 in the room
	//   ann: muted false, the call itself true
	//   bob: muted false, the call itself false
	// 1 in the room
	//   ann: muted false, the call itself true
}

// A moderator mutes somebody. The call's own state changes with the service's
// event, not with the request.
func ExampleParticipant_Mute() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()

	bob := named(calls[0], "bob")
	muted := bob.ObserveAudioMuted()
	fmt.Println("mute:", bob.Mute(ctx))
	fmt.Println("ann sees bob muted:", until(ctx, muted, true))
	fmt.Println("bob knows:", until(ctx, calls[1].Self().ObserveAudioMuted(), true))
	fmt.Println("bob's side still sends:", !calls[1].Self().LocalAudioMuted())
	// Output:
	// mute: <nil>
	// ann sees bob muted: true
	// bob knows: true
	// bob's side still sends: true
}

// Muting oneself stops what is sent at once, and then tells the service. Toggles
// take turns: two in a row change nothing in the end.
func ExampleSelfParticipant() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	self := calls[0].Self()

	fmt.Println(self.Mute(ctx), self.LocalAudioMuted())
	fmt.Println("bob sees it:", until(ctx, named(calls[1], "ann").ObserveAudioMuted(), true))
	fmt.Println(self.ToggleMute(ctx), self.ToggleMute(ctx), self.LocalAudioMuted())
	fmt.Println(self.SetHandRaised(ctx, true), until(ctx, named(calls[1], "ann").ObserveHandRaised(), true))
	fmt.Println(self.SetAudioInputVolume(ctx, 40), until(ctx, self.ObserveInputVolume(), session.Level{Value: 40, Known: true}))
	fmt.Println(self.EnableStudioAudio(ctx), self.StudioAudio(), until(ctx, self.ObserveEchoCancellation(), false))
	// Output:
	// <nil> true
	// bob sees it: true
	// <nil> <nil> true
	// <nil> true
	// <nil> {40 true}
	// <nil> true false
}

// A screen is a member of its own, whose parent is the call.
func ExampleSelfParticipant_StartScreenShare() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	self := calls[0].Self()

	joined := calls[1].ObserveMemberJoined()
	if _, err := self.StartScreenShare(ctx, media.NewTestPattern(), onLoopbackOnly()); err != nil {
		fmt.Println(err)
		return
	}
	e, err := joined.Wait(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("bob sees a", e.Member.Type, "of ann's:", e.Member.ParentID == self.ID())
	fmt.Println(self.ScreenShareStatus())
	fmt.Println(self.StopScreenShare(ctx), self.ScreenShareStatus())
	// Output:
	// bob sees a screen of ann's: true
	// started
	// <nil> none
}

// A layout is chosen by one of the names that the room offers.
func ExampleCall_SetLayout() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	call := calls[0]

	err := call.SetLayout(ctx, "highlight-1-responsive", map[string]session.VideoPosition{
		call.SelfID(): session.ReservedPosition(1),
	})
	fmt.Println(err, until(ctx, calls[1].ObserveLayout(), "highlight-1-responsive"))
	fmt.Println("ann asks for", until(ctx, call.Self().ObserveRequestedPosition(), session.ReservedPosition(1)))

	var bad *errs.InvalidParamsError
	fmt.Println(errors.As(call.SetLayout(ctx, "in-a-row", nil), &bad), slices.Contains(call.Layouts(), "in-a-row"))
	// Output:
	// <nil> highlight-1-responsive
	// ann asks for reserved-1
	// true false
}

// A locked room takes nobody else; both ends see it.
func ExampleCall_SetLocked() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()

	if !calls[0].Self().Capabilities().Lock().On {
		fmt.Println("not allowed to")
		return
	}
	fmt.Println(calls[0].SetLocked(ctx, true), until(ctx, calls[1].ObserveLocked(), true))
	fmt.Println(calls[1].ToggleLock(ctx), until(ctx, calls[0].ObserveLocked(), false))
	// Output:
	// <nil> true
	// <nil> false
}

// Whoever is removed learns that the call is over; the others that a member has
// left.
func ExampleParticipant_Remove() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()

	left := calls[0].ObserveMemberLeft()
	bob := named(calls[0], "bob")
	fmt.Println(bob.Remove(ctx))
	<-calls[1].Done()
	<-bob.Done()
	if e, err := left.Wait(ctx, nil); err == nil {
		fmt.Println(bob.Name(), "was", e.Reason)
	}
	fmt.Println(len(calls[0].Participants()), "left")
	// Output:
	// <nil>
	// bob was removed
	// 1 left
}

// A method that the SDK does not know is sent by its name, here about bob. What
// the service refuses comes back as a typed error.
func ExampleCall_ExecuteMethod() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	call, bob := calls[0], named(calls[0], "bob")

	target := session.MemberTarget{MemberID: bob.ID()}
	fmt.Println(call.ExecuteMethod(ctx, target, "call.speaker.volume.set", map[string]any{"volume": 30}, nil))
	fmt.Println(until(ctx, bob.ObserveOutputVolume(), session.Level{Value: 30, Known: true}))

	err := call.ExecuteMethod(ctx, session.MemberTarget{MemberID: "nobody"}, "call.mute", map[string]any{"channels": []string{"audio"}}, nil)
	var refused *errs.JSONRPCError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Message)
	}
	// Output:
	// <nil>
	// {30 true}
	// 404 Member not found
}

// What is granted follows from a few dotted names.
func ExampleComputeCapabilities() {
	granted := session.ComputeCapabilities([]session.Capability{
		session.CapabilitySelf, session.CapabilityMemberMuteAudioOn, session.CapabilityLockOff,
	})
	fmt.Println(granted.Self.RaiseHand, granted.Self.Position)
	fmt.Println(granted.Member.MuteAudio, granted.Member.Remove)
	fmt.Println(granted.Lock, granted.End)
	// Output:
	// {true true} true
	// {true false} false
	// {false true} false
}

func ExampleReservedPosition() {
	for _, p := range []session.VideoPosition{session.ReservedPosition(1), session.PositionFullScreen, "reserved-", "middle"} {
		fmt.Println(p, p.Valid())
	}
	// Output:
	// reserved-1 true
	// full-screen true
	// reserved- false
	// middle false
}

func ExampleStandardPosition() {
	fmt.Println(session.StandardPosition(5))
	// Output: standard-5
}

// An intercom: whoever holds the key down is heard. The level is measured in
// front of the key, so that a meter shows that the microphone works.
func ExampleCall_EnablePushToTalk() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	sends, hears := onLoopbackOnly(), onLoopbackOnly()
	sends.AudioSource, _ = media.NewTone(440, -20)
	listener, _ := media.NewListener(16000, 1)
	hears.AudioSink = listener
	out, _ := exampleCall(ctx, clients[0], clients[1], sends, hears)

	hearing := func(sound bool) string {
		for range listener.Frames(ctx) {
			if listener.Level() > -50 == sound {
				return "as expected"
			}
		}
		return "never"
	}
	out.EnablePushToTalk()
	fmt.Println("released, bob hears nothing:", hearing(false))
	fmt.Println("ann's meter:", until(ctx, out.ObserveLocalSpeaking(), true))
	out.SetPushToTalkActive(true)
	out.SetLocalMicrophoneGain(150)
	fmt.Println("pressed, bob hears ann:", hearing(true), "at", out.LocalMicrophoneGain(), "percent")
	out.SetPushToTalkActive(false)
	out.DisablePushToTalk()
	fmt.Println("without a key, bob hears ann:", hearing(true))
	// Output:
	// released, bob hears nothing: as expected
	// ann's meter: true
	// pressed, bob hears ann: as expected at 150 percent
	// without a key, bob hears ann: as expected
}
