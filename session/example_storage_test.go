package session_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/callrx/callrx/session"
)

// What a client stores lets the next process go on with the same session: it
// needs no provider.
func ExampleNewFileStorage() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dir, err := os.MkdirTemp("", "callrx")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	opts.PersistSession = true
	if opts.Storage, err = session.NewFileStorage(dir); err != nil {
		fmt.Println(err)
		return
	}
	first, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	session1 := gw.Sessions()[0].Protocol
	_ = first.Close() // the process ends

	if opts.Storage, err = session.NewFileStorage(dir); err != nil {
		fmt.Println(err)
		return
	}
	second, err := session.Open(ctx, nil, opts) // another one begins
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = second.Close() }()
	fmt.Println(second.User().DisplayName, second.Status())
	fmt.Println("the same session:", gw.Sessions()[0].Protocol == session1)
	// Output:
	// Ann online
	// the same session: true
}

// In memory the same works from one client to the next, within a process.
func ExampleNewMemoryStorage() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx := context.Background()
	opts.PersistSession = true
	opts.Storage = session.NewMemoryStorage()

	for _, provider := range []session.CredentialProvider{session.StaticCredentials(annsToken(gw, time.Hour)), nil} {
		client, err := session.Open(ctx, provider, opts)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(client.User().DisplayName, client.Status())
		_ = client.Close()
	}
	// Output:
	// Ann online
	// Ann online
}
