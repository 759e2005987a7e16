package natsstorage_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/natsstorage"
	"github.com/callrx/callrx/session/storagetest"
)

const lasting = session.ScopePersistent

func TestStorageKeepsItsContract(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	for name, prefix := range map[string]string{"own bucket": "", "with a prefix": "ann: of 日本"} {
		n := 0
		err := storagetest.TestStorage(t.Context(), func() (session.Storage, error) {
			n++
			return natsstorage.New(t.Context(), js, natsstorage.Config{Bucket: fmt.Sprintf("b-%d-%d", n, len(prefix)), Prefix: prefix})
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two connections know no more of each other than two machines.
func TestMachinesShareABucket(t *testing.T) {
	b := newBroker(t)
	one, two := b.connect(), b.connect()
	n := 0
	err := storagetest.TestShared(t.Context(), func() (_, _ session.SharedStorage, err error) {
		n++
		c := natsstorage.Config{Bucket: fmt.Sprint("b", n)}
		return b.storage(one, c), b.storage(two, c), nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPrefixesAreApart(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	all := map[string]session.Storage{}
	for _, prefix := range []string{"", "ann", "an", "bob", "ann.x", "="} {
		all[prefix] = b.storage(js, natsstorage.Config{Prefix: prefix})
		if err := all[prefix].Set(t.Context(), lasting, "sw:x", []byte(prefix)); err != nil {
			t.Fatal(err)
		}
	}
	for _, cleared := range []string{"ann", ""} {
		if err := all[cleared].Clear(t.Context(), lasting, ""); err != nil {
			t.Error(err)
		}
		delete(all, cleared)
		for prefix, s := range all {
			if v, ok, err := s.Get(t.Context(), lasting, "sw:x"); !ok || err != nil || string(v) != prefix {
				t.Errorf("after %q was cleared, %q holds %q, %v, %v", cleared, prefix, v, ok, err)
			}
		}
	}
}

// What was deleted is gone, even from a bucket that somebody made with a history.
func TestDeletedValuesLeaveNoHistory(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "old", History: 5})
	if err != nil {
		t.Fatal(err)
	}
	s := b.storage(js, natsstorage.Config{Bucket: "old"})
	for _, remove := range []func() error{
		func() error { return s.Delete(t.Context(), lasting, "k") },
		func() error { return s.Clear(t.Context(), lasting, "") },
		func() error { _, err := s.Swap(t.Context(), lasting, "k", []byte("secret"), nil); return err },
	} {
		if err := errors.Join(s.Set(t.Context(), lasting, "k", []byte("secret")), remove()); err != nil {
			t.Fatal(err)
		}
		history, err := kv.History(t.Context(), "k")
		for _, e := range history {
			if len(e.Value()) != 0 {
				t.Errorf("the bucket still holds %q", e.Value())
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestBucketIsMadeAsAskedFor(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	b.storage(js, natsstorage.Config{Bucket: "short", TTL: time.Minute})
	status, err := js.KeyValue(t.Context(), "short")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := status.Status(t.Context()); err != nil || s.TTL() != time.Minute || s.History() != 1 {
		t.Errorf("TTL %v, history %v, %v", s.TTL(), s.History(), err)
	}
}

// methods calls each, and returns what they fail with.
func methods(ctx context.Context, s session.SharedStorage) map[string]error {
	_, _, get := s.Get(ctx, lasting, "k")
	_, swap := s.Swap(ctx, lasting, "k", []byte("whole"), []byte("swapped"))
	return map[string]error{
		"read": get, "write": s.Set(ctx, lasting, "k", []byte("x")), "write ": swap,
		"delete": s.Delete(ctx, lasting, "k"), "clear": s.Clear(ctx, lasting, "k"),
	}
}

func wantStorageErrors(t *testing.T, what string, failed map[string]error) {
	t.Helper()
	for op, err := range failed {
		var storage *errs.StorageError
		if !errors.As(err, &storage) || storage.Op != strings.TrimSpace(op) || storage.Key != "k" || storage.OriginalError == nil {
			t.Errorf("%s: %s: %v, want *errs.StorageError", what, op, err)
		}
	}
}

func TestServerThatIsGoneIsATypedErrorInTimeAndWorksAgain(t *testing.T) {
	b := newBroker(t)
	s := b.storage(b.connect(), natsstorage.Config{})
	if err := s.Set(t.Context(), lasting, "k", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	b.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	failed := methods(ctx, s)
	wantStorageErrors(t, "stopped", failed)
	for op, err := range failed {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the end of the context", op, err)
		}
	}
	if err := s.Set(t.Context(), session.ScopeSession, "k", []byte("here")); err != nil {
		t.Errorf("the session scope needs no server: %v", err)
	}

	b.start()
	patience, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if v, ok, err := s.Get(patience, lasting, "k"); !ok || err != nil || string(v) != "whole" {
		t.Errorf("after the restart: %q, %v, %v; nothing that failed may have been written", v, ok, err)
	}
	if ok, err := s.Swap(patience, lasting, "k", []byte("whole"), []byte("new")); !ok || err != nil {
		t.Errorf("Swap after the restart: %v, %v", ok, err)
	}
}

func TestBucketThatIsGoneIsATypedError(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	s := b.storage(js, natsstorage.Config{Bucket: "gone"})
	if err := js.DeleteKeyValue(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	wantStorageErrors(t, "bucket deleted", methods(ctx, s))
}

func TestWhatTheServerRefusesIsATypedError(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	for what, c := range map[string]struct {
		config natsstorage.Config
		size   int
	}{
		"longer than a message may be": {natsstorage.Config{Bucket: "any"}, 2 << 20},
		"longer than the bucket takes": {natsstorage.Config{Bucket: "small", MaxValueSize: 100}, 200},
	} {
		s := b.storage(js, c.config)
		long := make([]byte, c.size)
		_, swap := s.Swap(t.Context(), lasting, "k", nil, long)
		wantStorageErrors(t, what, map[string]error{"write": s.Set(t.Context(), lasting, "k", long), "write ": swap})
		if _, ok, err := s.Get(t.Context(), lasting, "k"); ok || err != nil {
			t.Errorf("%s: a value is there: %v, %v", what, ok, err)
		}
	}
}

func TestNewSaysWhyThereIsNoStorage(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	var storage *errs.StorageError
	if _, err := natsstorage.New(t.Context(), js, natsstorage.Config{Bucket: "a b"}); !errors.As(err, &storage) || storage.Op != "open" {
		t.Errorf("a name that is none: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	b.stop()
	if _, err := natsstorage.New(ctx, js, natsstorage.Config{}); !errors.As(err, &storage) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no server: %v", err)
	}
	js.Conn().Close()
	if _, err := natsstorage.New(t.Context(), js, natsstorage.Config{}); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("a closed connection: %v", err)
	}
}
