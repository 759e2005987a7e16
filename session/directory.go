package session

import (
	"context"
	"slices"
	"sync"

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
	c      *Client
	cursor *cursor // its turn and its loading are of every request

	addresses *observable.State[[]*Address]

	mu    sync.Mutex // guards the rest
	owner string     // whose directory it is
	known map[string]*Address
	list  []*Address // in the order of arrival; shown, so only ever appended to

	renewing map[string]bool // entries to be asked for again; the client's loop owns it
}

func newDirectory(c *Client) *Directory {
	return &Directory{
		c: c, cursor: newCursor(), known: map[string]*Address{}, renewing: map[string]bool{},
		addresses: observable.NewStateFunc([]*Address(nil), slices.Equal),
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
func (d *Directory) HasMore() bool { return d.cursor.hasMore.Get() }

// ObserveHasMore is the state stream of HasMore.
func (d *Directory) ObserveHasMore() observable.Of[bool] { return d.cursor.hasMore.Observe() }

// Loading reports whether a request to the service is under way.
func (d *Directory) Loading() bool { return d.cursor.loading.Get() }

// ObserveLoading is the state stream of Loading.
func (d *Directory) ObserveLoading() observable.Of[bool] { return d.cursor.loading.Observe() }

// Address is the loaded address with that id, or nil.
func (d *Directory) Address(id string) *Address {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[id]
}

// LoadMore loads the next page, by the name of the addresses, or nothing when all
// are there. Whoever calls it while a page is being loaded waits for that one.
func (d *Directory) LoadMore(ctx context.Context) error {
	before := d.cursor.loaded()
	return d.request(ctx, "load addresses", func(ctx context.Context) error {
		return d.cursor.more(before, func(next string) (string, error) {
			p, err := d.c.api.Addresses(ctx, next)
			if err != nil {
				return "", err
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			d.addLocked(p.Addresses, nil)
			return p.Next, nil
		})
	})
}

// Refresh loads everything that is loaded again, in the order that the service has
// by now, and forgets addresses that the service no longer has.
func (d *Directory) Refresh(ctx context.Context) error {
	pages := max(1, d.cursor.loaded())
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
		d.replace(all)
		d.cursor.set(next, pages)
		return nil
	})
}

// replace has the directory hold what the service told, and nothing else.
func (d *Directory) replace(told []rest.Address) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.known
	d.known, d.list = map[string]*Address{}, nil
	d.addLocked(told, before)
	for id, old := range before {
		if d.known[id] == nil {
			old.facts.complete()
		}
	}
}

// request runs one request to the service when it is its turn.
func (d *Directory) request(ctx context.Context, operation string, do func(context.Context) error) error {
	ctx, cancel := joined(ctx, d.c.ctx)
	defer cancel()
	if err := d.cursor.turn.take(ctx); err != nil {
		return err
	}
	defer d.cursor.turn.give()
	d.ownedBy(d.c.User())
	d.cursor.loading.Set(true)
	defer d.cursor.loading.Set(false)
	err := do(ctx)
	if err == nil {
		return nil
	}
	return fetchFailed(ctx, operation, err)
}

// changeHands forgets what somebody else was allowed to see as soon as no request
// is under way.
func (d *Directory) changeHands() {
	_ = d.request(d.c.ctx, "", func(context.Context) error { return nil })
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
	d.owner, d.known, d.list = u.ID, map[string]*Address{}, nil
	d.addresses.Set(nil)
	d.cursor.set("", 0)
}

// addLocked takes in what the service told, new or not, and shows the list once.
// What was known before a refresh is the same address after it.
func (d *Directory) addLocked(told []rest.Address, before map[string]*Address) {
	for _, t := range told {
		r := newAddressRecord(t)
		a, listed := d.known[r.ID]
		if !listed {
			a = before[r.ID]
		}
		if a != nil {
			a.facts.set(&r)
		} else {
			a = newAddress(d, r)
		}
		if !listed {
			d.known[r.ID] = a
			d.list = append(d.list, a)
		}
	}
	d.addresses.Set(slices.Clip(d.list))
}

// complete ends everything that can be observed of the directory.
func (d *Directory) complete() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.known {
		a.facts.complete()
	}
	d.addresses.Complete()
	d.cursor.complete()
}
