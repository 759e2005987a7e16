package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
)

// ResetToDefaults sets every preference to its default and removes all that the
// SDK keeps in Options.Storage, of this client and of others that use it: every
// key that begins with "sw:", in both scopes. That is the credential, its key, the
// session, the records of calls and the preferences.
//
// The client goes on with what it has in memory: it stays signed in, its calls go
// on, and what changes from now on is stored again. Calls of this client go back on
// record at once, so that they survive the process.
//
// A *errs.StorageError says that something may still be stored; the preferences
// are reset then. After Client.Close it is errs.ErrClosed.
func (c *Client) ResetToDefaults(ctx context.Context) error {
	if err := c.preferences.ResetToDefaults(); err != nil {
		return err
	}
	if err := c.store.clear(ctx); err != nil {
		return err
	}
	c.begun()
	return c.ask(ctx, c.forgotten)
}

// forgotten is told when nothing is stored any more. What is known of devices
// beyond the preferences is to be forgotten here. On the loop.
func (c *Client) forgotten() {
	for _, k := range c.streams.calls.Get() {
		k.rewrite()
	}
}

// clear removes all that is stored, after what is being written.
func (s *store) clear(ctx context.Context) error {
	if s.storage == nil {
		return nil
	}
	done := make(chan error, 1)
	s.do(func() { done <- s.clearNow() })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// clearNow tries both scopes, whatever becomes of the first.
func (s *store) clearNow() (failed error) {
	for _, scope := range []Scope{ScopeSession, ScopePersistent} {
		s.beginAnyway()
		_, hung, err := timed(s.ctx, s, storeWriteTimeout, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, s.storage.Clear(ctx, scope, keyPrefix)
		})
		if hung && s.ctx.Err() == nil {
			s.spare()
		}
		if err != nil && failed == nil {
			failed = storageFailed("clear", keyPrefix, err)
		}
	}
	return failed
}

// storageFailed is what a storage says as a *errs.StorageError.
func storageFailed(op, key string, err error) error {
	if errors.As(err, new(*errs.StorageError)) {
		return err
	}
	return &errs.StorageError{Op: op, Key: key, OriginalError: err}
}
