package session

import (
	"context"
	"iter"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

// An AddressFilter narrows a search to addresses that have all that is not empty.
type AddressFilter struct {
	Name        string // exactly: "lobby" or "/public/lobby"
	DisplayName string // exactly
	Type        ResourceType
}

// Search goes through all addresses that pass the filter, by their names, a page
// at a time as the loop goes on, and keeps none of them: ten thousand take no more
// memory than one page. The zero filter passes all. An error ends it.
func (d *Directory) Search(ctx context.Context, f AddressFilter) iter.Seq2[AddressRecord, error] {
	return func(yield func(AddressRecord, error) bool) {
		ctx, cancel := d.c.whileOpen(ctx)
		defer cancel()
		query := rest.AddressQuery{Name: f.Name, DisplayName: f.DisplayName, Type: string(f.Type)}
		for next := ""; ; {
			p, err := d.c.api.SearchAddresses(ctx, query, next)
			if err != nil {
				yield(AddressRecord{}, d.searchFailed(ctx, err))
				return
			}
			for _, a := range p.Addresses {
				if !yield(newAddressRecord(a), nil) {
					return
				}
			}
			if next = p.Next; next == "" {
				return
			}
		}
	}
}

func (d *Directory) searchFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	failed := &errs.CollectionFetchError{Operation: "search addresses", OriginalError: err}
	d.c.report(failed)
	return failed
}
