package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
)

// withBob signs ann in and finds bob in her address book.
func withBob(ctx context.Context) (ann *session.Client, bob *session.Address, write func(text string), end func()) {
	clients, gw, end := exampleCallers(ctx, "ann", "bob")
	bob, err := clients[0].Directory().Lookup(ctx, "/private/bob")
	if err != nil {
		panic(err)
	}
	return clients[0], bob, func(text string) {
		if err := gw.SendText("bob", "ann", text); err != nil { // bob's own program
			panic(err)
		}
	}, end
}

// LookupID tells who wrote a message, and asks only for those it does not know.
func ExampleDirectory_LookupID() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ann, _, write, end := withBob(ctx)
	defer end()

	messages := ann.ObserveMessages()
	write("hello")
	m, err := messages.Wait(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	from, err := ann.Directory().LookupID(ctx, m.FromAddressID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(from.DisplayName(), "wrote", m.Text)
	_, err = ann.Directory().LookupID(ctx, "no-such-id")
	fmt.Println(errors.As(err, new(*errs.AddressNotFoundError)))
	// Output:
	// bob wrote hello
	// true
}

// A page that could not be had is asked for again by the next call.
func ExampleDirectory_LoadMore() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ann, _, _, end := withBob(ctx)
	defer end()

	d := ann.Directory()
	for d.HasMore() {
		var failed *errs.CollectionFetchError
		if err := d.LoadMore(ctx); errors.As(err, &failed) && errs.Retryable(err) {
			continue // a real program waits a little
		} else if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(len(d.Addresses()), "addresses, loading:", d.Loading())
	// Output:
	// 2 addresses, loading: false
}

// Refresh brings the addresses that are loaded up to date.
func ExampleDirectory_Refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ann, bob, _, end := withBob(ctx)
	defer end()

	d := ann.Directory()
	if err := d.Refresh(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(d.Addresses()), d.Address(bob.ID()) == bob)
	// Output:
	// 2 true
}

// An address asks for itself; its observables tell what has changed.
func ExampleAddress_Refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, bob, _, end := withBob(ctx)
	defer end()

	fmt.Println(bob.Refresh(ctx), bob.Locked(), bob.ResourceID() != "", bob.CreatedAt().IsZero())
	// Output:
	// <nil> false true false
}

// What the service does not offer yet says so.
func ExampleAddress_Activity() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, bob, _, end := withBob(ctx)
	defer end()

	_, err := bob.Activity(ctx)
	fmt.Println(err, errors.Is(err, errs.ErrUnimplemented))
	// Output:
	// not implemented: tell the activity of an address true
}

// A text comes back as a message of the conversation.
func ExampleAddress_SendText() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ann, bob, _, end := withBob(ctx)
	defer end()

	messages := ann.ObserveMessages()
	if err := bob.SendText(ctx, "on my way"); err != nil {
		fmt.Println(err)
		return
	}
	m, err := messages.Wait(ctx, nil)
	fmt.Println(m.Text, m.FromAddressID == ann.User().Addresses[0].ID, err)

	self, err := ann.Directory().LookupID(ctx, ann.User().Addresses[0].ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	var refused *errs.ConversationError
	err = self.SendText(ctx, "note to self")
	fmt.Println(errors.As(err, &refused), refused.With, refused.Operation, refused.Status)
	// Output:
	// on my way true <nil>
	// true ann join 422
}

// LoadMore shows older messages where they belong, before the newer ones.
func ExampleConversation_LoadMore() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, bob, write, end := withBob(ctx)
	defer end()

	write("are you there?")
	write("hello?")
	talk, err := bob.Conversation(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := talk.LoadMore(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range talk.Messages() {
		fmt.Println(m.Text)
	}
	fmt.Println("more:", talk.HasMore(), "loading:", talk.Loading())
	// Output:
	// are you there?
	// hello?
	// more: false loading: false
}

// History reads a conversation backwards, however long it is.
func ExampleConversation_History() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, bob, write, end := withBob(ctx)
	defer end()

	for i := range 5 {
		write(fmt.Sprint("message ", i))
	}
	talk, err := bob.Conversation(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for m, err := range talk.History(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.Text)
		if m.Text == "message 3" {
			break // no further page is asked for
		}
	}
	// Output:
	// message 4
	// message 3
}

// A program that writes to many closes the conversations that it is done with.
func ExampleConversation_Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, bob, _, end := withBob(ctx)
	defer end()

	talk, err := bob.Conversation(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(talk.SendText(ctx, "bye"), talk.Close())
	fmt.Println(errors.Is(talk.SendText(ctx, "one more thing"), errs.ErrClosed))
	again, err := bob.Conversation(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.ID() == talk.ID(), again == talk)
	// Output:
	// <nil> <nil>
	// true
	// true false
}
