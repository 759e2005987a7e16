package session

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
)

// Lookup is the address that a URI such as "/public/lobby?channel=video" leads
// to, loaded or asked for; then it is kept. The query does not matter. If there is
// none the error is an *errs.AddressNotFoundError.
func (d *Directory) Lookup(ctx context.Context, uri string) (*Address, error) {
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(uri), "subscriber://"), "?")
	if name == "" {
		return nil, &errs.InvalidParamsError{Param: "uri", Reason: "is empty: want an address such as /public/lobby"}
	}
	return d.lookUp(ctx, name, d.named, func(ctx context.Context) (rest.Address, error) {
		list, err := d.c.api.AddressesNamed(ctx, name)
		if err == nil && len(list) == 0 {
			err = &errs.AddressNotFoundError{Address: name}
		}
		if err != nil {
			return rest.Address{}, err
		}
		return list[0], nil
	})
}

// LookupID is the address with that id, loaded or asked for; then it is kept. It
// tells who wrote a [Message]. If there is none the error is an
// *errs.AddressNotFoundError.
func (d *Directory) LookupID(ctx context.Context, id string) (*Address, error) {
	return d.lookUp(ctx, id, d.Address, func(ctx context.Context) (rest.Address, error) { return d.c.api.Address(ctx, id) })
}

// Fetch asks the service for one address, loaded or not, and keeps it. An unknown
// id is an *errs.AddressNotFoundError.
func (d *Directory) Fetch(ctx context.Context, id string) (*Address, error) {
	never := func(string) *Address { return nil }
	return d.lookUp(ctx, id, never, func(ctx context.Context) (rest.Address, error) { return d.c.api.Address(ctx, id) })
}

// lookUp asks for what is not known, once for all who want it at the same time.
func (d *Directory) lookUp(ctx context.Context, what string, known func(string) *Address, ask func(context.Context) (rest.Address, error)) (*Address, error) {
	if a := known(what); a != nil {
		return a, nil
	}
	var found *Address
	err := d.request(ctx, "look up "+what, func(ctx context.Context) error {
		if found = known(what); found != nil { // meanwhile
			return nil
		}
		a, err := ask(ctx)
		if err == nil {
			found = d.keep(a)
		}
		return err
	})
	var none *errs.AddressNotFoundError
	var refused *errs.HTTPError
	switch {
	case errors.As(err, &none):
		return nil, none
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		return nil, &errs.AddressNotFoundError{Address: what, OriginalError: err}
	}
	return found, err
}

// named is the loaded address that "/context/name" leads to, or that has a bare
// name.
func (d *Directory) named(name string) *Address {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.list {
		if a.Name() == name {
			return a
		}
		for _, uri := range a.Channels() {
			if path, _, _ := strings.Cut(uri, "?"); path == name {
				return a
			}
		}
	}
	return nil
}

func (d *Directory) keep(a rest.Address) *Address {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addLocked([]rest.Address{a}, nil)
	return d.known[a.ID]
}

// renew asks for a loaded address again, because the service says that it has
// changed. On the loop.
func (d *Directory) renew(id string) {
	if d.renewing[id] || d.Address(id) == nil {
		return
	}
	d.renewing[id] = true
	d.c.workers.Go(func() {
		d.c.post(func() { delete(d.renewing, id) }) // what changes from now on asks again
		if _, err := d.Fetch(d.c.ctx, id); err != nil && d.c.ctx.Err() == nil {
			d.c.report(err) // nobody else waits for it
		}
	})
}
