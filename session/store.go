package session

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/dpop"
)

// Keys of stored values. The Browser SDK uses the same, except for the DPoP key.
const (
	keyPrefix     = "sw:"
	keyCredential = "sw:cached_credential"
	keyDPoP       = "sw:dpop_key"
)

func keyState(user string) string    { return keyPrefix + user + ":as" }
func keyProtocol(user string) string { return keyPrefix + user + ":pt" }

// storeTimeout bounds one access to the program's storage.
const storeTimeout = 10 * time.Second

// A store writes what resumes a client to the program's Storage, one value
// after the other on a goroutine that exists only while there is something to
// write. A Storage that fails is reported once.
type store struct {
	storage Storage // nil: store nothing
	scope   Scope
	report  func(error)

	mu      sync.Mutex
	queue   []func(context.Context) error
	writing bool
	failed  bool
	idle    sync.WaitGroup
}

func newStore(s Storage, persist bool, report func(error)) *store {
	st := &store{storage: s, scope: ScopeSession, report: report}
	if persist {
		st.scope = ScopePersistent
	}
	return st
}

// later queues a write.
func (s *store) later(write func(context.Context) error) {
	if s.storage == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, write)
	if !s.writing {
		s.writing = true
		s.idle.Go(s.write)
	}
}

func (s *store) write() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.writing = false
			s.mu.Unlock()
			return
		}
		next := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		s.failedOnce(next(ctx), "write")
		cancel()
	}
}

// failedOnce reports the first failure only.
func (s *store) failedOnce(err error, op string) {
	if err == nil {
		return
	}
	s.mu.Lock()
	again := s.failed
	s.failed = true
	s.mu.Unlock()
	var typed *errs.StorageError
	if !errors.As(err, &typed) {
		err = &errs.StorageError{Op: op, OriginalError: err}
	}
	if !again {
		s.report(err)
	}
}

// close waits for what is being written.
func (s *store) close() { s.idle.Wait() }

func (s *store) set(key string, value []byte) {
	s.later(func(ctx context.Context) error { return s.storage.Set(ctx, s.scope, key, value) })
}

func (s *store) remove(key string) {
	s.later(func(ctx context.Context) error { return s.storage.Delete(ctx, s.scope, key) })
}

// get reads a value; a failure counts as none.
func (s *store) get(ctx context.Context, key string) []byte {
	if s.storage == nil {
		return nil
	}
	s.idle.Wait() // read what was written
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	value, ok, err := s.storage.Get(ctx, s.scope, key)
	if err != nil {
		s.failedOnce(err, "read")
	}
	if !ok {
		return nil
	}
	return value
}

// A savedCredential is the stored form of a token: times are milliseconds.
type savedCredential struct {
	Token    string `json:"token"`
	ExpiryAt int64  `json:"expiry_at,omitempty"`
	Received int64  `json:"received_at,omitempty"`
	Bound    string `json:"bound_to,omitempty"` // thumbprint of the key
	API      string `json:"api"`
	Relay    string `json:"relay"`
}

func (c *Client) saveCredential(t token) {
	saved := savedCredential{Token: t.text, Received: t.receivedAt.UnixMilli(), API: t.hosts.api, Relay: t.hosts.relay}
	if !t.expiresAt.IsZero() {
		saved.ExpiryAt = t.expiresAt.UnixMilli()
	}
	if t.bound && c.key != nil {
		saved.Bound = c.key.Fingerprint()
	}
	if text, err := json.Marshal(saved); err == nil {
		c.store.set(keyCredential, text)
	}
}

func (s *store) forgetCredential() { s.remove(keyCredential) }

// loadCredential finds what an earlier client left. A token bound to a key we
// do not have is useless.
func (s *store) loadCredential(ctx context.Context, key *DPoPKey) (token, bool) {
	var saved savedCredential
	if json.Unmarshal(s.get(ctx, keyCredential), &saved) != nil || saved.Token == "" {
		return token{}, false
	}
	if saved.Bound != "" && (key == nil || key.Fingerprint() != saved.Bound) {
		return token{}, false
	}
	t := token{text: saved.Token, receivedAt: time.UnixMilli(saved.Received), bound: saved.Bound != "",
		hosts: hosts{api: saved.API, relay: saved.Relay}}
	if saved.ExpiryAt != 0 {
		t.expiresAt = time.UnixMilli(saved.ExpiryAt)
	}
	return t, true
}

func (s *store) saveResume(u *User, r resume) {
	if u == nil {
		return
	}
	for key, value := range map[string]string{keyState(u.ID): r.state, keyProtocol(u.ID): r.protocol} {
		if value == "" {
			s.remove(key)
		} else {
			s.set(key, []byte(value))
		}
	}
}

func (s *store) loadResume(ctx context.Context, user string) resume {
	return resume{state: string(s.get(ctx, keyState(user))), protocol: string(s.get(ctx, keyProtocol(user)))}
}

func (s *store) loadKey(ctx context.Context) []byte { return s.get(ctx, keyDPoP) }

func (s *store) forgetKey() { s.remove(keyDPoP) }

// saveKey keeps the key where the tokens bound to it are kept, and only if they
// are to last.
func (s *store) saveKey(k *dpop.Key) {
	if s.scope != ScopePersistent {
		return
	}
	if der, err := k.MarshalPKCS8(); err == nil {
		s.set(keyDPoP, der)
	}
}
