package rest

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
)

// page reads one page of a list into items: the first, which is a path with its
// query, or the one that an earlier page named as next. It returns what comes
// after it, empty if there is nothing.
func (c *Client) page(ctx context.Context, operation, first, next string, items any) (after string, err error) {
	r, err := c.get(operation, "")
	if err != nil {
		return "", err
	}
	r.path, r.query = r.here(first, next)
	result, err := c.do(ctx, r)
	if err != nil {
		return "", err
	}
	var body struct {
		Data  json.RawMessage `json:"data"`
		Links struct {
			Next text `json:"next"`
		} `json:"links"`
	}
	if err := result.decode(&body); err != nil {
		return "", err
	}
	if len(body.Data) == 0 {
		return "", result.unusable("data missing", nil)
	}
	if err := json.Unmarshal(body.Data, items); err != nil {
		return "", result.unusable("data of another kind", err)
	}
	if after = string(body.Links.Next); after != "" && after == next {
		return "", result.unusable("the page that follows is the same", nil)
	}
	return after, nil
}

// here is where a link leads to at the API, whatever host it names: the token
// goes nowhere else. A link that is none leads to the first page.
func (r *request) here(first, next string) (path, query string) {
	from, err := url.Parse(first)
	if err != nil {
		return first, ""
	}
	to, err := from.Parse(next)
	if err != nil {
		to = from
	}
	return strings.TrimPrefix(to.Path, strings.TrimSuffix(r.base.Path, "/")), to.RawQuery
}
