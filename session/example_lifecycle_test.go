package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// exampleGateway starts the embedded gateway, in memory, and returns the options
// that lead a client to it. With the real service they would be empty: a token
// names the address of its cluster.
func exampleGateway() (*sessiontest.Server, session.Options) {
	gw, err := sessiontest.Start(sessiontest.Options{InMemory: true})
	if err != nil {
		panic(err)
	}
	return gw, session.Options{
		APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), HTTPClient: gw.Client(), DPoPKey: sharedKey(),
	}
}

// annsToken plays the backend that mints her a token.
func annsToken(gw *sessiontest.Server, life time.Duration) session.Credential {
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", DisplayName: "Ann", TTL: life})
	return session.Credential{Token: sat.Token, ExpiresAt: sat.ExpiresAt}
}

// New starts nothing, so observers can be in place before the first event.
func ExampleNew() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()

	client, err := session.New(session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	watched := client.ObserveStatus().Subscribe(ctx, func(s session.Status) { fmt.Println(s) })

	if err := client.Connect(ctx); err != nil {
		fmt.Println(err)
	}
	_ = client.Close()
	<-watched.Done()
	// Output:
	// new
	// connecting
	// online
	// offline
	// closed
}

// Options that cannot work are refused before anything starts.
func ExampleNew_badOptions() {
	_, err := session.New(nil, session.Options{APIURL: "http://example.com"})
	var config *errs.ConfigError
	if errors.As(err, &config) {
		fmt.Println(config.Field)
	}
	fmt.Println(err)
	// Output:
	// APIURL
	// config APIURL: plain http would send the token in clear to example.com; use https
}

// Open is New, Connect and Register in one step.
func ExampleOpen() {
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
	fmt.Println(client.User().DisplayName, client.Status(), client.Registered())
	// Output: Ann online true
}

// Connect reports the first failure and leaves nothing running.
func ExampleClient_Connect() {
	gw, opts := exampleGateway()
	defer gw.Close()
	client, err := session.New(session.StaticCredentials(session.Credential{Token: "not a token"}), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	err = client.Connect(context.Background())
	var invalid *errs.InvalidCredentialsError
	if errors.As(err, &invalid) {
		fmt.Println(invalid.Reason)
	}
	fmt.Println(client.Status())
	// Output:
	// malformed-token
	// offline
}

// Disconnect ends the session, not the client: Connect begins another.
func ExampleClient_Disconnect() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	_ = client.Disconnect(ctx)
	fmt.Println(client.Status(), errors.Is(client.Err(), errs.ErrDisconnected))

	_ = client.Connect(ctx)
	fmt.Println(client.Status(), client.Err())
	// Output:
	// offline true
	// online <nil>
}

// After Close every observable has completed and no goroutine is left.
func ExampleClient_Close() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	events := client.ObserveSignalingEvents().Subscribe(ctx, func(*session.Event) {})

	fmt.Println(client.Close(), client.Close())
	<-events.Done()
	fmt.Println(client.Status(), errors.Is(client.Err(), errs.ErrClosed))
	// Output:
	// <nil> <nil>
	// closed true
}

// A session outlives its connections. Done is closed when it has ended for good,
// and Err says who ended it and why.
func ExampleClient_Err() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Second)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	<-client.Done() // nobody brings a fresh token
	var ended *errs.SessionEndedError
	if errors.As(client.Err(), &ended) {
		fmt.Println("ended by", ended.By, "because of", ended.Cause)
	}
	var invalid *errs.InvalidCredentialsError
	if errors.As(client.Err(), &invalid) && ended.Retryable {
		fmt.Println("the token is", invalid.Reason, "- connect again with another")
	}
	// Output:
	// ended by expiry because of token-expired
	// the token is expired - connect again with another
}

func ExampleClient_Done() {
	gw, opts := exampleGateway()
	defer gw.Close()
	client, err := session.Open(context.Background(), session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan struct{})
	go func() {
		<-client.Done()
		fmt.Println("over:", errors.Is(client.Err(), errs.ErrClosed))
		close(ended)
	}()
	_ = client.Close()
	<-ended
	// Output: over: true
}

// Register makes the subscriber reachable. A session that was opened without it
// can ask for it later.
func ExampleClient_Register() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	opts.SkipRegister = true
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	fmt.Println(client.Registered())

	if err := client.Register(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(client.Registered())
	// Output:
	// false
	// true
}

// Unregister ends the reachability, not the session.
func ExampleClient_Unregister() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	err = client.Unregister(ctx)
	fmt.Println(client.Registered(), client.Status(), err)
	// Output: false online <nil>
}

// Execute sends any request of the protocol, also one that the SDK has no method
// for.
func ExampleClient_Execute() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	var pong struct {
		Timestamp float64 `json:"timestamp"`
	}
	err = client.Execute(ctx, "signalwire.ping", map[string]any{"timestamp": time.Now().Unix()}, &pong)
	fmt.Println(pong.Timestamp > 0, err)

	err = client.Execute(ctx, "no.such.method", nil, nil)
	var refused *errs.JSONRPCError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code == errs.CodeMethodNotFound, refused.Message)
	}
	// Output:
	// true <nil>
	// true Method not found
}
