package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// through goes through a sequence to its first error.
func through[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// fetches are all the ways to ask for a part of a list, by the path they ask.
func fetches(r *rig, bob *session.Address, k *session.Conversation) map[string]func(context.Context) error {
	d, talk, carol := r.c.Directory(), "/api/fabric/conversations", ""
	for a := range d.Search(r.t.Context(), session.AddressFilter{Name: "carol"}) {
		carol = a.ID
	}
	return map[string]func(context.Context) error{
		"LoadMore " + pathAddresses:                                  d.LoadMore,
		"Refresh " + pathAddresses:                                   d.Refresh,
		"Search " + pathAddresses:                                    func(ctx context.Context) error { return through(d.Search(ctx, session.AddressFilter{})) },
		"Lookup " + pathAddresses:                                    func(ctx context.Context) error { _, err := d.Lookup(ctx, "/private/carol"); return err },
		"LookupID " + pathAddresses + "/" + carol:                    func(ctx context.Context) error { _, err := d.LookupID(ctx, carol); return err },
		"Address.Refresh " + pathAddresses + "/" + bob.ID():          bob.Refresh,
		"Conversation.LoadMore " + talk + "/" + k.ID() + "/messages": k.LoadMore,
		"History " + talk + "/" + k.ID() + "/messages":               func(ctx context.Context) error { return through(k.History(ctx)) },
		"Conversations " + talk:                                      func(ctx context.Context) error { return through(r.c.Conversations(ctx)) },
	}
}

// TestEveryFailedFetchTellsWhatFailedAndWhy: whatever goes wrong with a page or an
// entry, the caller gets a CollectionFetchError with the cause inside.
func TestEveryFailedFetchTellsWhatFailedAndWhy(t *testing.T) {
	status := func(want int) func(error) bool {
		return func(err error) bool {
			var refused *errs.HTTPError
			return errors.As(err, &refused) && refused.Status == want
		}
	}
	unusable := func(err error) bool { return errors.As(err, new(*errs.ResponseError)) }
	for name, c := range map[string]struct {
		action sessiontest.Action
		cause  func(error) bool
	}{
		"status 500":   {sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 500}, status(500)},
		"status 401":   {sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401}, status(401)},
		"status 429":   {sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 429}, status(429)},
		"a web page":   {sessiontest.Action{Kind: sessiontest.FaultHTML}, unusable},
		"half a body":  {sessiontest.Action{Kind: sessiontest.FaultTruncated}, unusable},
		"nothing":      {sessiontest.Action{Kind: sessiontest.FaultEmpty}, unusable},
		"another kind": {sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: `{"data":"none","id":7}`}, unusable},
		"a broken connection": {sessiontest.Action{Kind: sessiontest.FaultReset}, func(err error) bool {
			return errors.As(err, new(*errs.RequestError))
		}},
		"no answer": {sessiontest.Action{Kind: sessiontest.FaultHang}, func(err error) bool {
			return errors.As(err, new(*errs.RequestTimeoutError)) && errors.Is(err, context.DeadlineExceeded)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
				for what, fetch := range fetches(r, bob, mustTalk(t, bob)) {
					what, path, _ := strings.Cut(what, " ")
					fault := r.fault(path, -1, c.action)
					err := fetch(t.Context())
					fault.Remove()
					var failed *errs.CollectionFetchError
					if !errors.As(err, &failed) || failed.Operation == "" || !c.cause(err) {
						t.Errorf("%s: %v", what, err)
					}
					if r.c.Directory().Loading() {
						t.Errorf("%s: still loading", what)
					}
				}
				if reported := allErrors[error](r); len(reported) != 0 {
					t.Errorf("reported as well: %v", reported)
				}
			})
		})
	}
}

// TestEveryFetchEndsWithItsContextAndItsClient, at once and with the reason.
func TestEveryFetchEndsWithItsContextAndItsClient(t *testing.T) {
	changedMyMind := errors.New("changed my mind")
	for name, want := range map[string]error{"context": changedMyMind, "client": errs.ErrClosed} {
		t.Run(name, func(t *testing.T) {
			inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
				ctx, cancel := context.WithCancelCause(t.Context())
				ended := map[string]chan error{}
				for what, fetch := range fetches(r, bob, mustTalk(t, bob)) {
					_, path, _ := strings.Cut(what, " ")
					r.fault(path, -1, sessiontest.Action{Kind: sessiontest.FaultHang})
					done := make(chan error, 1)
					ended[what] = done
					go func() { done <- fetch(ctx) }()
				}
				synctest.Wait() // all have asked, or wait for their turn
				if began := time.Now(); name == "client" {
					_ = r.c.Close()
				} else if cancel(changedMyMind); time.Since(began) != 0 {
					t.Error("cancelling took time")
				}
				for what, done := range ended {
					if err := <-done; !errors.Is(err, want) {
						t.Errorf("%s: %v", what, err)
					}
				}
				cancel(nil)
				r.srv.ClearFaults()
			})
		})
	}
}

// TestRefusedTokenIsRenewedForAPage: the caller of a page notices nothing, nor one
// whose request is refused while the token is being renewed.
func TestRefusedTokenIsRenewedForAPage(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := &scripted{first: r.sat(time.Hour, ""), next: func(context.Context, int) (session.Credential, error) {
			time.Sleep(time.Second) // in a bubble
			return r.sat(2*time.Hour, ""), nil
		}}
		r.connect(p)
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401})
		r.fault("/api/fabric/conversations", 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 401})
		var all sync.WaitGroup
		all.Go(func() {
			if err := r.c.Directory().LoadMore(r.t.Context()); err != nil {
				t.Errorf("addresses: %v", err)
			}
		})
		all.Go(func() {
			time.Sleep(500 * time.Millisecond) // in a bubble
			if err := through(r.c.Conversations(r.t.Context())); err != nil {
				t.Errorf("conversations: %v", err)
			}
		})
		all.Wait()
		if p.count() != 1 || requests(r) != 2 {
			t.Errorf("%d refreshes, %d requests", p.count(), requests(r))
		}
	})
}

func TestDirectoryLookupsAtOnceAskOnce(t *testing.T) {
	inDirectory(t, 3, func(t *testing.T, r *rig, d *session.Directory) {
		known, err := d.Lookup(t.Context(), "/public/room-00002")
		if err != nil {
			t.Fatal(err)
		}
		before := requests(r)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				a, err := d.Lookup(t.Context(), "/public/room-00001")
				if err != nil || a.Name() != "room-00001" {
					t.Errorf("%v, %v", a, err)
				}
				if same, err := d.LookupID(t.Context(), a.ID()); err != nil || same != a {
					t.Errorf("by id %v, %v", same, err)
				}
				if bare, err := d.Lookup(t.Context(), "room-00002"); err != nil || bare != known {
					t.Errorf("by its bare name %v, %v", bare, err)
				}
			})
		}
		all.Wait()
		if n := requests(r) - before; n != 1 || len(d.Addresses()) != 2 {
			t.Errorf("%d requests, %d addresses", n, len(d.Addresses()))
		}
	})
}

func TestLoadingIsTrueWhileARequestIsUnderWay(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		k, d := mustTalk(t, bob), r.c.Directory()
		var directory, talk []bool
		d.ObserveLoading().Subscribe(t.Context(), func(b bool) { directory = append(directory, b) })
		k.ObserveLoading().Subscribe(t.Context(), func(b bool) { talk = append(talk, b) })
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second})
		if err := errors.Join(d.LoadMore(t.Context()), k.LoadMore(t.Context())); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if fmt.Sprint(directory, talk) != "[false true false] [false true false]" || k.Loading() {
			t.Errorf("directory %v, conversation %v", directory, talk)
		}
	})
}

// manyMessages is a transport whose conversations have so many messages.
type manyMessages struct {
	http.RoundTripper
	n int
}

func (m manyMessages) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/messages") || r.Method != http.MethodGet {
		return m.RoundTripper.RoundTrip(r)
	}
	page := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("page_number"), &page)
	var body strings.Builder
	group := strings.Split(r.URL.Path, "/")[4]
	body.WriteString(`{"data":[`)
	for i := m.n - page*100; i > m.n-page*100-100; i-- {
		fmt.Fprintf(&body, `{"id":"m-%d","group_id":%q,"ts":%d,"subtype":"chat","text":"message number %d"},`, i, group, 1_700_000_000_000+i, i)
	}
	text := strings.TrimSuffix(body.String(), ",") + `],"links":{`
	if page*100+100 < m.n {
		text += fmt.Sprintf(`"next":"https://elsewhere.example%s?page_number=%d"`, r.URL.Path, page+1)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text + "}}")), Request: r}, nil
}

// TestHistoryNeedsNoMemory: ten thousand messages come and go, newest first.
func TestHistoryNeedsNoMemory(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		const messages = 10_000
		many := *r.opts.HTTPClient
		many.Transport = manyMessages{many.Transport, messages}
		r.opts.HTTPClient = &many
		r.srv.IssueSAT(sessiontest.SATRequest{Reference: "bob"})
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		bob, err := r.c.Directory().Lookup(r.t.Context(), "/private/bob")
		if err != nil {
			t.Fatal(err)
		}
		k := mustTalk(r.t, bob)
		before, most, n := liveHeap(), uint64(0), messages
		for m, err := range k.History(r.t.Context()) {
			if want := fmt.Sprintf("message number %d", n); err != nil || m.Text != want {
				t.Fatalf("%v, %q, want %q", err, m.Text, want)
			}
			if n--; n%2500 == 0 {
				most = max(most, liveHeap())
			}
		}
		if grown := int64(most) - int64(before); n != 0 || grown > 2<<20 || len(k.Messages()) != 0 {
			t.Errorf("%d left, %d bytes more, %d kept", n, grown, len(k.Messages()))
		} else {
			t.Logf("%d bytes more", grown)
		}
	})
}

// TestMessagesCostAReaderThatDoesNotReadOnlyThemselves: each list that waits for a
// slow reader shares its messages with all others.
func TestMessagesCostAReaderThatDoesNotReadOnlyThemselves(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		const messages = 2000
		k := mustTalk(t, bob)
		release := make(chan struct{})
		lists := 0
		slow := k.ObserveMessages().Subscribe(t.Context(), func([]session.Message) { <-release; lists++ })
		before := liveHeap()
		for i := range messages {
			say(t, r.srv, "bob", "ann", fmt.Sprint(i))
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait() // all have arrived
		grown := int64(liveHeap()) - int64(before)
		if len(k.Messages()) != messages || grown > 32<<20 { // copies would take 350 MB
			t.Errorf("%d messages, %d bytes more", len(k.Messages()), grown)
		}
		t.Logf("%d bytes more", grown)
		close(release)
		_ = r.c.Close()
		<-slow.Done()
		if lists != messages+1 {
			t.Errorf("%d lists", lists)
		}
	})
}
