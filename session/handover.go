package session

import (
	"context"
	"errors"

	"github.com/callrx/callrx/errs"
)

// Handover ends the client as Close does but leaves its calls to the process that
// comes next: one with the same Storage and ReconnectAttachedCalls takes them up
// at once. The far ends hear nothing meanwhile, and the service holds a call for a
// minute or so. Calls that nobody has answered here are ended.
//
// It returns when the calls are free to take and the client is closed. If they
// could not be freed before ctx ended, the error is an *errs.StorageError, and the
// next process takes them over as those of one that has vanished. Without a
// Storage calls are hung up, and the error is an *errs.ConfigError.
func (c *Client) Handover(ctx context.Context) error {
	defer func() { _ = c.Close() }()
	if c.store.storage == nil {
		return &errs.ConfigError{Field: "Storage", Problem: "is needed to hand calls over"}
	}
	c.begun()
	var key string
	freed := make(chan bool, 1)
	err := c.ask(ctx, func() {
		key = c.custody.key
		c.custody.release(func(ok bool) { freed <- ok })
	})
	if err != nil {
		return err
	}
	failed := &errs.StorageError{Op: "write", Key: key}
	select {
	case ok := <-freed:
		if ok {
			return nil
		}
		failed.OriginalError = errors.New("the calls could not be freed")
	case <-ctx.Done():
		failed.OriginalError = context.Cause(ctx)
	}
	return failed
}

// release gives up the calls without a word to the service.
func (u *custody) release(done func(ok bool)) {
	mine := u.mine()
	u.handedOver, u.left = true, attachRecords{}
	for _, k := range u.c.streams.calls.Get() {
		if k.kept {
			k.kept, k.known = false, false
		}
	}
	if len(mine) == 0 {
		done(true)
		return
	}
	var lost []string
	u.c.store.amend(u.key, mine.write(u.owner, "", &lost), done)
}
