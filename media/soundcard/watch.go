package soundcard

import (
	"context"

	"github.com/callrx/callrx/errs"
)

// WatchDevices calls changed on the caller's goroutine when the list has changed,
// and returns nil when ctx is done. Changes are noticed within a second. After
// Close it returns [errs.ErrClosed].
func (p *Provider) WatchDevices(ctx context.Context, changed func()) error {
	watcher := make(chan struct{}, 1)
	remove := func(struct{}) { delete(p.watchers, watcher) }
	_, err := do(ctx, p, func() (struct{}, error) {
		p.watchers[watcher] = struct{}{}
		_, _ = p.look() // a system that is gone is a list that may come back
		return struct{}{}, nil
	}, remove)
	if err != nil {
		return quiet(ctx, err)
	}
	defer p.forget(remove)
	for {
		select {
		case <-watcher:
			changed()
		case <-ctx.Done():
			return nil
		case <-p.done:
			return errs.ErrClosed
		}
	}
}

// forget takes a watcher off, and leaves that to the owner if it is busy.
func (p *Provider) forget(remove func(struct{})) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _ = do(ctx, p, func() (struct{}, error) {
		remove(struct{}{})
		return struct{}{}, nil
	}, nil)
}

// quiet is nil if it was the caller who had enough.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// wake tells somebody who looks as soon as there is time.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
