package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A test that wants to be sure of the order of what it sees has it checked. The
// checker names the first event that breaks one of the rules of package session.
func Example_order() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()

	var order sessiontest.SessionOrder
	clients[0].ObserveSignalingEvents().Subscribe(ctx, func(e *session.Event) { order.Saw(e.Sequence, e.Type, e.Payload) })
	call, err := clients[0].Dial(ctx, "/public/lobby", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		fmt.Println(err)
		return
	}
	untilConnected(ctx, call)
	_ = call.Hangup(ctx)
	fmt.Println("in order:", order.Err() == nil)

	var made sessiontest.CallOrder
	made.Saw(7, "call.joined", []byte(`{"call_id":"c","room_session_id":"r"}`))
	made.Saw(9, "member.joined", []byte(`{"room_session_id":"r"}`))
	made.Saw(8, "member.left", []byte(`{"room_session_id":"r"}`))
	var broken *sessiontest.OrderError
	if errors.As(made.Err(), &broken) {
		fmt.Println(broken.Rule, broken)
	}
	// Output:
	// in order: true
	// 2 order rule 2: event 2 (member.left, sequence 8) comes after sequence 9
}
