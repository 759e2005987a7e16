package natsstorage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
)

// Config configures [New]. The zero value is the bucket "callrx", made if need
// be, whose values stay until they are deleted.
type Config struct {
	// Bucket is the name of the bucket: "callrx" when empty.
	Bucket string
	// Prefix sets the values of this storage apart from those of others in the
	// bucket. Programs with several subscribers need one for each. None when empty.
	Prefix string

	// What follows is used when New makes the bucket, and ignored when it exists.

	// TTL is how long a value stays after it was last written; zero means for ever.
	TTL time.Duration
	// Replicas is how many servers keep the bucket: 1 when zero.
	Replicas int
	// MaxValueSize bounds values, in bytes; zero leaves it to the server, whose
	// limit is 1 MiB unless it was configured otherwise.
	MaxValueSize int32
}

// New opens the bucket, or makes it with a history of one value each. The result
// is a [session.SharedStorage]. Session-scoped values stay in the memory of this
// process.
//
// All that fails is *errs.StorageError. While the connection of js is lost, calls
// wait for it as long as their context allows; after that they work again. The
// connection stays the caller's: the storage ends with it and needs no closing.
// On a bucket with replicas a read may be answered by one that is a moment
// behind.
func New(ctx context.Context, js jetstream.JetStream, c Config) (session.Storage, error) {
	if c.Bucket == "" {
		c.Bucket = "callrx"
	}
	if err := connected(ctx, js.Conn()); err != nil {
		return nil, &errs.StorageError{Op: "open", OriginalError: err}
	}
	kv, err := js.KeyValue(ctx, c.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: c.Bucket, Description: "what callrx clients need to resume",
			History: 1, TTL: c.TTL, Replicas: c.Replicas, MaxValueSize: c.MaxValueSize,
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // somebody else was faster
			kv, err = js.KeyValue(ctx, c.Bucket)
		}
	}
	if err != nil {
		return nil, &errs.StorageError{Op: "open", OriginalError: fmt.Errorf("bucket %s: %w", c.Bucket, err)}
	}
	session := session.NewMemoryStorage().(session.SharedStorage)
	return &storage{conn: js.Conn(), kv: kv, names: namesOf(c.Prefix), session: session}, nil
}

type storage struct {
	conn    *nats.Conn
	kv      jetstream.KeyValue
	names   names
	session session.SharedStorage
}

// do calls NATS. A message that is given to a lost connection would be sent when
// it comes back, after the caller was told that it failed.
func (s *storage) do(ctx context.Context, op, key string, call func() error) error {
	err := connected(ctx, s.conn)
	if err == nil {
		err = call()
	}
	if err != nil {
		return &errs.StorageError{Op: op, Key: key, OriginalError: err}
	}
	return nil
}

// connected waits for the connection.
func connected(ctx context.Context, conn *nats.Conn) error {
	if err := ctx.Err(); err != nil || conn.IsConnected() {
		return err
	}
	changed := conn.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer conn.RemoveStatusListener(changed)
	for !conn.IsConnected() {
		if conn.IsClosed() {
			return nats.ErrConnectionClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("no connection to NATS: %w", ctx.Err())
		}
	}
	return nil
}

func (s *storage) Get(ctx context.Context, scope session.Scope, key string) ([]byte, bool, error) {
	if scope != session.ScopePersistent {
		return s.session.Get(ctx, scope, key)
	}
	var value []byte
	var exists bool
	err := s.do(ctx, "read", key, func() (err error) {
		value, exists, _, err = s.get(ctx, key)
		return err
	})
	return value, exists, err
}

// get also tells the revision.
func (s *storage) get(ctx context.Context, key string) ([]byte, bool, uint64, error) {
	entry, err := s.kv.Get(ctx, s.names.of(key))
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return nil, false, 0, nil
	case err != nil:
		return nil, false, 0, err
	}
	return entry.Value(), true, entry.Revision(), nil
}

func (s *storage) Set(ctx context.Context, scope session.Scope, key string, value []byte) error {
	if scope != session.ScopePersistent {
		return s.session.Set(ctx, scope, key, value)
	}
	return s.do(ctx, "write", key, func() error {
		_, err := s.kv.Put(ctx, s.names.of(key), value)
		return err
	})
}

// Swap goes by the revision of the value it found, and looks again if that has
// changed meanwhile.
func (s *storage) Swap(ctx context.Context, scope session.Scope, key string, old, value []byte) (bool, error) {
	if scope != session.ScopePersistent {
		return s.session.Swap(ctx, scope, key, old, value)
	}
	swapped := false
	err := s.do(ctx, "write", key, func() error {
		for ctx.Err() == nil {
			current, exists, revision, err := s.get(ctx, key)
			if err != nil || exists != (old != nil) || !bytes.Equal(current, old) {
				return err
			}
			err = s.replace(ctx, key, exists, revision, value)
			if !errors.Is(err, jetstream.ErrKeyExists) && !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
				swapped = err == nil
				return err
			}
		}
		return ctx.Err()
	})
	return swapped, err
}

func (s *storage) replace(ctx context.Context, key string, exists bool, revision uint64, value []byte) error {
	name := s.names.of(key)
	var err error
	switch {
	case exists && value != nil:
		_, err = s.kv.Update(ctx, name, value, revision)
	case exists:
		err = s.kv.Purge(ctx, name, jetstream.LastRevision(revision))
	case value != nil:
		_, err = s.kv.Create(ctx, name, value)
	}
	return err
}

func (s *storage) Delete(ctx context.Context, scope session.Scope, key string) error {
	if scope != session.ScopePersistent {
		return s.session.Delete(ctx, scope, key)
	}
	return s.do(ctx, "delete", key, func() error { return s.kv.Purge(ctx, s.names.of(key)) })
}

func (s *storage) Clear(ctx context.Context, scope session.Scope, prefix string) error {
	if scope != session.ScopePersistent {
		return s.session.Clear(ctx, scope, prefix)
	}
	return s.do(ctx, "clear", prefix, func() error {
		found, err := s.kv.ListKeysFiltered(ctx, s.names.all())
		if err != nil {
			return err
		}
		var names []string
		for name := range found.Keys() {
			if key, ok := s.names.keyOf(name); ok && strings.HasPrefix(key, prefix) {
				names = append(names, name)
			}
		}
		err = ctx.Err() // which would have cut the list short
		for _, name := range names {
			err = errors.Join(err, s.kv.Purge(ctx, name))
		}
		return err
	})
}
