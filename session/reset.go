package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
)

// ResetToDefaults sets every preference to its default, does what
// [Devices.ClearState] does and removes all that the SDK keeps in Options.Storage, of
// this client and of others that use it: every key that begins with "sw:", in both
// scopes. That is the credential, its key, the session, the records of calls, the
// preferences and the selected devices.
//
// The client goes on with what else it has in memory: it stays signed in, its calls
// go on, and what changes from now on is stored again. Calls of this client go back on
// record at once, so that they survive the process. Devices are listed anew beside it,
// as far as anybody has asked for them yet.
//
// A *errs.StorageError says that something may still be stored; the preferences
// and the devices are reset then. After Client.Close it is errs.ErrClosed.
func (c *Client) ResetToDefaults(ctx context.Context) error {
	if err := c.preferences.ResetToDefaults(); err != nil {
		return err
	}
	failed := c.store.clear(ctx)
	c.begun()
	if err := c.ask(context.WithoutCancel(ctx), c.forgotten); err != nil {
		return err
	}
	return failed
}

// forgotten is told when nothing is stored any more. On the loop.
func (c *Client) forgotten() {
	c.devices.forget()
	if c.devices.listed {
		c.devices.refresh()
	}
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
