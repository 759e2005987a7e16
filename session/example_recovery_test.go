package session_test

import (
	"context"
	"fmt"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A call's recovery makes good a restart that the service refused, which had taken
// the old paths with it.
func ExampleCall_ObserveRecoveryEvents() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	clients, gw, end := exampleCallers(ctx, "ann")
	defer end()
	call, err := clients[0].Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		panic(err)
	}
	untilConnected(ctx, call)
	events := call.ObserveRecoveryEvents()
	gw.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{Verto: "verto.modify"},
		Action: sessiontest.Action{Kind: sessiontest.FaultVertoError, Code: -32600},
	})
	if err := call.RestartICE(ctx); err != nil {
		fmt.Println("refused")
	}
	for e := range events.Seq(ctx) { // those of the program's own restart, and what the call did about it
		fmt.Printf("%s %q\n", e.Action, e.Means)
		if e.Action == session.RecoveryReinviteSucceeded {
			break
		}
	}
	// Output:
	// refused
	// call_recovering ""
	// reinvite_started "new_paths"
	// reinvite_failed "new_paths"
	// reinvite_started "new_paths"
	// reinvite_succeeded "new_paths"
}

func ExampleCall_ObserveStats() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()
	call, err := clients[0].Dial(ctx, "/public/tone", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		panic(err)
	}
	for s := range call.ObserveStats(time.Second).Seq(ctx) {
		fmt.Println(s.State, s.Loss, "% lost, round trip in time:", s.RoundTrip < time.Second)
		break
	}
	fmt.Println("healthy:", call.NetworkHealthy(), len(call.NetworkIssues()), "issues", call.RecoveryState())
	fmt.Println("excellent or good:", call.Quality() <= media.QualityGood)
	metrics, err := call.ObserveNetworkMetrics().Wait(ctx, func(m []media.NetworkMetrics) bool { return len(m) > 0 })
	fmt.Println("measured:", len(metrics) > 0, err)
	fmt.Println("video withheld for want of bandwidth:", call.BandwidthConstrained())
	// Output:
	// connected 0 % lost, round trip in time: true
	// healthy: true 0 issues idle
	// excellent or good: true
	// measured: true <nil>
	// video withheld for want of bandwidth: false
}
