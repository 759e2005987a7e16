package storagetest_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/storagetest"
)

// A twisted storage does one thing wrong.
type twisted struct {
	session.SharedStorage
	set  func(ctx context.Context, s session.Scope, key string, value []byte) error
	swap func(ctx context.Context, s session.Scope, key string, old, value []byte) (bool, error)
	del  func(ctx context.Context, s session.Scope, key string) error
	wipe func(ctx context.Context, s session.Scope, prefix string) error
}

func (t *twisted) Set(ctx context.Context, s session.Scope, key string, value []byte) error {
	if t.set != nil {
		return t.set(ctx, s, key, value)
	}
	return t.SharedStorage.Set(ctx, s, key, value)
}

func (t *twisted) Swap(ctx context.Context, s session.Scope, key string, old, value []byte) (bool, error) {
	if t.swap != nil {
		return t.swap(ctx, s, key, old, value)
	}
	return t.SharedStorage.Swap(ctx, s, key, old, value)
}

func (t *twisted) Delete(ctx context.Context, s session.Scope, key string) error {
	if t.del != nil {
		return t.del(ctx, s, key)
	}
	return t.SharedStorage.Delete(ctx, s, key)
}

func (t *twisted) Clear(ctx context.Context, s session.Scope, prefix string) error {
	if t.wipe != nil {
		return t.wipe(ctx, s, prefix)
	}
	return t.SharedStorage.Clear(ctx, s, prefix)
}

func memory() session.SharedStorage { return session.NewMemoryStorage().(session.SharedStorage) }

func TestKitFindsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		wrong, law string
		twist      func(s *twisted)
	}{
		{"trims keys", "odd keys", func(s *twisted) {
			s.set = func(ctx context.Context, scope session.Scope, key string, value []byte) error {
				return s.SharedStorage.Set(ctx, scope, strings.Trim(key, "."), value)
			}
		}},
		{"cuts values", "any bytes", func(s *twisted) {
			s.set = func(ctx context.Context, scope session.Scope, key string, value []byte) error {
				return s.SharedStorage.Set(ctx, scope, key, value[:min(len(value), 4096)])
			}
		}},
		{"has one scope", "scopes are apart", func(s *twisted) {
			s.set = func(ctx context.Context, _ session.Scope, key string, value []byte) error {
				_ = s.SharedStorage.Set(ctx, session.ScopeSession, key, value)
				return s.SharedStorage.Set(ctx, session.ScopePersistent, key, value)
			}
		}},
		{"clears everything", "clear goes by prefix", func(s *twisted) {
			s.wipe = func(ctx context.Context, scope session.Scope, _ string) error {
				return s.SharedStorage.Clear(ctx, scope, "")
			}
		}},
		{"misses missing keys", "a missing key", func(s *twisted) {
			s.del = func(ctx context.Context, scope session.Scope, key string) error {
				if _, ok, _ := s.Get(ctx, scope, key); !ok {
					return fmt.Errorf("no key %q", key)
				}
				return s.SharedStorage.Delete(ctx, scope, key)
			}
		}},
		{"ignores contexts", "a context that has ended", func(s *twisted) {
			s.set = func(_ context.Context, scope session.Scope, key string, value []byte) error {
				return s.SharedStorage.Set(context.Background(), scope, key, value)
			}
		}},
		{"takes empty for none", "swap needs the value", func(s *twisted) {
			s.swap = func(ctx context.Context, scope session.Scope, key string, old, value []byte) (bool, error) {
				if len(old) == 0 {
					old = nil
				}
				return s.SharedStorage.Swap(ctx, scope, key, old, value)
			}
		}},
		{"always swaps", "swap needs the value", func(s *twisted) {
			s.swap = func(ctx context.Context, scope session.Scope, key string, _, value []byte) (bool, error) {
				return true, s.SharedStorage.Set(ctx, scope, key, value)
			}
		}},
	} {
		err := storagetest.TestStorage(t.Context(), func() (session.Storage, error) {
			s := &twisted{SharedStorage: memory()}
			c.twist(s)
			return s, nil
		})
		if err == nil || !strings.Contains(err.Error(), c.law) {
			t.Errorf("a storage that %s: %v; want %q", c.wrong, err, c.law)
		}
	}
}

// aliasing keeps the bytes that it is given.
type aliasing struct {
	session.Storage
	kept sync.Map
}

func (a *aliasing) Set(ctx context.Context, s session.Scope, key string, value []byte) error {
	a.kept.Store(string(s)+key, value)
	return a.Storage.Set(ctx, s, key, value)
}

func (a *aliasing) Get(ctx context.Context, s session.Scope, key string) ([]byte, bool, error) {
	v, ok, err := a.Storage.Get(ctx, s, key)
	if kept, is := a.kept.Load(string(s) + key); ok && is {
		v = kept.([]byte)
	}
	return v, ok, err
}

func TestKitFindsAliases(t *testing.T) {
	err := storagetest.TestStorage(t.Context(), func() (session.Storage, error) {
		return &aliasing{Storage: session.NewMemoryStorage()}, nil
	})
	if err == nil || !strings.Contains(err.Error(), "values are copies") {
		t.Errorf("got %v", err)
	}
}

// unlocked swaps in two steps, as one would over files without a lock.
func unlocked(s *twisted) {
	s.swap = func(ctx context.Context, scope session.Scope, key string, old, value []byte) (bool, error) {
		v, ok, err := s.Get(ctx, scope, key)
		if err != nil || ok != (old != nil) || !bytes.Equal(v, old) {
			return false, err
		}
		for range 10 {
			runtime.Gosched()
		}
		return true, s.Set(ctx, scope, key, value)
	}
}

func TestKitFindsLostUpdatesAndSeparateStores(t *testing.T) {
	for _, c := range []struct {
		wrong, law string
		open       func() (a, b session.SharedStorage, err error)
	}{
		{"shares nothing", "what one writes the other reads", func() (a, b session.SharedStorage, err error) {
			return memory(), memory(), nil
		}},
		{"swaps in two steps", "no swap gets lost", func() (a, b session.SharedStorage, err error) {
			s := &twisted{SharedStorage: memory()}
			unlocked(s)
			return s, s, nil
		}},
	} {
		err := storagetest.TestShared(t.Context(), c.open)
		if err == nil || !strings.Contains(err.Error(), c.law) {
			t.Errorf("a storage that %s: %v; want %q", c.wrong, err, c.law)
		}
	}
}
