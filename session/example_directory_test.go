package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
)

// The address book shows whom one can call, a page at a time.
func ExampleClient_Directory() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()

	directory := clients[0].Directory()
	for directory.HasMore() {
		if err := directory.LoadMore(ctx); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, a := range directory.Addresses() {
		if a.Type() == session.ResourceSubscriber {
			fmt.Println(a.DisplayName(), "is at", a.DefaultChannel())
		}
	}
	// Output:
	// ann is at /private/ann?channel=audio
	// bob is at /private/bob?channel=audio
}

// Lookup finds whoever a URI leads to, loaded or not.
func ExampleDirectory_Lookup() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()

	directory := clients[0].Directory()
	bob, err := directory.Lookup(ctx, "/private/bob?channel=video")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bob.DisplayName(), bob.Type(), "locked:", bob.Locked())
	_, err = directory.Lookup(ctx, "/private/nobody")
	var none *errs.AddressNotFoundError
	fmt.Println(errors.As(err, &none), err)
	// Output:
	// bob subscriber locked: false
	// true no such address: /private/nobody
}

// Search goes through any number of addresses and keeps none.
func ExampleDirectory_Search() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann", "bob")
	defer end()

	for a, err := range clients[0].Directory().Search(ctx, session.AddressFilter{DisplayName: "bob"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(a.Name, a.Channels["video"])
	}
	// Output:
	// bob /private/bob?channel=video
}

// Two subscribers write to each other; each sees the messages of that
// conversation only.
func ExampleAddress_Conversation() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, gw, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	ann := clients[0]

	bob, err := ann.Directory().Lookup(ctx, "/private/bob")
	if err != nil {
		fmt.Println(err)
		return
	}
	talk, err := bob.Conversation(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := talk.SendText(ctx, "are you there?"); err != nil {
		fmt.Println(err)
		return
	}
	if err := gw.SendText("bob", "ann", "on my way"); err != nil { // bob's own program
		fmt.Println(err)
		return
	}
	all, err := talk.ObserveMessages().Wait(ctx, func(m []session.Message) bool { return len(m) == 2 })
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range all {
		fmt.Println(m.FromAddressID == bob.ID(), m.Text)
	}
	// Output:
	// false are you there?
	// true on my way
}

// A bot answers whoever writes to it.
func ExampleClient_ObserveMessages() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, gw, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	ann := clients[0]

	messages := ann.ObserveMessages()
	if err := gw.SendText("bob", "ann", "ping"); err != nil {
		fmt.Println(err)
		return
	}
	m, err := messages.Wait(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	from, err := ann.Directory().Fetch(ctx, m.FromAddressID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(from.DisplayName(), "wrote", m.Text)
	fmt.Println("answered:", from.SendText(ctx, "pong"))
	// Output:
	// bob wrote ping
	// answered: <nil>
}

// The list of conversations is gone through like any other.
func ExampleClient_Conversations() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, gw, end := exampleCallers(ctx, "ann", "bob")
	defer end()

	if err := gw.SendText("bob", "ann", "hello"); err != nil {
		fmt.Println(err)
		return
	}
	for c, err := range clients[0].Conversations(ctx) {
		fmt.Println(c.Name, err)
	}
	// Output:
	// bob <nil>
}

// An address can be called without knowing its URI.
func ExampleAddress_Dial() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()

	echo, err := clients[0].Directory().Lookup(ctx, "/public/echo")
	if err != nil {
		fmt.Println(err)
		return
	}
	call, err := echo.Dial(ctx, session.DialOptions{MediaOptions: onLoopbackOnly()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("dialled", call.To().URI)
	fmt.Println("hung up:", call.Hangup(ctx))
	// Output:
	// dialled /public/echo?channel=audio
	// hung up: <nil>
}

// An address shows what the service knows of it, and which conversation one has with
// it. A bounded loop reads the history.
func ExampleAddress() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, gw, end := exampleCallers(ctx, "ann", "bob")
	defer end()
	directory := clients[0].Directory()

	if err := gw.SendText("bob", "ann", "hello"); err != nil {
		fmt.Println(err)
		return
	}
	bob, err := directory.Lookup(ctx, "/private/bob")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(directory.Address(bob.ID()) == bob, directory.Loading(), bob.Record().Name)
	fmt.Printf("%q %q\n", bob.PreviewURL(), bob.CoverURL())
	talk, err := bob.Conversation(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for m, err := range talk.History(ctx) {
		fmt.Println(talk.Address().DisplayName(), m.Text, err)
	}
	// Output:
	// true false bob
	// "" ""
	// bob hello <nil>
}

// The service names the relays for media with each connection.
func ExampleClient_ICEServers() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	clients, _, end := exampleCallers(ctx, "ann")
	defer end()

	for _, s := range clients[0].ICEServers() {
		fmt.Println(len(s.URLs) > 0, s.Username != "")
	}
	// Output: true true
}
