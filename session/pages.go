package session

import (
	"context"
	"iter"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
)

// A cursor is how far a list of the service has been loaded.
type cursor struct {
	turn    slot // one request at a time
	hasMore *observable.State[bool]
	loading *observable.State[bool]

	mu    sync.Mutex // guards the rest
	next  string     // link to the next page; empty: the first
	pages int        // loaded so far
}

func newCursor() *cursor {
	return &cursor{turn: newSlot(), hasMore: observable.NewState(true), loading: observable.NewState(false)}
}

// loaded is how many pages have been.
func (p *cursor) loaded() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pages
}

// set says where the list is by now.
func (p *cursor) set(next string, pages int) {
	p.mu.Lock()
	p.next, p.pages = next, pages
	p.mu.Unlock()
	p.hasMore.Set(pages == 0 || next != "")
}

// more loads the next page for who has the turn, unless there is none or somebody
// has loaded it while the caller, who came when there were so many, waited.
func (p *cursor) more(before int, load func(next string) (after string, err error)) error {
	p.mu.Lock()
	next, pages := p.next, p.pages
	p.mu.Unlock()
	if pages != before || pages > 0 && next == "" {
		return nil
	}
	p.loading.Set(true)
	defer p.loading.Set(false)
	after, err := load(next)
	if err == nil {
		p.set(after, pages+1)
	}
	return err
}

// complete ends what can be observed.
func (p *cursor) complete() {
	p.hasMore.Complete()
	p.loading.Complete()
}

// pages goes through a list of the service, a page at a time, and keeps nothing.
// A failure, an *errs.CollectionFetchError, is the last it yields.
func pages[T any](ctx context.Context, c *Client, operation string, load func(ctx context.Context, next string) (page []T, after string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := joined(ctx, c.ctx)
		defer cancel()
		for next := ""; ; {
			page, after, err := load(ctx, next)
			if err != nil {
				var none T
				yield(none, fetchFailed(ctx, operation, err))
				return
			}
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if next = after; next == "" {
				return
			}
		}
	}
}

// fetchFailed says that something of a list could not be had.
func fetchFailed(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &errs.CollectionFetchError{Operation: operation, OriginalError: err}
}
