package session

import (
	"context"
	"iter"

	"github.com/callrx/callrx/errs"
)

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
