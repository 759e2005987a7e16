package session_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/callrx/callrx/session"
)

// A call fails, and the bundle for the ticket says what happened.
func ExampleClient_ExportDiagnostics() {
	ctx := context.Background()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()
	if _, err := clients[0].Dial(ctx, "/public/fail", session.DialOptions{MediaOptions: onLoopbackOnly()}); err == nil {
		panic("it was taken")
	}

	d := clients[0].ExportDiagnostics()
	for _, e := range d.Events {
		if e.Event == "status" {
			fmt.Println(e.Category, e.Details["from"], "→", e.Details["to"])
		}
	}
	for _, c := range d.Calls {
		fmt.Println(c.Direction, "call to", c.Destination, c.Status+":", c.Cause, "by", c.EndedBy)
	}
	_, err := json.Marshal(d)
	fmt.Println("written:", err == nil)
	// Output:
	// connection new → connecting
	// connection connecting → online
	// call new → failed
	// call failed → destroyed
	// outbound call to /public/fail failed: NORMAL_TEMPORARY_FAILURE by remote
	// written: true
}
