package storagetest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/storagetest"
)

// An upper storage takes no notice of case in its keys.
type upper struct{ session.Storage }

func (u upper) Set(ctx context.Context, s session.Scope, key string, value []byte) error {
	return u.Storage.Set(ctx, s, strings.ToUpper(key), value)
}

func (u upper) Get(ctx context.Context, s session.Scope, key string) ([]byte, bool, error) {
	return u.Storage.Get(ctx, s, strings.ToUpper(key))
}

func ExampleTestStorage() {
	good := func() (session.Storage, error) { return session.NewMemoryStorage(), nil }
	bad := func() (session.Storage, error) { return upper{session.NewMemoryStorage()}, nil }
	fmt.Println(storagetest.TestStorage(context.Background(), good))
	fmt.Println(storagetest.TestStorage(context.Background(), bad) != nil)
	// Output:
	// <nil>
	// true
}

// Here the two are the same; a test of yours opens the same place twice.
func ExampleTestShared() {
	fmt.Println(storagetest.TestShared(context.Background(), func() (a, b session.SharedStorage, err error) {
		s := session.NewMemoryStorage().(session.SharedStorage)
		return s, s, nil
	}))
	// Output: <nil>
}
