package session

import (
	"context"
	"encoding/json"
	"sync/atomic"
)

// What resumes a session is the state that the service gave last, and its protocol.

func (s *store) saveResume(u *User, r resume) {
	if u == nil {
		return
	}
	s.later(func(ctx context.Context) error {
		s.mu.Lock()
		s.tried = r.state
		s.mu.Unlock()
		err := s.writeText(ctx, keyState(u.ID), r.state)
		if err == nil {
			s.mu.Lock()
			s.took = r.state
			s.mu.Unlock()
		}
		return err
	})
	s.later(func(ctx context.Context) error { return s.writeText(ctx, keyProtocol(u.ID), r.protocol) })
}

// forgetResume erases what resumes the session, unless another process goes on with
// it by now.
func (s *store) forgetResume(u *User) {
	if u == nil {
		return
	}
	var theirs atomic.Bool
	s.later(func(ctx context.Context) error {
		var stored string
		if value, _, err := s.storage.Get(ctx, s.scope, keyState(u.ID)); err == nil && json.Unmarshal(value, &stored) == nil {
			theirs.Store(s.others(stored))
		}
		if theirs.Load() {
			return nil
		}
		s.mu.Lock()
		s.tried, s.took = "", ""
		s.mu.Unlock()
		return s.storage.Delete(ctx, s.scope, keyState(u.ID))
	})
	s.later(func(ctx context.Context) error {
		if theirs.Load() {
			return nil
		}
		return s.storage.Delete(ctx, s.scope, keyProtocol(u.ID))
	})
}

// writeText stores a text; an empty one is none.
func (s *store) writeText(ctx context.Context, key, value string) error {
	text, err := json.Marshal(value)
	if value == "" || err != nil {
		return s.storage.Delete(ctx, s.scope, key)
	}
	return s.storage.Set(ctx, s.scope, key, text)
}

// othersState: the state that is stored is another process's, which goes on with
// the session.
func (s *store) othersState(ctx context.Context, user string) bool {
	return s.shared() != nil && s.others(s.loadText(ctx, keyState(user)))
}

// others reports whether another process has stored that state. The service gives a
// new one to each connection.
func (s *store) others(stored string) bool {
	if s.shared() == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return stored != "" && s.tried != "" && stored != s.tried && stored != s.took
}

func (s *store) loadResume(ctx context.Context, user string) resume {
	return resume{state: s.loadText(ctx, keyState(user)), protocol: s.loadText(ctx, keyProtocol(user))}
}

func (s *store) loadText(ctx context.Context, key string) string {
	text := s.get(ctx, key)
	if text == nil {
		return ""
	}
	var value string
	if json.Unmarshal(text, &value) != nil || value == "" {
		s.damaged(key)
	}
	return value
}
