package session_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/callrx/callrx/errs"
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

// What is stored is sealed with a key that the program keeps elsewhere.
func ExampleNewSealedStorage() {
	ctx := context.Background()
	key, other := make([]byte, 32), make([]byte, 32)
	_, _ = rand.Read(key) // which never fails
	_, _ = rand.Read(other)

	files := session.NewMemoryStorage() // or NewFileStorage
	sealed, err := session.NewSealedStorage(files, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = sealed.Set(ctx, session.ScopePersistent, "sw:cached_credential", []byte("a secret"))
	stored, _, _ := files.Get(ctx, session.ScopePersistent, "sw:cached_credential")
	fmt.Println("stored in clear:", bytes.Contains(stored, []byte("secret")))

	// A new key comes first; the old one opens what it sealed.
	changing, _ := session.NewSealedStorage(files, other, key)
	value, _, _ := changing.Get(ctx, session.ScopePersistent, "sw:cached_credential")
	fmt.Printf("%s\n", value)

	wrong, _ := session.NewSealedStorage(files, other)
	_, _, err = wrong.Get(ctx, session.ScopePersistent, "sw:cached_credential")
	fmt.Println(err)
	fmt.Println(errors.Is(err, errs.ErrSealed))
	// Output:
	// stored in clear: false
	// a secret
	// storage decode sw:cached_credential: callrx: sealed with another key, or changed since; add the key or delete the value
	// true
}

// Of several processes that share a storage, one gets to do a thing.
func ExampleSharedStorage() {
	ctx := context.Background()
	shared := session.NewMemoryStorage().(session.SharedStorage)
	for _, process := range []string{"a", "b"} {
		mine, err := shared.Swap(ctx, session.ScopePersistent, "owner", nil, []byte(process))
		fmt.Println(process, mine, err)
	}
	// Output:
	// a true <nil>
	// b false <nil>
}
