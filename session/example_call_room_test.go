package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A call that is taken on into another room is in both, and goes back when it leaves
// the inner one.
func ExampleCall_ObserveCallJoined() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, gw, end := exampleRoom(ctx, "ann")
	defer end()
	call := calls[0]

	joins, leaves, news := call.ObserveCallJoined(), call.ObserveCallLeft(), call.ObserveCallUpdated()
	if err := gw.ConnectCall(call.ID(), "/public/side"); err != nil {
		fmt.Println(err)
	}
	if e, err := joins.Wait(ctx, nil); err == nil {
		fmt.Println("in", e.Room.Name, "with", len(e.Room.Members), "itself:", e.MemberID == call.SelfID(), e.CallID == call.ID())
	}
	gw.ReturnCall(call.ID())
	if e, err := leaves.Wait(ctx, nil); err == nil {
		fmt.Println("left", e.Room.Name, e.Reason)
	}
	if _, err := joins.Wait(ctx, func(e *session.RoomEvent) bool { return e.Room.Name == "lobby" }); err != nil {
		fmt.Println(err)
	}
	fmt.Println(call.SetLocked(ctx, true))
	if e, err := news.Wait(ctx, nil); err == nil {
		fmt.Println(e.Room.Name, "locked:", e.Room.Locked)
	}
	// Output:
	// in side with 1 itself: true true
	// left side returned
	// <nil>
	// lobby locked: true
}

// What a room tells about itself.
func ExampleCall_ObserveRecording() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, gw, end := exampleRoom(ctx, "ann")
	defer end()
	call := calls[0]

	fmt.Println(call.Recording(), call.Streaming(), call.RaiseHandPriority(), len(call.Meta()))
	err := gw.UpdateRoom("/public/lobby", func(r *sessiontest.RoomState) {
		r.Recording, r.Streaming, r.PrioritizeHandRaise = true, true, true
		r.Meta = map[string]any{"topic": "tea"}
	})
	fmt.Println(err, until(ctx, call.ObserveRecording(), true), until(ctx, call.ObserveStreaming(), true))
	fmt.Println(until(ctx, call.ObserveRaiseHandPriority(), true), call.Meta()["topic"])
	// Output:
	// false false false 0
	// <nil> true true
	// true tea
}

// Where everybody is on the canvas, in percent of it, with each change.
func ExampleCall_ObserveLayoutUpdates() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann", "bob")
	defer end()
	call := calls[0]

	updates := call.ObserveLayoutUpdates()
	fmt.Println(call.RefreshLayouts(ctx), slices.Contains(call.Layouts(), "2x1"))
	fmt.Println(call.SetLayout(ctx, "2x1", nil))
	e, err := updates.Wait(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Layout, len(e.Layers))
	for _, l := range call.LayoutLayers() {
		fmt.Println(call.Participant(l.MemberID).Name(), l.Position, l.X, l.Y, l.Width, l.Height)
	}
	// Output:
	// <nil> true
	// <nil>
	// 2x1 2
	// ann standard-1 0 0 50 100
	// bob standard-2 50 0 50 100
}

// How the service sees the legs of a call: their states, bridges to elsewhere, and what
// it plays.
func ExampleCall_ObserveCallStates() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, gw, end := exampleRoom(ctx, "ann")
	defer end()
	call := calls[0]

	states, bridges, plays := call.ObserveCallStates(), call.ObserveCallConnects(), call.ObserveCallPlays()
	if err := gw.ConnectCall(call.ID(), "/public/side"); err != nil {
		fmt.Println(err)
	}
	for e := range bridges.Seq(ctx) {
		fmt.Println("bridge", e.State)
		if e.State == "connected" {
			break
		}
	}
	_, _ = gw.SendEvent("ann", "call.play", nil, map[string]any{"call_id": call.ID(), "control_id": "ctl-1", "state": "playing"})
	if e, err := plays.Wait(ctx, nil); err == nil {
		fmt.Println(e.ControlID, e.State)
	}
	_, _ = gw.SendEvent("ann", "call.state", nil, map[string]any{"call_id": call.ID(), "call_state": "answered", "direction": "inbound"})
	if e, err := states.Wait(ctx, nil); err == nil {
		fmt.Println("leg", e.State, e.Direction)
	}
	// Output:
	// bridge connecting
	// bridge connected
	// ctl-1 playing
	// leg answered inbound
}

// A call shares a screen and sends further cameras, each a leg of its own that ends by
// itself or with the call.
func ExampleCall_ShareScreen() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	calls, _, end := exampleRoom(ctx, "ann")
	defer end()
	call := calls[0]

	screen, err := call.ShareScreen(ctx, media.NewTestPattern(), onLoopbackOnly())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = call.ShareScreen(ctx, media.NewTestPattern(), onLoopbackOnly())
	var twice *errs.InvalidStateTransitionError
	fmt.Println("a second one:", errors.As(err, &twice))
	fmt.Println("stopped:", screen.Stop(ctx), screen.Err())

	camera, err := call.AddVideo(ctx, media.NewTestPattern(), onLoopbackOnly())
	if err != nil {
		fmt.Println(err)
		return
	}
	another, err := call.Self().AddAdditionalDevice(ctx, media.NewTestPattern(), onLoopbackOnly())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.Self().RemoveAdditionalDevice(ctx, another.ID()))
	fmt.Println(call.Hangup(ctx))
	<-camera.Done()
	fmt.Println("the camera:", camera.Err())
	// Output:
	// a second one: true
	// stopped: <nil> <nil>
	// <nil>
	// <nil>
	// the camera: call ended by local: NORMAL_CLEARING (16)
}

// A meter for what comes in. It decodes only while somebody observes it.
func ExampleCall_ObserveRemoteAudioLevel() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()
	o := onLoopbackOnly()
	o.AudioSource, _ = media.NewTone(440, -20)
	call, err := clients[0].Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: o})
	if err != nil {
		fmt.Println(err)
		return
	}
	sine := func(level float64) bool { return level > 0.06 && level < 0.08 } // -20 dBFS is a tenth, and its mean 0.07
	_, err = call.ObserveLocalAudioLevel().Wait(ctx, sine)
	fmt.Println("sent:", err)
	_, err = call.ObserveRemoteAudioLevel().Wait(ctx, sine)
	fmt.Println("received:", err)
	// Output:
	// sent: <nil>
	// received: <nil>
}

// A call on a thin line does without pictures for a while, and without sound. After the
// network has changed it looks for other paths.
func ExampleCall_ToggleIncomingVideo() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()
	o := onLoopbackOnly()
	o.VideoSource = media.NewTestPattern()
	call, err := clients[0].Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: o})
	if err != nil {
		fmt.Println(err)
		return
	}
	untilConnected(ctx, call)
	fmt.Println(call.ToggleIncomingVideo(ctx), call.Directions().Video)
	fmt.Println(call.ToggleIncomingAudio(ctx), call.Directions().Audio)
	fmt.Println(call.ToggleIncomingVideo(ctx), call.Directions().Video)
	fmt.Println(until(ctx, call.ObserveDirections(), media.Directions{Audio: media.SendOnly, Video: media.SendRecv}))
	fmt.Println(call.RestartICE(ctx), call.RequestKeyframe())
	// Output:
	// <nil> sendonly
	// <nil> sendonly
	// <nil> sendrecv
	// {sendonly sendrecv}
	// <nil> <nil>
}

// A receptionist answers, and connects the caller to somebody else.
func ExampleCall_Transfer() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	out, in := exampleCall(ctx, clients[0], clients[1], onLoopbackOnly(), onLoopbackOnly())

	joined, said := out.ObserveEvents(), in.ObserveWebRTCMessages()
	fmt.Println(in.Transfer(ctx, "/public/tone"))
	<-in.Done()
	fmt.Println("bob's call:", in.Err())
	for e := range said.Seq(ctx) {
		fmt.Println("as the service said:", strings.Contains(string(e.Payload), `"NORMAL_CLEARING"`))
	}
	_, err := joined.Wait(ctx, func(e *session.Event) bool { return e.Type == "call.joined" })
	fmt.Println("ann's call goes on:", err, out.Status())
	// Output:
	// <nil>
	// bob's call: call ended by remote: NORMAL_CLEARING (16)
	// as the service said: true
	// ann's call goes on: <nil> connected
}

// Variables travel with a call, both ways. And a call knows the address of its other
// side.
func ExampleCall_UserVariables() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	incoming := clients[1].ObserveIncoming()
	out, err := clients[0].Dial(ctx, "/private/bob", session.DialOptions{
		MediaOptions: onLoopbackOnly(), UserVariables: map[string]any{"order": "42"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	in, err := incoming.Wait(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("bob sees order", in.UserVariables()["order"])
	out.MergeUserVariables(map[string]any{"urgent": true}) // with the next message
	fmt.Println("ann's are", len(out.UserVariables()))
	_, err = out.ObserveUserVariables().Wait(ctx, func(v map[string]any) bool { return v["urgent"] == true })
	fmt.Println("observed:", err)
	if from, err := in.Address(ctx); err == nil {
		fmt.Println(from.DisplayName(), "calls")
	}
	// Output:
	// bob sees order 42
	// ann's are 2
	// observed: <nil>
	// ann calls
}
