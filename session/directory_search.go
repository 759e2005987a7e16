package session

import (
	"context"
	"iter"

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
// memory than one page. The zero filter passes all. An *errs.CollectionFetchError
// ends it.
func (d *Directory) Search(ctx context.Context, f AddressFilter) iter.Seq2[AddressRecord, error] {
	query := rest.AddressQuery{Name: f.Name, DisplayName: f.DisplayName, Type: string(f.Type)}
	id := func(r AddressRecord) string { return r.ID }
	return pages(ctx, d.c, "search addresses", id, func(ctx context.Context, next string) (page []AddressRecord, after string, err error) {
		p, err := d.c.api.SearchAddresses(ctx, query, next)
		for _, a := range p.Addresses {
			page = append(page, newAddressRecord(a))
		}
		return page, p.Next, err
	})
}
