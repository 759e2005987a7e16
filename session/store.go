package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/dpop"
	"github.com/callrx/callrx/internal/program"
)

// Keys of stored values. The Browser SDK uses the same, except for the DPoP key.
const (
	keyPrefix     = "sw:"
	keyCredential = "sw:cached_credential"
	keyDPoP       = "sw:dpop_key"
)

func keyState(user string) string    { return keyPrefix + user + ":as" }
func keyProtocol(user string) string { return keyPrefix + user + ":pt" }
func keyCalls(user string) string    { return keyPrefix + user + ":att" }

// What one access to the program's storage may take: Connect waits for reads,
// nobody for writes.
const (
	storeReadTimeout  = 2 * time.Second
	storeWriteTimeout = 10 * time.Second
	storeRetry        = 5 * time.Second // a storage that did not answer is left alone so long
)

// A store writes what resumes a client to the program's Storage, one value
// after the other on a goroutine that exists only while there is something to
// write. A Storage that fails is reported once for each key. One that hangs is not
// asked again while it does, and for a while after.
type store struct {
	storage Storage // nil: store nothing
	scope   Scope
	report  func(error)
	ctx     context.Context // of writes
	hurry   context.CancelFunc

	mu      sync.Mutex
	queue   []func()
	written chan struct{}   // closed when the writes under way are done; nil: none are
	failed  map[string]bool // by key; "": one that is not known
	pending int             // calls that have not returned
	tried   string          // the last state of the session that was to be stored
	took    string          // the last one that was
	spared  time.Time       // not to be asked until then
}

func newStore(s Storage, persist bool, report func(error)) *store {
	st := &store{storage: s, scope: ScopeSession, report: report, failed: map[string]bool{}}
	st.ctx, st.hurry = context.WithCancel(context.Background())
	if persist {
		st.scope = ScopePersistent
	}
	return st
}

// later queues a write. close waits for the goroutine.
func (s *store) later(write func(context.Context) error) {
	if s.storage == nil {
		return
	}
	s.do(func() {
		access(s.ctx, s, "write", storeWriteTimeout, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, write(ctx)
		})
	})
}

// do queues a job.
func (s *store) do(job func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, job)
	if s.written == nil {
		s.written = make(chan struct{})
		go s.write()
	}
}

func (s *store) write() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			close(s.written)
			s.written = nil
			s.mu.Unlock()
			return
		}
		next := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		next()
	}
}

// access calls the storage and returns no later than limit allows. It reports
// false when there is no answer.
func access[T any](ctx context.Context, s *store, op string, limit time.Duration, call func(context.Context) (T, error)) (T, bool) {
	var none T
	if !s.begin() {
		return none, false
	}
	v, hung, err := timed(ctx, s, limit, call)
	if err == nil {
		return v, true
	}
	if ctx.Err() == nil || s.ctx.Err() != nil { // else the caller's time is up, which is no failure
		s.fail(op, err, hung)
	}
	return none, false
}

// timed calls the storage, which has limit for it, and tells whether that was too
// little. Whoever calls it has counted the call as pending.
func timed[T any](ctx context.Context, s *store, limit time.Duration, call func(context.Context) (T, error)) (v T, hung bool, err error) {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	v, err = program.Ask(within, "the storage", func(ctx context.Context) (v T, err error) {
		defer func() { s.returned(err) }()
		return call(ctx)
	}, program.Forget[T])
	return v, within.Err() != nil, err
}

// begin reports whether the storage may be asked now.
func (s *store) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.spared.IsZero() && (s.pending > 0 || time.Now().Before(s.spared)) {
		return false
	}
	s.pending++
	return true
}

// beginAnyway has it asked though it may hang.
func (s *store) beginAnyway() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending++
}

// spare has a storage that hung not asked for a while.
func (s *store) spare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spared = time.Now().Add(storeRetry)
}

func (s *store) returned(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending--
	if err == nil {
		s.spared = time.Time{} // it is well again
	}
}

// fail reports the first failure with each key.
func (s *store) fail(op string, err error, hung bool) {
	var typed *errs.StorageError
	if !errors.As(err, &typed) {
		typed = &errs.StorageError{Op: op, OriginalError: err}
		err = typed
	}
	if hung {
		s.spare()
	}
	s.mu.Lock()
	again := s.failed[typed.Key]
	s.failed[typed.Key] = true
	s.mu.Unlock()
	if !again {
		s.report(err)
	}
}

// damage says that a value makes no sense. It goes on as if there was none.
func damage(key string) *errs.StorageError {
	err := fmt.Errorf("%w; it is ignored, and replaced when there is a new one", errs.ErrDamaged)
	return &errs.StorageError{Op: "decode", Key: key, OriginalError: err}
}

// damaged reports a value that makes no sense.
func (s *store) damaged(key string) { s.fail("decode", damage(key), false) }

// settled waits until what was queued is written, or ctx ends.
func (s *store) settled(ctx context.Context) {
	s.mu.Lock()
	written := s.written
	s.mu.Unlock()
	if written == nil {
		return
	}
	select {
	case <-written:
	case <-ctx.Done():
	}
}

// close waits for what is being written, but not long.
func (s *store) close() {
	impatient := time.AfterFunc(closeTimeout, s.hurry)
	defer impatient.Stop()
	s.settled(context.Background())
	s.hurry()
}

func (s *store) set(key string, value []byte) {
	s.later(func(ctx context.Context) error { return s.storage.Set(ctx, s.scope, key, value) })
}

func (s *store) remove(key string) {
	s.later(func(ctx context.Context) error { return s.storage.Delete(ctx, s.scope, key) })
}

// get reads a value; nil when it is empty, there is none, or it cannot be read.
func (s *store) get(ctx context.Context, key string) []byte {
	if s.storage == nil {
		return nil
	}
	patience, cancel := context.WithTimeout(ctx, storeReadTimeout)
	defer cancel()
	s.settled(patience) // read what was written
	value, _ := access(ctx, s, "read", storeReadTimeout, func(ctx context.Context) ([]byte, error) {
		value, ok, err := s.storage.Get(ctx, s.scope, key)
		if !ok || len(value) == 0 {
			value = nil
		}
		return value, err
	})
	return value
}

// A savedCredential is the stored form of a token: times are milliseconds.
type savedCredential struct {
	Token    string `json:"token"`
	ExpiryAt int64  `json:"expiry_at,omitempty"`
	Received int64  `json:"received_at,omitempty"`
	Bound    string `json:"bound_to,omitempty"` // thumbprint of the key
	Cluster  string `json:"cluster"`            // a bound token need not name it
}

func (c *Client) saveCredential(t token) {
	saved := savedCredential{Token: t.text, Received: t.receivedAt.UnixMilli(), Cluster: t.hosts.cluster()}
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
// do not have is useless, and one that could not be signed in with is none.
func (s *store) loadCredential(ctx context.Context, key *DPoPKey, allowed []string) (token, bool) {
	text := s.get(ctx, keyCredential)
	if text == nil {
		return token{}, false
	}
	var saved savedCredential
	if json.Unmarshal(text, &saved) != nil || saved.Token == "" {
		s.damaged(keyCredential)
		return token{}, false
	}
	if saved.Bound != "" && (key == nil || key.Fingerprint() != saved.Bound) {
		return token{}, false
	}
	h, err := tokenHosts(saved.Token, allowed)
	if saved.Bound != "" {
		h, err = clusterHosts(saved.Cluster, allowed)
	}
	var bad *errs.InvalidCredentialsError
	if errors.As(err, &bad) && bad.Reason == errs.CredentialMalformedToken {
		s.damaged(keyCredential)
	}
	if err != nil {
		return token{}, false
	}
	t := token{text: saved.Token, receivedAt: time.UnixMilli(saved.Received), bound: saved.Bound != "", hosts: h}
	if saved.ExpiryAt != 0 {
		t.expiresAt = time.UnixMilli(saved.ExpiryAt)
	}
	return t, true
}

func (s *store) loadKey(ctx context.Context) *dpop.Key {
	der := s.get(ctx, keyDPoP)
	if der == nil {
		return nil
	}
	key, err := dpop.Parse(der)
	if err != nil {
		s.damaged(keyDPoP)
		return nil
	}
	return key
}

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
