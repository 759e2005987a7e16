package session

import (
	"bytes"
	"context"
	"maps"
	"strings"
	"sync"
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
// may be called from several goroutines. A failing storage never fails a
// client: it goes on in memory and says so once on ObserveErrors.
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

// NewMemoryStorage keeps values in memory, in both scopes, for as long as the
// storage itself is kept: hand one to two clients in turn and the second can
// resume what the first left.
func NewMemoryStorage() Storage {
	return &memoryStorage{values: map[Scope]map[string][]byte{}}
}

type memoryStorage struct {
	mu     sync.Mutex
	values map[Scope]map[string][]byte
}

func (m *memoryStorage) Get(_ context.Context, s Scope, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[s][key]
	return append([]byte(nil), v...), ok, nil
}

func (m *memoryStorage) Set(_ context.Context, s Scope, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[s] == nil {
		m.values[s] = map[string][]byte{}
	}
	m.values[s][key] = append([]byte(nil), value...)
	return nil
}

func (m *memoryStorage) Swap(_ context.Context, s Scope, key string, old, value []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, ok := m.values[s][key]
	switch {
	case ok != (old != nil) || !bytes.Equal(now, old):
		return false, nil
	case value == nil:
		delete(m.values[s], key)
		return true, nil
	case m.values[s] == nil:
		m.values[s] = map[string][]byte{}
	}
	m.values[s][key] = append([]byte{}, value...)
	return true, nil
}

func (m *memoryStorage) Delete(_ context.Context, s Scope, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values[s], key)
	return nil
}

func (m *memoryStorage) Clear(_ context.Context, s Scope, prefix string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.values[s], func(key string, _ []byte) bool { return strings.HasPrefix(key, prefix) })
	return nil
}
