package session

import (
	"bytes"
	"context"
	"maps"
	"strings"
	"sync"

	"github.com/callrx/callrx/errs"
)

// A Scope says how long stored values live.
type Scope string

const (
	// ScopeSession values end with the process.
	ScopeSession Scope = "session"
	// ScopePersistent values survive it.
	ScopePersistent Scope = "persistent"
)

// A Storage keeps what a client needs to resume. Values are secrets. Methods
// may be called from several goroutines. They fail and change nothing when their
// context has ended before. A failing storage never fails a client: it goes on in
// memory and says so on ObserveErrors, once for each key.
//
// Package storagetest checks that an implementation keeps to this.
type Storage interface {
	// Get returns the value of key; false when there is none.
	Get(ctx context.Context, s Scope, key string) ([]byte, bool, error)
	Set(ctx context.Context, s Scope, key string, value []byte) error
	// Delete removes key; a missing key is no error.
	Delete(ctx context.Context, s Scope, key string) error
	// Clear removes every key that begins with prefix.
	Clear(ctx context.Context, s Scope, prefix string) error
}

// A SharedStorage is a Storage that several processes may write to.
type SharedStorage interface {
	Storage
	// Swap sets key to value if its value still is old, and reports whether it
	// was. A nil old means that there is no such key; a nil value deletes it.
	Swap(ctx context.Context, s Scope, key string, old, value []byte) (bool, error)
}

// unchanged reports whether a value, which may exist or not, is what a Swap
// expects. An empty value is one.
func unchanged(value []byte, exists bool, old []byte) bool {
	return exists == (old != nil) && bytes.Equal(value, old)
}

// NewMemoryStorage keeps values in memory, in both scopes, for as long as the
// storage itself is kept: hand one to two clients in turn and the second can
// resume what the first left. It is a [SharedStorage].
func NewMemoryStorage() Storage { return newMemoryStorage() }

func newMemoryStorage() *memoryStorage {
	return &memoryStorage{values: map[Scope]map[string][]byte{}}
}

type memoryStorage struct {
	mu     sync.Mutex
	values map[Scope]map[string][]byte
}

// values of m are never changed in place, and copied on their way in and out.
func (m *memoryStorage) setLocked(s Scope, key string, value []byte) {
	if m.values[s] == nil {
		m.values[s] = map[string][]byte{}
	}
	m.values[s][key] = bytes.Clone(value)
}

func (m *memoryStorage) Get(ctx context.Context, s Scope, key string) ([]byte, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, &errs.StorageError{Op: "read", Key: key, OriginalError: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[s][key]
	return bytes.Clone(v), ok, nil
}

func (m *memoryStorage) Set(ctx context.Context, s Scope, key string, value []byte) error {
	if err := ctx.Err(); err != nil {
		return &errs.StorageError{Op: "write", Key: key, OriginalError: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setLocked(s, key, value)
	return nil
}

func (m *memoryStorage) Swap(ctx context.Context, s Scope, key string, old, value []byte) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, &errs.StorageError{Op: "write", Key: key, OriginalError: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.values[s][key]; !unchanged(v, ok, old) {
		return false, nil
	}
	if value == nil {
		delete(m.values[s], key)
	} else {
		m.setLocked(s, key, value)
	}
	return true, nil
}

func (m *memoryStorage) Delete(ctx context.Context, s Scope, key string) error {
	if err := ctx.Err(); err != nil {
		return &errs.StorageError{Op: "delete", Key: key, OriginalError: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values[s], key)
	return nil
}

func (m *memoryStorage) Clear(ctx context.Context, s Scope, prefix string) error {
	if err := ctx.Err(); err != nil {
		return &errs.StorageError{Op: "clear", Key: prefix, OriginalError: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.values[s], func(key string, _ []byte) bool { return strings.HasPrefix(key, prefix) })
	return nil
}
