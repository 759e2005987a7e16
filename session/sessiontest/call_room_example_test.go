package sessiontest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/callrx/callrx/session/sessiontest"
)

// A bot speaks, another listens and speaks back; whoever dials the room meets both.
func ExampleServer_Join() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()

	listener, err := gw.Join("/public/lobby", sessiontest.BotOptions{Name: "Noor"})
	if err != nil {
		fmt.Println(err)
		return
	}
	speaker, err := gw.Join("/public/lobby", sessiontest.BotOptions{
		Name: "Mara",
		Script: func(ctx context.Context, b *sessiontest.Bot) {
			b.RaiseHand(true)
			_ = b.Tone(ctx, 440, time.Second)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	pcm, err := listener.Hear(context.Background(), 500*time.Millisecond)
	fmt.Println(len(pcm), err)
	<-speaker.Done() // its script is over
	listener.Leave()
	for _, c := range gw.Calls() {
		fmt.Println(c.Destination, c.State, c.EndedBy)
	}
	// Output:
	// 4000 <nil>
	// /public/lobby ended client
	// /public/lobby ended client
}

func ExampleServer_UpdateRoom() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	d, err := dial(gw, "/public/lobby")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()

	fmt.Println(gw.UpdateRoom("/public/lobby", func(r *sessiontest.RoomState) { r.Recording, r.Locked = true, true }))
	fmt.Println(gw.UpdateRoom("/public/lobby", func(r *sessiontest.RoomState) { r.Layout = "round" }))
	_, err = gw.Join("/public/lobby", sessiontest.BotOptions{})
	fmt.Println(err)
	fmt.Println(len(gw.Journal().Sent("call.updated")), len(gw.Journal().Sent("room.updated")))
	// Output:
	// <nil>
	// sessiontest: there is no layout round
	// sessiontest: /public/lobby is locked
	// 1 1
}

func ExampleServer_SetRole() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	gw.SetRole("/public/lobby", "", sessiontest.RoleAudience)
	d, err := dial(gw, "/public/lobby") // joins with the capabilities of the audience
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()

	fmt.Println(gw.SetCapabilities("c-1", "self", "member.mute.audio.on")) // and is given others
	fmt.Println(len(gw.Journal().Call("c-1").Sent("call.joined")))
	// Output:
	// true
	// 2
}

func ExampleServer_ConnectCall() {
	gw, _ := sessiontest.Start(sessiontest.Options{InMemory: true})
	defer gw.Close()
	d, err := dial(gw, "/public/lobby")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.close()

	fmt.Println(gw.ConnectCall("c-1", "/public/side"), gw.ReturnCall("c-1"), gw.ReturnCall("c-1"))
	for _, e := range gw.Journal().Call("c-1").Sent("") {
		if e.Event == "call.joined" || e.Event == "call.left" {
			fmt.Println(e.Event)
		}
	}
	// Output:
	// <nil> true false
	// call.joined
	// call.joined
	// call.left
	// call.joined
}
