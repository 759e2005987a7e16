package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// What the service tells of a member, each fact with an observable beside it; Member
// is all of them at one moment.
func ExampleParticipant() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	bob := named(calls[0], "bob")

	fmt.Println(bob.Type(), "audience:", bob.Audience(), "visible:", bob.Visible(), "talking:", bob.Talking(), "deaf:", bob.Deaf())
	fmt.Println("muted:", bob.AudioMuted(), bob.VideoMuted(), "low bitrate:", bob.LowBitrate(), "denoise:", bob.Denoise())
	fmt.Println("treated:", bob.EchoCancellation(), bob.AutoGain(), bob.NoiseSuppression(), "heard from", bob.InputSensitivity().Value)
	m := bob.Member()
	fmt.Println(m.ID == bob.ID(), m.NodeID == bob.NodeID(), m.SubscriberID == bob.UserID(), m.AddressID == bob.AddressID(), bob.Meta())
	// Output:
	// member audience: false visible: true talking: false deaf: false
	// muted: false false low bitrate: false denoise: false
	// treated: true true true heard from 44
	// true true true true map[]
}

// Who may moderate changes what the others hear, show and ask for. Each setter has a
// toggle beside it.
func ExampleParticipant_SetDeaf() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	bob := named(calls[0], "bob")

	fmt.Println(bob.SetDeaf(ctx, true), until(ctx, bob.ObserveDeaf(), true))
	fmt.Println(bob.ToggleDeaf(ctx), until(ctx, bob.ObserveDeaf(), false))
	fmt.Println(bob.MuteVideo(ctx), until(ctx, bob.ObserveVideoMuted(), true))
	fmt.Println(bob.ToggleMuteVideo(ctx), bob.UnmuteVideo(ctx), bob.Unmute(ctx), until(ctx, bob.ObserveVideoMuted(), false))
	fmt.Println(bob.ToggleHandraise(ctx), until(ctx, bob.ObserveHandRaised(), true))
	fmt.Println(bob.SetLowBitrate(ctx, false), bob.ToggleLowbitrate(ctx), until(ctx, bob.ObserveLowBitrate(), true))
	fmt.Println(bob.SetAudioOutputVolume(ctx, 30), until(ctx, bob.ObserveOutputVolume(), session.Level{Value: 30, Known: true}))
	fmt.Println(bob.SetAudioInputSensitivity(ctx, 20), until(ctx, bob.ObserveInputSensitivity(), session.Level{Value: 20, Known: true}))
	fmt.Println(bob.SetPosition(ctx, session.PositionOffCanvas), until(ctx, bob.ObserveRequestedPosition(), session.PositionOffCanvas))

	var bad *errs.InvalidParamsError
	fmt.Println(errors.As(bob.SetAudioOutputVolume(ctx, 200), &bad), bad)
	// Output:
	// <nil> true
	// <nil> false
	// <nil> true
	// <nil> <nil> <nil> false
	// <nil> true
	// <nil> <nil> true
	// <nil> {30 true}
	// <nil> {20 true}
	// <nil> off-canvas
	// true invalid parameter volume: is 200: want 0 to 100
}

// The three treatments of a voice are set together. A toggle changes one of them and
// leaves the others as they were asked for last.
func ExampleParticipant_SetAudioFlags() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	bob := named(calls[0], "bob")

	wishes := calls[1].ObserveMediaParams()
	fmt.Println(bob.SetAudioFlags(ctx, session.AudioFlags{EchoCancellation: true}))
	fmt.Println(bob.ToggleEchoCancellation(ctx), bob.ToggleAudioInputAutoGain(ctx), bob.ToggleNoiseSuppression(ctx))
	fmt.Printf("%+v\n", bob.AudioFlags())
	if w, err := wishes.Wait(ctx, nil); err == nil {
		fmt.Println("bob's program is told:", w.Audio["echoCancellation"], w.Audio["autoGainControl"])
	}
	// Output:
	// <nil>
	// <nil> <nil> <nil>
	// {EchoCancellation:false AutoGain:true NoiseSuppression:true}
	// bob's program is told: true false
}

// What the service does not offer says so; it can still be asked for by name, with
// Call.ExecuteMethod.
func ExampleCall_SetMeta() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	call, bob, meta := calls[0], named(calls[0], "bob"), map[string]any{"topic": "tea"}

	for _, err := range []error{
		call.SetMeta(ctx, meta), call.UpdateMeta(ctx, meta), bob.SetMeta(ctx, meta), bob.UpdateMeta(ctx, meta),
		call.StartRecording(ctx), call.StartStreaming(ctx),
	} {
		fmt.Println(errors.Is(err, errors.ErrUnsupported), err)
	}
	// Output:
	// true not implemented: set the metadata of a call
	// true not implemented: update the metadata of a call
	// true not implemented: set the metadata of a participant
	// true not implemented: update the metadata of a participant
	// true not implemented: start recording
	// true not implemented: start streaming
}

// Capabilities are looked at before something is offered to a user, and observed where
// they may change.
func ExampleSelfCapabilities() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, gw, end := exampleRoom(ctx, "ann")
	defer end()
	may := calls[0].Self().Capabilities()

	fmt.Println(may.Self().MuteAudio, may.Member().Remove, may.End(), may.SetLayout(), may.SendDigit())
	fmt.Println(may.Lock(), may.VMutedHide(), may.Device(), may.Screenshare())
	device := may.ObserveDevice()
	gw.SetCapabilities(calls[0].ID(), "self", "lock.off")
	fmt.Println("now devices:", until(ctx, device, false), "lock:", may.State().Lock)
	// Output:
	// {true true} true true true true
	// {true true} {true true} true true
	// now devices: false lock: {false true}
}

// Talking is what the service hears; it comes as an event, and as a fact of the member.
func ExampleCall_ObserveMemberTalking() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, gw, end := exampleRoom(ctx, "ann")
	defer end()
	call := calls[0]

	updates := call.ObserveMemberUpdated()
	talks := call.ObserveMemberTalking()
	bot, err := gw.Join("/public/lobby", sessiontest.BotOptions{Name: "Noor", Script: func(ctx context.Context, b *sessiontest.Bot) {
		b.RaiseHand(true)
		_ = b.Tone(ctx, 440, time.Second)
		_ = b.Say(ctx, make([]int16, 8000)) // a second of silence
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if e, err := updates.Wait(ctx, nil); err == nil {
		fmt.Println("changed:", e.Updated, e.Member.HandRaised)
	}
	if e, err := talks.Wait(ctx, nil); err == nil {
		fmt.Println("talks:", e.Member.Talking, call.Participant(e.Member.ID).Name())
	}
	noor := named(call, "Noor")
	fmt.Println("and ceases to:", until(ctx, noor.ObserveTalking(), false))
	<-bot.Done()
	// Output:
	// changed: [handraised] true
	// talks: true Noor
	// and ceases to: false
}

// A source is changed in the middle of a call; what it sends is agreed with the
// service if need be. Studio audio asks for sound without any treatment.
func ExampleSelfParticipant_AddAudioInputDevice() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann")
	defer end()
	call, self := calls[0], calls[0].Self()

	tone, _ := media.NewTone(440, -12)
	fmt.Println(self.AddAudioInputDevice(ctx, tone), until(ctx, call.ObserveLocalSpeaking(), true))
	fmt.Println(self.AddVideoInputDevice(ctx, media.NewTestPattern()), call.Directions().Video)
	fmt.Println(self.MuteVideo(ctx), self.LocalVideoMuted())
	fmt.Println(self.EnableStudioAudio(ctx), self.StudioAudio(), self.DisableStudioAudio(ctx), self.StudioAudio())
	// Output:
	// <nil> true
	// <nil> sendonly
	// <nil> true
	// <nil> true <nil> false
}
