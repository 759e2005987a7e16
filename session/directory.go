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
	c       *Client
	cursor  *cursor // its loading is of every request
	lookups slots   // one at a time for each address

	addresses *observable.State[[]*Address]

	mu    sync.Mutex // guards the rest
	owner string     // whose directory it is
	terms int        // how often it has changed hands
	asks  int        // how often the service has been asked
	known map[string]*Address
	list  []*Address // in the order of arrival; shown, so only ever appended to

	renewing map[string]bool // entries that are about to be asked for again; the client's loop owns it
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
	before := d.cursor.place().pages
	return d.turn(ctx, "load addresses", func(ctx context.Context) (taking, error) {
		at := d.cursor.place()
		if at.end() || at.pages != before { // it has been loaded meanwhile
			return nothing, nil
		}
		p, err := d.c.api.Addresses(ctx, at.next)
		if err == nil {
			at, err = at.beyond(p.Next)
		}
		return func(asked int) {
			d.addLocked(asked, p.Addresses)
			d.cursor.set(at)
		}, err
	})
}

// taking takes in, under mu, what the service told when it was asked for that time.
type taking func(asked int)

func nothing(int) {}

// turn is request for those who go through the list, one at a time.
func (d *Directory) turn(ctx context.Context, operation string, ask func(context.Context) (taking, error)) error {
	ctx, cancel := joined(ctx, d.c.ctx)
	defer cancel()
	if err := d.cursor.turn.take(ctx); err != nil {
		return err
	}
	defer d.cursor.turn.give()
	return d.request(ctx, operation, ask)
}

// request asks the service for something and takes it in, under mu; once more if
// the directory has changed hands while it did.
func (d *Directory) request(ctx context.Context, operation string, ask func(context.Context) (taking, error)) error {
	ctx, cancel := joined(ctx, d.c.ctx)
	defer cancel()
	defer d.cursor.requesting()()
	for {
		term, asked := d.asking()
		take, err := ask(ctx)
		if err != nil {
			return fetchFailed(ctx, operation, err)
		}
		if d.taken(term, func() { take(asked) }) {
			return nil
		}
	}
}

// asking tells which term it is, and when the service is asked.
func (d *Directory) asking() (term, asked int) {
	term = d.sameOwner()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asks++
	return term, d.asks
}

// taken reports whether what was asked for in that term could be taken in.
func (d *Directory) taken(term int, take func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if term == d.terms {
		take()
	}
	return term == d.terms
}

// sameOwner forgets what somebody else was allowed to see, and tells which term it
// is.
func (d *Directory) sameOwner() (term int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.c.User()
	if u == nil || d.owner == u.ID {
		return d.terms
	}
	for _, a := range d.known {
		a.facts.complete()
	}
	d.owner, d.known, d.list = u.ID, map[string]*Address{}, nil
	d.addresses.Set(nil)
	d.cursor.set(listPlace{})
	d.terms++
	return d.terms
}

// addLocked takes in what the service told and shows the list once.
func (d *Directory) addLocked(asked int, told []rest.Address) {
	for _, t := range told {
		d.mergeLocked(asked, t)
	}
	d.showLocked()
}

// mergeLocked takes in what the service told of one address, new or not, unless it
// has been asked about it later and answered sooner.
func (d *Directory) mergeLocked(asked int, told rest.Address) {
	r := newAddressRecord(told)
	a := d.known[r.ID]
	switch {
	case a == nil:
		a = newAddress(d, r)
		d.listLocked(a)
	case asked < a.asked:
		return
	default:
		a.facts.set(&r)
	}
	a.asked = asked
}

func (d *Directory) listLocked(a *Address) {
	d.known[a.id] = a
	d.list = append(d.list, a)
}

func (d *Directory) showLocked() { d.addresses.Set(slices.Clip(d.list)) }

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
