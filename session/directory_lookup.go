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
	return d.byID(ctx, id, d.Address)
}

// Fetch asks the service for one address, loaded or not, and keeps it. An unknown
// id is an *errs.AddressNotFoundError.
func (d *Directory) Fetch(ctx context.Context, id string) (*Address, error) {
	return d.byID(ctx, id, unknown)
}

// unknown is what Fetch knows.
func unknown(string) *Address { return nil }

func (d *Directory) byID(ctx context.Context, id string, known func(string) *Address) (*Address, error) {
	if id == "" {
		return nil, &errs.InvalidParamsError{Param: "id", Reason: "is empty: want the id of an address"}
	}
	return d.lookUp(ctx, id, known, func(ctx context.Context) (rest.Address, error) { return d.c.api.Address(ctx, id) })
}

// lookUp asks for what is not known, once for all who want it at the same time,
// and not after what others ask for.
func (d *Directory) lookUp(ctx context.Context, what string, known func(string) *Address, ask func(context.Context) (rest.Address, error)) (*Address, error) {
	if a := known(what); a != nil {
		return a, nil
	}
	ctx, cancel := joined(ctx, d.c.ctx)
	defer cancel()
	give, err := d.lookups.take(ctx, what)
	if err != nil {
		return nil, err
	}
	defer give()
	var found *Address
	err = d.request(ctx, "look up "+what, func(ctx context.Context) (taking, error) {
		if found = known(what); found != nil { // meanwhile
			return nothing, nil
		}
		a, err := ask(ctx)
		return func(asked int) {
			d.addLocked(asked, []rest.Address{a})
			found = d.known[a.ID]
		}, err
	})
	var none *errs.AddressNotFoundError
	switch {
	case errors.As(err, &none):
		return nil, none
	case notThere(err):
		return nil, &errs.AddressNotFoundError{Address: what, OriginalError: err}
	}
	return found, err
}

// notThere reports whether the service says that there is no such thing.
func notThere(err error) bool {
	refused, ok := errors.AsType[*errs.HTTPError](err)
	return ok && refused.Status == http.StatusNotFound
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

// renew asks for a loaded address again, because the service says that it has
// changed. On the loop.
func (d *Directory) renew(id string) {
	if d.renewing[id] || d.Address(id) == nil {
		return
	}
	d.renewing[id] = true
	d.c.workers.Go(func() {
		_, err := d.lookUp(d.c.ctx, id, unknown, func(ctx context.Context) (rest.Address, error) {
			_ = d.c.ask(ctx, func() { delete(d.renewing, id) }) // what changes from now on asks again
			return d.c.api.Address(ctx, id)
		})
		if err != nil && d.c.ctx.Err() == nil {
			d.c.report(err) // nobody else waits for it
		}
	})
}
