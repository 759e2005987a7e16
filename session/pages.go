package session

import (
	"context"
	"iter"
	"net/http"
	"strings"
	"sync"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
)

// A cursor is how far a list of the service has been loaded.
type cursor struct {
	turn    slot // one page at a time
	hasMore *observable.State[bool]
	loading *observable.State[bool]

	mu   sync.Mutex // guards the rest, and who sets loading
	at   listPlace
	busy int // requests under way
}

func newCursor() *cursor {
	return &cursor{turn: newSlot(), hasMore: observable.NewState(true), loading: observable.NewState(false)}
}

// place is where the next page is.
func (p *cursor) place() listPlace {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// set says where the list is by now.
func (p *cursor) set(at listPlace) {
	p.mu.Lock()
	p.at = at
	p.mu.Unlock()
	p.hasMore.Set(!at.end())
}

// requesting counts a request until the function that it returns is called.
func (p *cursor) requesting() (done func()) {
	count := func(n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy += n
		p.loading.Set(p.busy > 0)
	}
	count(1)
	return func() { count(-1) }
}

// complete ends what can be observed.
func (p *cursor) complete() {
	p.hasMore.Complete()
	p.loading.Complete()
}

// A listPlace is where a list goes on. The zero one is its beginning.
type listPlace struct {
	next  string // link to the next page; empty: to the first, or there is none
	pages int    // before it

	mark         string // a link that was followed
	since, until int    // how many have been after it, and how many are before another becomes the mark
}

// end reports whether there is nothing more.
func (p listPlace) end() bool { return p.pages > 0 && p.next == "" }

// beyond is the place after the page there, which names the next one. A service
// whose links lead in a circle would never end; it is found out by remembering one
// link at a time, each for twice as long as the one before (R. P. Brent, 1980).
func (p listPlace) beyond(next string) (listPlace, error) {
	if next != "" && next == p.mark {
		path, _, _ := strings.Cut(next, "?")
		return p, &errs.ResponseError{Method: http.MethodGet, Path: path, Problem: "the links from page to page lead in a circle"}
	}
	p.next, p.pages = next, p.pages+1
	if p.since++; p.since > p.until {
		p.mark, p.since, p.until = next, 0, 2*p.until+1
	}
	return p, nil
}

// rememberedItems is how many items of a list are known when they come again.
const rememberedItems = 1000

// pages goes through a list of the service, a page at a time, and keeps nothing
// but the ids of the last items: when something is added at the front meanwhile,
// the service tells the end of one page again with the next. A failure, an
// *errs.CollectionFetchError, is the last it yields.
func pages[T any](ctx context.Context, c *Client, operation string, id func(T) string, load func(ctx context.Context, next string) (page []T, after string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := joined(ctx, c.ctx)
		defer cancel()
		var at listPlace
		var had recent
		for !at.end() {
			page, after, err := load(ctx, at.next)
			for _, item := range page {
				if !had.add(id(item)) && !yield(item, nil) {
					return
				}
			}
			if err == nil {
				at, err = at.beyond(after)
			}
			if err != nil {
				var none T
				yield(none, fetchFailed(ctx, operation, err))
				return
			}
		}
	}
}

// recent remembers the last rememberedItems ids.
type recent struct {
	known map[string]bool
	ring  []string
	next  int
}

// add reports whether the id is known, and remembers it.
func (r *recent) add(id string) (known bool) {
	if r.known[id] {
		return true
	}
	if r.known == nil {
		r.known = map[string]bool{}
	}
	if len(r.ring) < rememberedItems {
		r.ring = append(r.ring, id)
	} else {
		delete(r.known, r.ring[r.next])
		r.ring[r.next] = id
		r.next = (r.next + 1) % rememberedItems
	}
	r.known[id] = true
	return false
}

// fetchFailed says that something of a list could not be had.
func fetchFailed(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &errs.CollectionFetchError{Operation: operation, OriginalError: err}
}
