package media_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// legs returns two legs of this machine; a program has one of them, and signaling
// in between.
func legs(caller, callee media.LegConfig) (*media.Leg, *media.Leg) {
	var both [2]*media.Leg
	for i, cfg := range []media.LegConfig{caller, callee} {
		if cfg.Directions == (media.Directions{}) {
			cfg.Directions = media.Directions{Audio: media.SendRecv}
		}
		cfg.SettingEngine = loopback
		leg, err := media.NewLeg(cfg)
		if err != nil {
			panic(err)
		}
		both[i] = leg
	}
	return both[0], both[1]
}

// negotiate carries an offer one way and the answer the other.
func negotiate(caller, callee *media.Leg) {
	ctx := context.Background()
	offer, err := caller.Offer(ctx)
	if err != nil {
		panic(err)
	}
	answer, err := callee.Answer(ctx, offer)
	if err != nil {
		panic(err)
	}
	if err := caller.Accept(ctx, answer); err != nil {
		panic(err)
	}
}

// connect is negotiate, and waiting for the far end's sound.
func connect(caller, callee *media.Leg) {
	negotiate(caller, callee)
	for caller.Stats().Audio.PacketsReceived == 0 || callee.Stats().Audio.PacketsReceived == 0 {
		time.Sleep(time.Millisecond)
	}
}

func ExampleLeg() {
	connected := make(chan struct{})
	caller, err := media.NewLeg(media.LegConfig{
		Directions:    media.Directions{Audio: media.SendRecv, Video: media.SendRecv},
		VideoSource:   media.NewTestPattern(),
		SettingEngine: loopback,
		OnState: func(s media.State) {
			if s == media.StateConnected {
				close(connected)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer caller.Close()
	callee, err := media.NewLeg(media.LegConfig{
		Directions:    media.Directions{Audio: media.SendRecv, Video: media.RecvOnly},
		SettingEngine: loopback,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer callee.Close()

	ctx := context.Background()
	offer, err := caller.Offer(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := callee.Answer(ctx, offer) // signaling carries the offer there
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := caller.Accept(ctx, answer); err != nil { // and the answer back
		fmt.Println(err)
		return
	}
	<-connected
	fmt.Println("bundled:", strings.Contains(offer+answer, "BUNDLE"))
	fmt.Println("video:", caller.Directions().Video)
	// Output:
	// bundled: false
	// video: sendonly
}

// A voice agent hears with a listener and speaks with a speaker. When it is
// interrupted it stops at once, and learns what was heard of what it had to say.
func ExampleSpeaker() {
	ctx := context.Background()
	speaker, err := media.NewSpeaker(media.SpeakerConfig{Rate: 16000})
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := media.NewListener(16000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	agent, person := legs(media.LegConfig{AudioSource: speaker, AudioSink: listener}, media.LegConfig{})
	defer agent.Close()
	defer person.Close()
	connect(agent, person)

	if _, err := speaker.Play(ctx, make([]int16, 10*16000)); err != nil { // a long speech
		fmt.Println(err)
		return
	}
	for range 10 { // 200 ms of the other side
		if _, err := listener.ReadFrame(ctx); err != nil {
			fmt.Println(err)
			return
		}
	}
	cut := speaker.Flush()
	fmt.Println("all of it:", cut.Played+cut.Discarded)
	fmt.Println("most of it unheard:", cut.Discarded > 9*time.Second)
	// Output:
	// all of it: 10s
	// most of it unheard: true
}

func ExampleSpeaker_Mark() {
	marks := make(chan string, 1)
	speaker, err := media.NewSpeaker(media.SpeakerConfig{OnMark: func(name string, heard bool) {
		marks <- fmt.Sprint(name, " heard: ", heard)
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	agent, person := legs(media.LegConfig{AudioSource: speaker}, media.LegConfig{})
	defer agent.Close()
	defer person.Close()
	connect(agent, person)
	fmt.Fprint(speaker, "two bytes a sample, in pieces of any size")
	speaker.Mark("greeting")
	fmt.Println(<-marks)
	// Output: greeting heard: true
}

func ExampleListener() {
	tone, err := media.NewTone(440, -20)
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := media.NewListener(16000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, callee := legs(media.LegConfig{AudioSource: tone}, media.LegConfig{AudioSink: listener})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	for frame := range listener.Frames(context.Background()) {
		if frame[0] != 0 { // the far end begins to speak
			fmt.Println(len(frame), "samples")
			break
		}
	}
	// Output: 320 samples
}

func ExampleLeg_SendDTMF() {
	digits := make(chan media.Digit, 2)
	caller, callee := legs(media.LegConfig{}, media.LegConfig{OnDigit: func(d media.Digit) { digits <- d }})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	if err := caller.SendDTMF(context.Background(), "1#"); err != nil {
		fmt.Println(err)
	}
	for range 2 {
		d := <-digits
		fmt.Printf("%c for %v\n", d.Value, d.Duration)
	}
	// Output:
	// 1 for 100ms
	// # for 100ms
}

func ExampleLeg_SetDirections() {
	caller, callee := legs(media.LegConfig{}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	caller.SetDirections(media.Directions{}) // at once
	fmt.Println(caller.Directions().Audio)
	negotiate(caller, callee) // and tell the far end
	fmt.Println(callee.Directions().Audio)
	caller.SetDirections(media.Directions{Audio: media.SendRecv})
	negotiate(caller, callee)
	fmt.Println(callee.Directions().Audio)
	// Output:
	// inactive
	// inactive
	// sendrecv
}

func ExampleLeg_Pause() {
	caller, callee := legs(media.LegConfig{}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	caller.Pause(true)
	fmt.Println(caller.Directions().Audio)
	caller.Pause(false)
	fmt.Println(caller.Directions().Audio)
	// Output:
	// inactive
	// sendrecv
}

func ExampleLeg_Restart() {
	ctx := context.Background()
	caller, callee := legs(media.LegConfig{}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	offer, err := caller.Restart(ctx) // the network has changed
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := callee.Answer(ctx, offer)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(caller.Accept(ctx, answer))
	// Output: <nil>
}

// Another service has taken over: the same leg goes on over new transports.
func ExampleLeg_Renew() {
	ctx := context.Background()
	caller, callee := legs(media.LegConfig{}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	_, another := legs(media.LegConfig{}, media.LegConfig{})
	defer another.Close()

	offer, err := caller.Renew(ctx, media.Directions{Audio: media.SendRecv}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := another.Answer(ctx, offer)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("offered:", media.OfferedDirections(offer).Audio)
	fmt.Println(caller.Accept(ctx, answer))
	// Output:
	// offered: sendrecv
	// <nil>
}

// The far end has hung up: its media is gone, and signaling will say the rest.
func ExampleLeg_FarEndClosed() {
	lost := make(chan struct{})
	caller, callee := legs(media.LegConfig{OnState: func(s media.State) {
		if s == media.StateDisconnected {
			close(lost)
		}
	}}, media.LegConfig{})
	defer caller.Close()
	connect(caller, callee)
	fmt.Println(caller.FarEndClosed())
	callee.Close()
	<-lost
	fmt.Println(caller.FarEndClosed())
	// Output:
	// false
	// true
}

func ExampleLeg_Rollback() {
	ctx := context.Background()
	leg, other := legs(media.LegConfig{}, media.LegConfig{})
	defer leg.Close()
	defer other.Close()
	if _, err := leg.Offer(ctx); err != nil {
		fmt.Println(err)
		return
	}
	leg.Rollback() // the far end has refused
	err := leg.Accept(ctx, "too late")
	var state *errs.InvalidStateTransitionError
	fmt.Println(errors.As(err, &state))
	// Output: true
}

func ExampleLeg_Replace() {
	caller, callee := legs(media.LegConfig{}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	music, err := media.NewTone(660, -20)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(caller.Replace(media.KindAudio, music))
	// Output: <nil>
}

func ExampleLeg_Mute() {
	caller, callee := legs(media.LegConfig{}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	caller.Mute(media.KindAudio, true) // from the very first packet
	connect(caller, callee)
	fmt.Println(callee.Stats().Audio.PacketsReceived > 0)
	caller.Mute(media.KindAudio, false)
	caller.Withhold(media.KindAudio, true) // for the network's sake: the user's choice is another matter
	fmt.Println("muted:", caller.Muted(media.KindAudio))
	// Output:
	// true
	// muted: false
}

func ExampleLeg_RequestKeyframe() {
	both := media.Directions{Audio: media.SendRecv, Video: media.SendRecv}
	asked := make(chan string, 1)
	camera := media.NewRTPSource(media.VP8)
	camera.OnKeyframeRequest(func() { asked <- "the encoder makes a keyframe" })
	caller, callee := legs(media.LegConfig{Directions: both, VideoSource: camera}, media.LegConfig{Directions: both})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	for callee.Stats().Video.PacketsReceived == 0 {
		camera.WritePacket(media.Packet{Payload: []byte{0x10, 0}})
		time.Sleep(time.Millisecond)
	}
	if err := callee.RequestKeyframe(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-asked)
	// Output: the encoder makes a keyframe
}

func ExampleLeg_Stats() {
	caller, callee := legs(media.LegConfig{CodecPreferences: []string{media.PCMU}}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	connect(caller, callee)
	stats := callee.Stats().Audio
	fmt.Println(stats.ReceiveCodec, "lost:", stats.PacketsLost, "level:", stats.ReceiveLevel)
	// Output: PCMU/8000 lost: 0 level: -127
}

// What was said is followed by hanging up, but only when it has been sent.
func ExampleSpeaker_Drain() {
	ctx := context.Background()
	speaker, err := media.NewSpeaker(media.SpeakerConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	agent, person := legs(media.LegConfig{AudioSource: speaker}, media.LegConfig{})
	defer agent.Close()
	defer person.Close()
	connect(agent, person)
	_, err = speaker.Play(ctx, make([]int16, 16000/10))
	fmt.Println(err, speaker.Drain(ctx), speaker.Queued(), "underruns:", speaker.Underruns())
	// Output: <nil> <nil> 0s underruns: 0
}

// A meter for what a leg receives, which decodes while it is wanted.
func ExampleNewMeter() {
	loud := make(chan float64, 1)
	meter := media.NewMeter(func() bool { return len(loud) == 0 }, func(level float64) {
		if level > 0.3 {
			select {
			case loud <- level:
			default:
			}
		}
	})
	tone, err := media.NewTone(440, -6)
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, callee := legs(media.LegConfig{AudioSource: tone}, media.LegConfig{Meter: meter})
	defer caller.Close()
	defer callee.Close()
	negotiate(caller, callee)
	fmt.Printf("%.1f\n", <-loud) // half of full scale, by the square root of two
	// Output: 0.4
}

// The media of this leg begins at the only address that it may.
func ExampleLeg_LocalAddresses() {
	caller, callee := legs(media.LegConfig{}, media.LegConfig{})
	defer caller.Close()
	defer callee.Close()
	fmt.Println(len(caller.LocalAddresses()), "before")
	connect(caller, callee)
	for _, a := range caller.LocalAddresses() {
		fmt.Println(a.IsLoopback())
	}
	// Output:
	// 0 before
	// true
}
