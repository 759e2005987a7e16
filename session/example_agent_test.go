package session_test

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
)

// attend is a voice agent: it answers a call, says something, and stops at once
// when the caller speaks; the # key ends the call. A real one gives the frames to
// speech recognition, and what it has to say to voice.Play, in pieces of any size.
func attend(ctx context.Context, call *session.Call, o session.MediaOptions, greeting []int16, log func(...any)) error {
	ears, err := media.NewListener(16000, 1)
	if err != nil {
		return err
	}
	voice, err := media.NewSpeaker(media.SpeakerConfig{Rate: 16000})
	if err != nil {
		return err
	}
	o.AudioSink, o.AudioSource = ears, voice
	if err := call.Answer(ctx, o); err != nil {
		return err
	}
	call.ObserveDigits().Subscribe(ctx, func(d media.Digit) {
		if d.Value == '#' {
			_ = call.Hangup(ctx)
		}
	})
	if _, err := voice.Play(ctx, greeting); err != nil {
		return err
	}
	for range ears.Frames(ctx) { // 20 ms each, until the call ends
		if voice.Queued() > 0 && ears.Level() > -40 {
			cut := voice.Flush()
			log("interrupted, with something said:", cut.Played > 0, "and more to say:", cut.Discarded > 0)
		}
	}
	return call.Err()
}

// A voice agent that lets itself be interrupted.
func Example_voiceAgent() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	ann, bob := clients[0], clients[1]

	greeting := make([]int16, 10*16000) // ten seconds of a hum
	for i := range greeting {
		greeting[i] = int16(8000 * math.Sin(2*math.Pi*300*float64(i)/16000))
	}
	interrupted := make(chan struct{}, 10)
	log := func(text ...any) { fmt.Println(text...); interrupted <- struct{}{} }
	bob.ObserveIncoming().Subscribe(ctx, func(call *session.Call) {
		fmt.Println("agent:", attend(ctx, call, onLoopbackOnly(), greeting, log))
		cancel()
	})

	ears, _ := media.NewListener(16000, 1)
	voice, _ := media.NewSpeaker(media.SpeakerConfig{})
	o := session.DialOptions{MediaOptions: onLoopbackOnly()}
	o.AudioSink, o.AudioSource = ears, voice
	call, err := ann.Dial(ctx, "/private/bob", o)
	if err != nil {
		fmt.Println(err)
		return
	}
	hears := func(sound bool) {
		for range ears.Frames(ctx) {
			if ears.Level() > -40 == sound {
				return
			}
		}
	}
	hears(true)
	_, _ = voice.Play(ctx, greeting[:16000/2]) // she interrupts it
	<-interrupted
	hears(false)
	_ = call.SendDigits(ctx, "#")
	<-ctx.Done()
	// Output:
	// interrupted, with something said: true and more to say: true
	// agent: call ended by local: NORMAL_CLEARING (16)
}
