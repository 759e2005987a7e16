package sessiontest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const defaultPageSize = 50

// page is one page of a list.
type page[T any] struct {
	Data  []T               `json:"data"`
	Links map[string]string `json:"links"`
}

// listAddresses answers the directory and the lookup by name.
func (s *Server) listAddresses(r *request) response {
	query := r.URL.Query()
	if query.Get("sort_order") != "" && query.Get("sort_by") == "" {
		return invalid("sort_order", "sort_order_validations", "sort_order needs sort_by")
	}
	found := s.registry.visible(r.claims)
	found = slices.DeleteFunc(found, func(a *address) bool { return !a.matches(query) })
	if len(found) == 0 {
		found = s.callable(query.Get("name"))
	}
	sortAddresses(found, query.Get("sort_by"), query.Get("sort_order"))
	return paginate(s, r, found)
}

func (s *Server) showAddress(r *request) response {
	for _, a := range s.registry.visible(r.claims) {
		if a.ID == r.PathValue("id") {
			return answer(http.StatusOK, a)
		}
	}
	return failure(http.StatusNotFound)
}

// visible returns the addresses that the holder of a token may see.
func (r *registry) visible(c claims) []*address {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*address
	for id, a := range r.addresses {
		limited := c.Kind == KindGuest || c.Kind == KindInvite || c.Kind == KindEmbed
		if !limited || slices.Contains(c.AllowedAddresses, id) {
			found = append(found, a)
		}
	}
	return found
}

// matches compares with the name filter ("/context/name" or a bare name, case-sensitive) and the others.
func (a *address) matches(query url.Values) bool {
	if name := query.Get("name"); strings.HasPrefix(name, "/") {
		if name != "/"+a.context+"/"+a.Name {
			return false
		}
	} else if name != "" && name != a.Name {
		return false
	}
	kind, display := query.Get("type"), query.Get("display_name")
	return (kind == "" || kind == a.Type) && (display == "" || display == a.DisplayName)
}

func sortAddresses(list []*address, by, order string) {
	slices.SortFunc(list, func(a, b *address) int {
		var c int
		switch by {
		case "display_name":
			c = cmp.Compare(a.DisplayName, b.DisplayName)
		case "created_at":
			c = cmp.Compare(a.CreatedAt, b.CreatedAt)
		}
		c = cmp.Or(c, cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		if order == "desc" {
			return -c
		}
		return c
	})
}

// paginate cuts the page out that the query asks for. Page tokens are opaque and good for one subscriber.
func paginate[T any](s *Server, r *request, list []T) response {
	query := r.URL.Query()
	number, size := atoi(query.Get("page_number"), 0), atoi(query.Get("page_size"), defaultPageSize)
	if number < 0 || size < 1 || size > 1000 {
		return invalid("page_size", "invalid_parameter", "page_number or page_size is out of range")
	}
	switch token := query.Get("page_token"); {
	case number > 0 && token == "":
		return invalid("page_token", "page_token_required", "page_token is required for this page")
	case number > 0 && !equalSecret(token, s.pageToken(r, number)):
		return invalid("page_token", "page_token_is_invalid", "page_token is not valid")
	}
	first := min(number*size, len(list))
	last := min(first+size, len(list))
	p := page[T]{Data: append([]T{}, list[first:last]...), Links: map[string]string{
		"self": s.pageLink(r, number, size), "first": s.pageLink(r, 0, size),
	}}
	if last < len(list) {
		p.Links["next"] = s.pageLink(r, number+1, size)
	}
	if number > 0 {
		p.Links["prev"] = s.pageLink(r, number-1, size)
	}
	return answer(http.StatusOK, p)
}

func (s *Server) pageLink(r *request, number, size int) string {
	query := r.URL.Query()
	query.Del("page_token")
	query.Set("page_number", strconv.Itoa(number))
	query.Set("page_size", strconv.Itoa(size))
	if number > 0 {
		query.Set("page_token", s.pageToken(r, number))
	}
	return s.APIURL() + r.URL.Path + "?" + query.Encode()
}

// pageToken is a keyed hash, so the server needs to remember nothing.
func (s *Server) pageToken(r *request, number int) string {
	return "PA" + s.sealer.mac(r.claims.Subject+" "+r.URL.Path+" "+strconv.Itoa(number))
}

func atoi(text string, absent int) int {
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}
