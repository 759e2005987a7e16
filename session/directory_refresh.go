package session

import (
	"context"

	"github.com/callrx/callrx/internal/rest"
)

// Refresh loads everything that is loaded again, in the order that the service has
// by now, and forgets addresses that the service no longer has. What was found by a
// look-up, or is on a later page by now, is asked for one by one. With an error
// everything stays as it was.
func (d *Directory) Refresh(ctx context.Context) error {
	return d.turn(ctx, "refresh addresses", func(ctx context.Context) (taking, error) {
		before := d.Addresses()
		told, at, err := d.again(ctx, max(1, d.cursor.place().pages))
		if err == nil {
			told, err = d.others(ctx, told, before)
		}
		return func(asked int) {
			d.replaceLocked(asked, told, len(before))
			d.cursor.set(at)
		}, err
	})
}

// again loads so many pages from the beginning, or all there are.
func (d *Directory) again(ctx context.Context, pages int) (told []rest.Address, at listPlace, err error) {
	for err == nil && at.pages < pages && !at.end() {
		var p rest.AddressPage
		if p, err = d.c.api.Addresses(ctx, at.next); err == nil {
			told = append(told, p.Addresses...)
			at, err = at.beyond(p.Next)
		}
	}
	return told, at, err
}

// others are those told and those of before that are not among them but still
// there.
func (d *Directory) others(ctx context.Context, told []rest.Address, before []*Address) ([]rest.Address, error) {
	has := map[string]bool{}
	for _, t := range told {
		has[t.ID] = true
	}
	for _, a := range before {
		if has[a.id] {
			continue
		}
		t, err := d.c.api.Address(ctx, a.id)
		switch {
		case err == nil:
			told = append(told, t)
		case !notThere(err):
			return nil, err
		}
	}
	return told, nil
}

// replaceLocked has the directory hold what the service told, and what was looked
// up after the first so many. What was known before is the same address after it.
func (d *Directory) replaceLocked(asked int, told []rest.Address, before int) {
	known, later := d.known, d.list[before:]
	d.known, d.list = map[string]*Address{}, nil
	for _, t := range told {
		if a := known[t.ID]; a != nil && d.known[t.ID] == nil {
			d.listLocked(a)
		}
		d.mergeLocked(asked, t)
	}
	for _, a := range later {
		if d.known[a.id] == nil {
			d.listLocked(a)
		}
	}
	for id, a := range known {
		if d.known[id] == nil {
			a.facts.complete()
		}
	}
	d.showLocked()
}
