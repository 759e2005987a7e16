package rest

import (
	"context"
	"net/url"
	"slices"
)

const addressesPath = "/api/fabric/addresses"

// An AddressPage is a part of the list of addresses.
type AddressPage struct {
	Addresses []Address
	Next      string // for Addresses, to get what follows; empty on the last page
}

// Addresses returns a page of the addresses that the session's subscriber may
// see, in the order of their names: the first one, or the one that an earlier
// page's Next names. It is sent three times at most, thirty seconds each.
func (c *Client) Addresses(ctx context.Context, next string) (AddressPage, error) {
	return c.SearchAddresses(ctx, AddressQuery{}, next)
}

// An AddressQuery narrows a list of addresses to those that have all that is not
// empty.
type AddressQuery struct{ Name, DisplayName, Type string }

// SearchAddresses is Addresses for those that the query names.
func (c *Client) SearchAddresses(ctx context.Context, q AddressQuery, next string) (p AddressPage, err error) {
	first := addressesPath + "?sort_by=name&sort_order=asc"
	for _, pair := range [...][2]string{{"name", q.Name}, {"display_name", q.DisplayName}, {"type", q.Type}} {
		if pair[1] != "" {
			first += "&" + pair[0] + "=" + url.QueryEscape(pair[1])
		}
	}
	p.Next, err = c.page(ctx, "fetch addresses", first, next, &p.Addresses)
	p.Addresses = known(p.Addresses)
	return p, err
}

// AddressesNamed returns the addresses with that name, "/public/lobby" or a bare
// one; none is no error.
func (c *Client) AddressesNamed(ctx context.Context, name string) (found []Address, err error) {
	_, err = c.page(ctx, "look up address", addressesPath+"?name="+url.QueryEscape(name), "", &found)
	return known(found), err
}

// known are those with an id: what has none is no address.
func known(list []Address) []Address {
	return slices.DeleteFunc(list, func(a Address) bool { return a.ID == "" })
}

// Address returns one address. An unknown one is an *errs.HTTPError with 404.
func (c *Client) Address(ctx context.Context, id string) (Address, error) {
	r, err := c.get("fetch address", addressesPath+"/"+url.PathEscape(id))
	if err != nil {
		return Address{}, err
	}
	result, err := c.do(ctx, r)
	if err != nil {
		return Address{}, err
	}
	var a Address
	if err := result.decode(&a); err != nil {
		return Address{}, err
	}
	if a.ID == "" {
		return Address{}, result.unusable("id missing", nil)
	}
	return a, nil
}
