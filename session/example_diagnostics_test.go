package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
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

// Before the first call of the day: would it go well?
func ExampleClient_Preflight() {
	ctx := context.Background()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()

	result, err := clients[0].Preflight(ctx, "/public/echo", session.PreflightOptions{
		MediaOptions: onLoopbackOnly(), Duration: 2 * time.Second,
	})
	if err != nil { // an *errs.PreflightError: which phase failed, and why
		fmt.Println(err)
	}
	fmt.Println("requests answered:", result.Signaling.Samples)
	for _, s := range result.Connectivity.Servers {
		fmt.Println("relay over", s.Protocol, "works:", s.Err == nil)
	}
	b := result.Bandwidth
	fmt.Println("media arrives:", b.Download > 50_000, "loss:", b.DownloadLoss, "path:", b.Path)
	fmt.Println("all good:", result.OK, result.Warnings)
	// Output:
	// requests answered: 5
	// relay over udp works: true
	// relay over tcp works: true
	// media arrives: true loss: 0 path: host-host/udp
	// all good: true []
}

// The phases, as they go by.
func ExampleClient_ObservePreflight() {
	ctx := context.Background()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()
	seen := clients[0].ObservePreflight().Subscribe(ctx, func(p session.PreflightProgress) {
		if p.Done {
			fmt.Println(p.Phase, "done, failed:", p.Err != nil)
		}
	})

	_, err := clients[0].Preflight(ctx, "/public/busy", session.PreflightOptions{MediaOptions: onLoopbackOnly()})
	var failed *errs.PreflightError
	fmt.Println(errors.As(err, &failed), failed.Phase)
	_ = clients[0].Close()
	<-seen.Done()
	// Unordered output:
	// signaling done, failed: false
	// devices done, failed: false
	// ice done, failed: false
	// media done, failed: true
	// true media
}
