package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A restart that nobody on the phone notices: the old process hands its calls over,
// and the new one takes them up from the same storage, here two clients in one.
// After a crash it is the same, but for the five seconds until the old process is
// known to be gone.
func ExampleClient_Handover() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		panic(err)
	}
	defer gw.Close()
	opts := session.Options{
		APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), DPoPKey: sharedKey(),
		PersistSession: true, Storage: session.NewMemoryStorage(), // NewFileStorage in earnest
	}
	old, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		panic(err)
	}
	call, err := old.Dial(ctx, "/public/tone", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		panic(err)
	}
	untilConnected(ctx, call)
	fmt.Println("handed over:", old.Handover(ctx))

	opts.ReconnectAttachedCalls = true
	opts.ReattachMedia = func(k *session.Call) session.MediaOptions {
		fmt.Println("taken up: the", k.Direction(), "call to", k.To().URI)
		return onLoopbackOnly() // and its sources and sinks
	}
	next, err := session.Open(ctx, nil, opts)
	if err != nil {
		panic(err)
	}
	defer func() { _ = next.Close() }()
	calls, err := next.ObserveCalls().Wait(ctx, func(calls []*session.Call) bool { return len(calls) == 1 })
	if err != nil {
		panic(err)
	}
	untilConnected(ctx, calls[0])
	fmt.Println("the same call:", calls[0].ID() == call.ID())
	// Output:
	// handed over: <nil>
	// taken up: the outbound call to /public/tone
	// the same call: true
}

// Two processes over one storage: the calls of the one that is alive are its own,
// and the other is told.
func ExampleOptions_reconnectAttachedCalls() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		panic(err)
	}
	defer gw.Close()
	opts := session.Options{
		APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), DPoPKey: sharedKey(),
		PersistSession: true, Storage: session.NewMemoryStorage(), ReconnectAttachedCalls: true,
	}
	first, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		panic(err)
	}
	defer func() { _ = first.Close() }()
	call, err := first.Dial(ctx, "/public/tone", session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		panic(err)
	}
	untilConnected(ctx, call)

	second, err := session.New(session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		panic(err)
	}
	defer func() { _ = second.Close() }()
	refused := observable.Select[*errs.CallOwnedError](second.ObserveErrors())
	if err := second.Connect(ctx); err != nil {
		panic(err)
	}
	owned, err := refused.Wait(ctx, nil)
	fmt.Println("another process has this call:", owned.CallID == call.ID(), err)
	fmt.Println(len(second.Calls()), "calls here,", call.Status(), "there")
	// Output:
	// another process has this call: true <nil>
	// 0 calls here, connected there
}

// A call that cannot be taken up is told of with its id and the reason.
func ExampleOptions_reconnectAttachedCalls_gone() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	opts.PersistSession, opts.ReconnectAttachedCalls = true, true
	storage := session.NewMemoryStorage()
	opts.Storage = storage
	ann := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann", TTL: time.Hour})
	client, err := session.New(session.StaticCredentials(session.Credential{Token: ann.Token}), opts)
	if err != nil {
		panic(err)
	}
	defer func() { _ = client.Close() }()
	failed := observable.Select[*errs.AttachError](client.ObserveErrors())

	// What an earlier process left of a call that the service has ended since.
	record := fmt.Sprintf(`{"c-1":{"destination":"/public/tone","direction":"outbound","to":{"uri":"/public/tone"},
		"mediaDirections":{"audio":"sendrecv"},"attachedAt":%d}}`, time.Now().UnixMilli())
	key := "sw:" + ann.SubscriberID + ":att"
	if err := storage.Set(ctx, session.ScopePersistent, key, []byte(record)); err != nil {
		panic(err)
	}
	if err := client.Connect(ctx); err != nil {
		panic(err)
	}
	gone, err := failed.Wait(ctx, nil)
	if err != nil {
		panic(err)
	}
	var refused *errs.JSONRPCError
	fmt.Println(gone.CallID, errors.As(gone, &refused) && refused.Code == -32002)
	// Output:
	// c-1 true
}
