package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// exampleCallers starts a gateway and signs in a client for each name. Media
// stays on loopback.
func exampleCallers(ctx context.Context, names ...string) (clients []*session.Client, gw *sessiontest.Server, end func()) {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		sat := gw.IssueSAT(sessiontest.SATRequest{Reference: name, TTL: time.Hour})
		c, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}), session.Options{
			APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client(), DPoPKey: sharedKey(),
		})
		if err != nil {
			panic(err)
		}
		clients = append(clients, c)
	}
	return clients, gw, func() {
		for _, c := range clients {
			_ = c.Close()
		}
		gw.Close()
	}
}

// onLoopbackOnly is for a gateway in the same process. A program that calls the
// service needs no such thing.
func onLoopbackOnly() session.MediaOptions {
	return session.MediaOptions{SettingEngine: loopbackMedia}
}

// exampleCall connects the first client to the second, named "bob".
func exampleCall(ctx context.Context, ann, bob *session.Client, from, to session.MediaOptions) (out, in *session.Call) {
	incoming := bob.ObserveIncoming()
	out, err := ann.Dial(ctx, "/private/bob", session.DialOptions{MediaOptions: from})
	if err != nil {
		panic(err)
	}
	if in, err = incoming.Wait(ctx, nil); err != nil {
		panic(err)
	}
	if err := in.Answer(ctx, to); err != nil {
		panic(err)
	}
	untilConnected(ctx, out)
	untilConnected(ctx, in)
	return out, in
}

func untilConnected(ctx context.Context, k *session.Call) {
	if _, err := k.ObserveStatus().Wait(ctx, func(s session.CallStatus) bool { return s == session.CallStatusConnected }); err != nil {
		panic(err)
	}
}

// callAndRecord calls to, plays message, an Ogg file of Opus, and records what
// comes back, a WAV file, until ctx or the call ends.
func callAndRecord(ctx context.Context, client *session.Client, to string, o session.DialOptions, message io.Reader, recording io.Writer) (err error) {
	if o.AudioSource, err = media.NewOggSource(message, nil); err != nil {
		return err
	}
	if o.AudioSink, err = media.NewWAVSink(recording, 16000, 1); err != nil {
		return err
	}
	call, err := client.Dial(ctx, to, o)
	if err != nil {
		return err // an *errs.CallCreateError: busy, rejected, no such address, time-out …
	}
	select {
	case <-call.Done():
		return call.Err() // an *errs.CallEndedError: who ended it, and why
	case <-ctx.Done():
		return call.Hangup(context.WithoutCancel(ctx))
	}
}

// An Ogg file goes out as it is, and what comes back is decoded. No cgo is
// needed for either.
func ExampleClient_Dial() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()
	message, err := os.ReadFile("../testdata/media/speech.ogg")
	if err != nil {
		panic(err)
	}

	var recording bytes.Buffer
	short, enough := context.WithTimeout(ctx, 2*time.Second)
	defer enough()
	o := session.DialOptions{MediaOptions: onLoopbackOnly()}
	err = callAndRecord(short, clients[0], "/public/echo", o, bytes.NewReader(message), &recording)
	fmt.Println("echo:", err)
	fmt.Println("a second and more of it is recorded:", recording.Len() > 2*16000)

	err = callAndRecord(ctx, clients[0], "/private/nobody", o, bytes.NewReader(message), io.Discard)
	var failed *errs.CallCreateError
	if errors.As(err, &failed) {
		fmt.Println("nobody:", failed.Reason)
	}
	// Output:
	// echo: <nil>
	// a second and more of it is recorded: true
	// nobody: no such address
}

// A softphone that is in use turns everybody else down.
func ExampleClient_ObserveIncoming() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	ann, bob := clients[0], clients[1]

	bob.ObserveIncoming().Subscribe(ctx, func(call *session.Call) {
		fmt.Println("bob is called by", call.From().Name)
		if err := call.Reject(ctx); err != nil {
			fmt.Println(err)
		}
	})
	call, err := ann.Dial(ctx, "/private/bob", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-call.Done()
	why := call.EndReason()
	fmt.Println("ann's call was ended by", why.By, why.Cause, why.Code == errs.CauseUserBusy)
	// Output:
	// bob is called by ann
	// ann's call was ended by remote USER_BUSY true
}

// An inbound call rings until it is answered or rejected.
func ExampleCall_Answer() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	ann, bob := clients[0], clients[1]

	incoming := bob.ObserveIncoming() // nothing is missed from here on
	if _, err := ann.Dial(ctx, "/private/bob", session.DialOptions{MediaOptions: onLoopbackOnly()}); err != nil {
		fmt.Println(err)
		return
	}
	call, err := incoming.Wait(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.Direction(), "from", call.From().Name, "is", call.Status())
	fmt.Println("answered:", call.Answer(ctx, onLoopbackOnly()))
	for status := range call.ObserveStatus().Seq(ctx) {
		if status == session.CallStatusConnected {
			fmt.Println("now", status)
			break
		}
	}
	var late *errs.InvalidStateTransitionError
	fmt.Println("twice:", errors.As(call.Answer(ctx, onLoopbackOnly()), &late))
	// Output:
	// inbound from ann is ringing
	// answered: <nil>
	// now connected
	// twice: true
}

// Both ends learn who hung up, as a typed error.
func ExampleCall_Hangup() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	out, in := exampleCall(ctx, clients[0], clients[1], onLoopbackOnly(), onLoopbackOnly())

	fmt.Println(out.Hangup(ctx), out.Hangup(ctx)) // again: no harm
	fmt.Println("ann:", out.Err())
	<-in.Done()
	var ended *errs.CallEndedError
	if errors.As(in.Err(), &ended) {
		fmt.Println("bob:", ended.By, ended.Cause, ended.Code, "retry:", ended.Retryable)
	}
	fmt.Println(out.Status(), in.Status(), len(clients[0].Calls()))
	// Output:
	// <nil> <nil>
	// ann: call ended by local: NORMAL_CLEARING (16)
	// bob: remote NORMAL_CLEARING 16 retry: false
	// destroyed destroyed 0
}

// Keys that one end presses arrive at the other.
func ExampleCall_SendDigits() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	out, in := exampleCall(ctx, clients[0], clients[1], onLoopbackOnly(), onLoopbackOnly())

	digits := in.ObserveDigits()
	if err := out.SendDigits(ctx, "42#"); err != nil {
		fmt.Println(err)
	}
	for digit := range digits.Seq(ctx) {
		fmt.Printf("bob hears %c\n", digit.Value)
		if digit.Value == '#' {
			break
		}
	}
	fmt.Println(out.SendDigits(ctx, "42 please"))
	// Output:
	// bob hears 4
	// bob hears 2
	// bob hears #
	// invalid parameter digits: hold ' ': want 0-9, *, #, A-D, w or W
}

// On hold neither side hears the other, and the call goes on.
func ExampleCall_Hold() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	sends, hears := onLoopbackOnly(), onLoopbackOnly()
	sends.AudioSource, _ = media.NewTone(440, -20)
	listener, _ := media.NewListener(16000, 1)
	hears.AudioSink = listener
	out, _ := exampleCall(ctx, clients[0], clients[1], sends, hears)

	// until reads what bob hears until it is a sound, or is none.
	until := func(sound bool) string {
		for range listener.Frames(ctx) {
			if listener.Level() > -50 == sound {
				return "as expected"
			}
		}
		return "never"
	}
	fmt.Println("bob hears ann:", until(true))
	fmt.Println(out.Hold(ctx), out.Held(), "bob hears nothing:", until(false))
	fmt.Println(out.ToggleHold(ctx), out.Held(), "bob hears ann:", until(true))
	fmt.Println(out.Unhold(ctx), "changes nothing")
	// Output:
	// bob hears ann: as expected
	// <nil> true bob hears nothing: as expected
	// <nil> false bob hears ann: as expected
	// <nil> changes nothing
}
