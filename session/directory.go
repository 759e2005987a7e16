package session

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/internal/rest"
	"github.com/callrx/callrx/observable"
)

// A Directory is the address book of the signed-in subscriber: the addresses that
// it may see. It asks the service for nothing until it is told to, a page at a
// time, and keeps what it got until the client signs in as somebody else.
//
// What the service refuses is an *errs.CollectionFetchError: what was loaded
// stays, and asking again goes on where it stopped. It ends with its client.
type Directory struct {
	c    *Client
	turn chan struct{} // one slot: one page at a time

	addresses *observable.State[[]*Address]
	hasMore   *observable.State[bool]
	loading   *observable.State[bool]

	mu    sync.Mutex // guards the rest
	owner string     // whose directory it is
	known map[string]*Address
	list  []*Address // in the order of arrival; shown, so only ever appended to
	next  string     // link to the next page; empty: the first
	pages int        // loaded so far

	renewing map[string]bool // entries to be asked for again; the client's loop owns it
}

func newDirectory(c *Client) *Directory {
	return &Directory{
		c: c, turn: make(chan struct{}, 1), known: map[string]*Address{}, renewing: map[string]bool{},
		addresses: observable.NewStateFunc([]*Address(nil), slices.Equal),
		hasMore:   observable.NewState(true), loading: observable.NewState(false),
	}
}

// Directory is the client's address book.
func (c *Client) Directory() *Directory { return c.directory }

// Addresses are those that are loaded, in the order of arrival. The slice is
// shared: do not change it.
func (d *Directory) Addresses() []*Address { return d.addresses.Get() }

// ObserveAddresses is the state stream of Addresses: one value for each page.
func (d *Directory) ObserveAddresses() observable.Of[[]*Address] { return d.addresses.Observe() }

// HasMore reports whether LoadMore has anything left to load. It is true until
// the service has said otherwise.
func (d *Directory) HasMore() bool { return d.hasMore.Get() }

// ObserveHasMore is the state stream of HasMore.
func (d *Directory) ObserveHasMore() observable.Of[bool] { return d.hasMore.Observe() }

// Loading reports whether a request to the service is under way.
func (d *Directory) Loading() bool { return d.loading.Get() }

// ObserveLoading is the state stream of Loading.
func (d *Directory) ObserveLoading() observable.Of[bool] { return d.loading.Observe() }

// Address is the loaded address with that id, or nil.
func (d *Directory) Address(id string) *Address {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[id]
}

// LoadMore loads the next page, by the name of the addresses, or nothing when all
// are there. Whoever calls it while a page is being loaded waits for that one.
func (d *Directory) LoadMore(ctx context.Context) error {
	before := d.loaded()
	return d.request(ctx, "load addresses", func(ctx context.Context) error {
		d.mu.Lock()
		next, pages := d.next, d.pages
		d.mu.Unlock()
		if pages != before || pages > 0 && next == "" {
			return nil
		}
		p, err := d.c.api.Addresses(ctx, next)
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.next, d.pages = p.Next, d.pages+1
		d.addLocked(p.Addresses)
		d.hasMore.Set(p.Next != "")
		return nil
	})
}

// Refresh loads everything that is loaded again, and forgets addresses that the
// service no longer has.
func (d *Directory) Refresh(ctx context.Context) error {
	pages := max(1, d.loaded())
	return d.request(ctx, "refresh addresses", func(ctx context.Context) error {
		var all []rest.Address
		next := ""
		for n := 1; ; n++ {
			p, err := d.c.api.Addresses(ctx, next)
			if err != nil {
				return err
			}
			all, next = append(all, p.Addresses...), p.Next
			if next == "" || n == pages {
				break
			}
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.next, d.pages, d.list = next, pages, nil
		before := d.known
		d.known = map[string]*Address{}
		for _, a := range all {
			if old := before[a.ID]; old != nil {
				d.known[a.ID] = old
				d.list = append(d.list, old)
			}
		}
		d.addLocked(all)
		for id, old := range before {
			if d.known[id] == nil {
				old.facts.complete()
			}
		}
		d.hasMore.Set(next != "")
		return nil
	})
}

// Fetch asks the service for one address and keeps it. An unknown id is an
// *errs.AddressNotFoundError.
func (d *Directory) Fetch(ctx context.Context, id string) (*Address, error) {
	var found *Address
	err := d.request(ctx, "fetch address "+id, func(ctx context.Context) error {
		a, err := d.c.api.Address(ctx, id)
		if err != nil {
			return err
		}
		found = d.keep(a)
		return nil
	})
	var refused *errs.HTTPError
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		err = &errs.AddressNotFoundError{Address: id, OriginalError: err}
	}
	return found, err
}

// Lookup is the address that a URI such as "/public/lobby?channel=video" leads
// to, loaded or asked for; then it is kept. The query does not matter. If there is
// none the error is an *errs.AddressNotFoundError.
func (d *Directory) Lookup(ctx context.Context, uri string) (*Address, error) {
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(uri), "subscriber://"), "?")
	if name == "" {
		return nil, &errs.InvalidParamsError{Param: "uri", Reason: "is empty: want an address such as /public/lobby"}
	}
	if a := d.named(name); a != nil {
		return a, nil
	}
	var found *Address
	err := d.request(ctx, "look up "+name, func(ctx context.Context) error {
		list, err := d.c.api.AddressesNamed(ctx, name)
		if err == nil && len(list) > 0 {
			found = d.keep(list[0])
		}
		return err
	})
	if err == nil && found == nil {
		err = &errs.AddressNotFoundError{Address: name}
	}
	return found, err
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

// request runs one request to the service when it is its turn.
func (d *Directory) request(ctx context.Context, operation string, do func(context.Context) error) error {
	ctx, cancel := joined(ctx, d.c.ctx)
	defer cancel()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	d.ownedBy(d.c.User())
	d.loading.Set(true)
	defer d.loading.Set(false)
	err := do(ctx)
	if err == nil {
		return nil
	}
	return fetchFailed(ctx, operation, err)
}

func (d *Directory) loaded() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pages
}

// ownedBy forgets what somebody else was allowed to see.
func (d *Directory) ownedBy(u *User) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u == nil || d.owner == u.ID {
		return
	}
	for _, a := range d.known {
		a.facts.complete()
	}
	d.owner, d.known, d.list, d.next, d.pages = u.ID, map[string]*Address{}, nil, "", 0
	d.addresses.Set(nil)
	d.hasMore.Set(true)
}

func (d *Directory) keep(a rest.Address) *Address {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addLocked([]rest.Address{a})
	return d.known[a.ID]
}

// addLocked takes in what the service told, new or not, and shows the list once.
func (d *Directory) addLocked(told []rest.Address) {
	for _, t := range told {
		r := newAddressRecord(t)
		if a := d.known[r.ID]; a != nil {
			a.facts.set(&r)
			continue
		}
		a := newAddress(d, r)
		d.known[r.ID] = a
		d.list = append(d.list, a)
	}
	d.addresses.Set(d.list)
}

// named is the loaded address that a name of the form /context/name leads to.
func (d *Directory) named(name string) *Address {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.list {
		for _, uri := range a.Channels() {
			if path, _, _ := strings.Cut(uri, "?"); path == name {
				return a
			}
		}
	}
	return nil
}

// complete ends everything that can be observed of the directory.
func (d *Directory) complete() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.known {
		a.facts.complete()
	}
	d.addresses.Complete()
	d.hasMore.Complete()
	d.loading.Complete()
}
