package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// refreshFails opens a client whose first refresh is answered 503. It is bound
// to end with the program's help only: there is one attempt.
func refreshFails() (*session.Client, func()) {
	gw, opts := exampleGateway()
	gw.Inject(sessiontest.Fault{
		Match:  sessiontest.Match{Path: "/api/fabric/subscriber/devices/refresh"},
		Action: sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 503},
	})
	opts.Refresh.MaxAttempts = 1
	sat := gw.IssueSAT(sessiontest.SATRequest{
		Reference: "ann", TTL: 3 * time.Second, Scope: "sat:refresh", Fingerprint: sharedKey().Fingerprint(),
	})
	client, err := session.Open(context.Background(), session.StaticCredentials(session.Credential{Token: sat.Token}), opts)
	if err != nil {
		panic(err)
	}
	return client, func() { _ = client.Close(); gw.Close() }
}

// Errors arrive as values, so rxgo's operators see them: Filter, with errors.As
// inside, picks the failed refreshes.
func ExampleClient_ObserveErrors() {
	client, end := refreshFails()
	defer end()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	failed := client.ObserveErrors().Filter(func(v any) bool {
		var refresh *errs.TokenRefreshError
		return errors.As(v.(error), &refresh)
	})
	item := <-failed.Observe(rxgo.WithContext(ctx))
	var answer *errs.HTTPError
	if errors.As(item.V.(error), &answer) {
		fmt.Println("the refresh endpoint answered", answer.Status)
	}
	fmt.Println("and the session is", client.Status())
	// Output:
	// the refresh endpoint answered 503
	// and the session is online
}

// Select does the same with types.
func ExampleClient_ObserveErrors_select() {
	client, end := refreshFails()
	defer end()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	for e := range observable.Select[*errs.TokenRefreshError](client.ObserveErrors()).Seq(ctx) {
		fmt.Println(e.Mechanism, "attempt", e.Attempt, "final", e.Final)
		fmt.Println(time.Until(e.ExpiresAt) > 0, "- there is time to bring a token")
		break
	}
	// Output:
	// client-bound attempt 1 final true
	// true - there is time to bring a token
}

// Ready tells whether requests reach the service now. A lost connection is
// replaced; the session, and the loop, go on.
func ExampleClient_ObserveReady() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	changes := 0
	for ready := range client.ObserveReady().Seq(ctx) {
		fmt.Println("ready:", ready, "session:", client.Connected())
		switch changes++; changes {
		case 1:
			gw.Drop("ann") // the network fails
		case 3:
			cancel()
		}
	}
	// Output:
	// ready: true session: true
	// ready: false session: true
	// ready: true session: true
}

// Every signalling event is delivered, in order, also one that the SDK does not
// know.
func ExampleClient_ObserveSignalingEvents() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	events := client.ObserveSignalingEvents()
	for _, text := range []string{"one", "two"} {
		if _, err := gw.SendEvent("ann", "weather.changed", nil, map[string]string{"report": text}); err != nil {
			fmt.Println(err)
		}
	}
	for e := range events.Seq(ctx) {
		fmt.Println(e.Type, string(e.Payload))
		if strings.Contains(string(e.Payload), "two") {
			break
		}
	}
	// Output:
	// weather.changed {"report":"one"}
	// weather.changed {"report":"two"}
}

// The tap shows the wire, with secrets replaced by fingerprints.
func ExampleOptions_wireTap() {
	gw, opts := exampleGateway()
	defer gw.Close()
	var mu sync.Mutex
	var first string
	opts.WireTap = func(f session.WireFrame) {
		mu.Lock()
		defer mu.Unlock()
		if first == "" && f.Outgoing {
			first = f.Text
		}
	}
	credential := annsToken(gw, time.Hour)
	client, err := session.Open(context.Background(), session.StaticCredentials(credential), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	mu.Lock()
	defer mu.Unlock()
	fmt.Println("connect:", strings.Contains(first, `"signalwire.connect"`))
	fmt.Println("token:", strings.Contains(first, credential.Token))
	// Output:
	// connect: true
	// token: false
}

// Events that the service sends on request only come as streams of one type. A
// stream ends with its call.
func ExampleCall_Subscribe() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, gw, end := exampleCallers(ctx, "ann")
	defer end()
	gw.ScriptCalls(sessiontest.CallScript{RefuseEvents: []string{"ai.completion"}})
	call, err := clients[0].Dial(ctx, "/public/echo", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		fmt.Println(err)
		return
	}
	untilConnected(ctx, call)

	events, err := call.Subscribe(ctx, "user_event")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, mood := range []string{"good", "better"} { // as a script at the service would
		_, _ = gw.SendEvent("ann", "user_event", nil, map[string]any{"call_id": call.ID(), "mood": mood})
	}
	for e := range events.Seq(ctx) {
		var event struct{ Mood string }
		_ = json.Unmarshal(e.Payload, &event)
		fmt.Println(e.Type, event.Mood)
		if event.Mood == "better" {
			break
		}
	}
	_, err = call.Subscribe(ctx, "ai.completion")
	var denied *errs.UnauthorizedEventError
	fmt.Println(errors.As(err, &denied), err)
	// Output:
	// user_event good
	// user_event better
	// true subscribe to ai.completion: not authorized
}
