package session_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// answers is a transport that answers some reads itself; everything else goes to
// the gateway.
type answers struct {
	http.RoundTripper
	to func(r *http.Request) (body string, ok bool)
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		if body, ok := a.to(r); ok {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}
	}
	return a.RoundTripper.RoundTrip(r)
}

// inAnswers is inConversation with a service that answers some reads otherwise.
func inAnswers(t *testing.T, to func(r *http.Request) (body string, ok bool), test func(t *testing.T, r *rig, bob *session.Address)) {
	t.Helper()
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		r.srv.IssueSAT(sessiontest.SATRequest{Reference: "bob"})
		own := *r.opts.HTTPClient
		own.Transport = answers{own.Transport, to}
		r.opts.HTTPClient = &own
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		bob, err := r.c.Directory().Lookup(r.t.Context(), "/private/bob")
		if err != nil {
			r.t.Fatal(err)
		}
		test(r.t, r, bob)
	})
}

// circle answers every list with an empty page, of which the last of so many names
// the one at which the circle begins.
func circle(asked *int, begins, pages int) func(r *http.Request) (string, bool) {
	return func(r *http.Request) (string, bool) {
		page := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("page_number"), &page)
		if r.URL.Query().Has("name") || !strings.Contains(r.URL.Path, "/addresses") && !strings.Contains(r.URL.Path, "/conversations") {
			return "", false
		}
		*asked++
		if page++; page == pages {
			page = begins
		}
		return fmt.Sprintf(`{"data":[],"links":{"next":%q}}`, fmt.Sprintf("%s?page_number=%d", r.URL.Path, page)), true
	}
}

// TestListsThatLeadInACircleEnd with the reason, however long the circle is and
// wherever it begins.
func TestListsThatLeadInACircleEnd(t *testing.T) {
	for _, c := range []struct{ begins, pages int }{{0, 1}, {0, 2}, {1, 3}, {5, 12}, {0, 100}, {200, 300}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			asked := 0
			inAnswers(t, circle(&asked, c.begins, c.pages), func(t *testing.T, r *rig, bob *session.Address) {
				d, k := r.c.Directory(), mustTalk(t, bob)
				all := func(more func() bool, load func() error) error {
					for more() {
						if err := load(); err != nil {
							return err
						}
					}
					return nil
				}
				for what, get := range map[string]func() error{
					"search":        func() error { return through(d.Search(t.Context(), session.AddressFilter{})) },
					"conversations": func() error { return through(r.c.Conversations(t.Context())) },
					"history":       func() error { return through(k.History(t.Context())) },
					"addresses":     func() error { return all(d.HasMore, func() error { return d.LoadMore(t.Context()) }) },
					"messages":      func() error { return all(k.HasMore, func() error { return k.LoadMore(t.Context()) }) },
				} {
					asked = 0
					var failed *errs.CollectionFetchError
					var unusable *errs.ResponseError
					if err := get(); !errors.As(err, &failed) || !errors.As(err, &unusable) || !strings.HasPrefix(unusable.Path, "/api/fabric/") {
						t.Errorf("%s: %v", what, err)
					}
					if asked > 4*c.pages {
						t.Errorf("%s: %d pages were asked for", what, asked)
					}
				}
			})
		})
	}
}

// TestCatchingUpEndsInACircle: nobody else would end it.
func TestCatchingUpEndsInACircle(t *testing.T) {
	asked := 0
	inAnswers(t, circle(&asked, 1, 3), func(t *testing.T, r *rig, bob *session.Address) {
		mustTalk(t, bob)
		say(t, r.srv, "bob", "ann", "000")
		time.Sleep(time.Second)
		away(r, func() {})
		if got := allErrors[*errs.CollectionFetchError](r); len(got) != 1 || asked > 12 {
			t.Errorf("reported %v after %d pages", got, asked)
		}
	})
}

// TestNothingComesTwiceThoughPagesShift, because something is added at the front
// while they are read, and nothing is left out.
func TestNothingComesTwiceThoughPagesShift(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k := mustTalk(t, bob)
		for i := range 250 {
			say(t, r.srv, "bob", "ann", fmt.Sprintf("%03d", i))
		}
		addRooms(t, r.srv, 120)
		var read, want []string
		for m, err := range k.History(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, fmt.Sprintf("%03d", 249-len(read)))
			if read = append(read, m.Text); len(read)%50 == 0 {
				say(t, r.srv, "bob", "ann", "later")
			}
		}
		if len(read) != 250 || fmt.Sprint(read) != fmt.Sprint(want) {
			t.Errorf("%d messages: %v", len(read), read)
		}
		times := map[string]int{}
		for a, err := range r.c.Directory().Search(t.Context(), session.AddressFilter{Type: session.ResourceRoom}) {
			if err != nil {
				t.Fatal(err)
			}
			if times[a.Name]++; len(times)%30 == 0 {
				addRoom(t, r.srv, fmt.Sprintf("a-%d", len(times)), "new")
			}
		}
		for name, n := range times {
			if n != 1 {
				t.Errorf("%s came %d times", name, n)
			}
		}
		if len(times) != 120 {
			t.Errorf("%d rooms", len(times))
		}
	})
}

// TestEmptyPagesAreNotTheEnd, if they name another one.
func TestEmptyPagesAreNotTheEnd(t *testing.T) {
	to := func(r *http.Request) (string, bool) {
		switch q := r.URL.Query(); {
		case r.URL.Path != pathAddresses || q.Has("name"):
			return "", false
		case q.Get("page_number") == "20":
			return `{"data":[{"id":"a","name":"the only one"}],"links":{"next":""}}`, true
		default:
			page := 0
			_, _ = fmt.Sscan(q.Get("page_number"), &page)
			return fmt.Sprintf(`{"data":[],"links":{"next":"?page_number=%d"}}`, page+1), true
		}
	}
	inAnswers(t, to, func(t *testing.T, r *rig, _ *session.Address) {
		n := 0
		for a, err := range r.c.Directory().Search(t.Context(), session.AddressFilter{}) {
			if err != nil || a.Name != "the only one" {
				t.Errorf("%v, %+v", err, a)
			}
			n++
		}
		d := r.c.Directory()
		for d.HasMore() {
			if err := d.LoadMore(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n != 1 || d.Address("a") == nil {
			t.Errorf("%d found, %v loaded", n, d.Address("a"))
		}
	})
}

// TestAccountNeedsATokenToBeAskedFor: before the first one there is nothing to ask
// with, nor, unless the program names it, anybody to ask.
func TestAccountNeedsATokenToBeAskedFor(t *testing.T) {
	for _, url := range []string{"", "https://fabric.example.com"} {
		c := idle(t, session.Options{APIURL: url})
		_, lookup := c.Directory().Lookup(t.Context(), "/public/lobby")
		for what, err := range map[string]error{
			"page": c.Directory().LoadMore(t.Context()), "refresh": c.Directory().Refresh(t.Context()), "lookup": lookup,
			"search":        through(c.Directory().Search(t.Context(), session.AddressFilter{})),
			"conversations": through(c.Conversations(t.Context())),
		} {
			var failed *errs.CollectionFetchError
			var missing *errs.DependencyError
			if !errors.As(err, &failed) || !errors.As(err, &missing) || !strings.HasPrefix(missing.Description, "token") {
				t.Errorf("%q, %s: %v", url, what, err)
			}
		}
	}
}
