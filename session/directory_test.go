package session_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

const pathAddresses = "/api/fabric/addresses"

// addRooms makes rooms named room-00000 and so on.
func addRooms(t testing.TB, srv *sessiontest.Server, n int) {
	t.Helper()
	for i := range n {
		addRoom(t, srv, fmt.Sprintf("room-%05d", i), fmt.Sprintf("Room %d", i))
	}
}

// addRoom makes a room as a project's backend does.
func addRoom(t testing.TB, srv *sessiontest.Server, name, shown string) {
	t.Helper()
	body := fmt.Sprintf(`{"name":%q,"display_name":%q}`, name, shown)
	backend(t, srv, http.MethodPost, "conference_rooms", body, http.StatusOK)
}

// backend asks for a change of a project's resources.
func backend(t testing.TB, srv *sessiontest.Server, method, resource, body string, want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.APIURL()+"/api/fabric/resources/"+resource, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(srv.Project())
	answer, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != want {
		t.Fatalf("%s %s: %s", method, resource, answer.Status)
	}
}

// inDirectory runs a test with a directory of so many rooms and ann herself.
func inDirectory(t *testing.T, rooms int, test func(t *testing.T, r *rig, d *session.Directory)) {
	t.Helper()
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		addRooms(r.t, r.srv, rooms)
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		test(r.t, r, r.c.Directory())
	})
}

// completes returns when the observable has.
func completes[T any](t *testing.T, o observable.Of[T]) {
	t.Helper()
	if _, err := o.Wait(t.Context(), func(T) bool { return false }); !errors.Is(err, observable.ErrCompleted) {
		t.Error(err)
	}
}

func requests(r *rig) int {
	n := 0
	for _, e := range r.srv.Journal() {
		if strings.HasPrefix(e.Path, pathAddresses) {
			n++
		}
	}
	return n
}

func TestDirectoryLoadsAPageAtATimeAndNothingUnasked(t *testing.T) {
	inDirectory(t, 120, func(t *testing.T, r *rig, d *session.Directory) {
		if len(d.Addresses()) != 0 || !d.HasMore() || requests(r) != 0 {
			t.Errorf("%d addresses, more: %v, %d requests", len(d.Addresses()), d.HasMore(), requests(r))
		}
		var sizes []int
		watched := d.ObserveAddresses().Subscribe(t.Context(), func(l []*session.Address) { sizes = append(sizes, len(l)) })
		for _, want := range []int{50, 100, 121, 121} {
			if err := d.LoadMore(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := len(d.Addresses()); got != want {
				t.Errorf("%d addresses, want %d", got, want)
			}
			if d.HasMore() != (want < 121) || d.Loading() {
				t.Errorf("with %d: more %v, loading %v", want, d.HasMore(), d.Loading())
			}
		}
		_ = r.c.Close()
		<-watched.Done()
		if fmt.Sprint(sizes) != "[0 50 100 121]" || requests(r) != 3 {
			t.Errorf("observed %v, %d requests", sizes, requests(r))
		}
	})
}

func TestDirectoryCallersAtOnceGetOnePage(t *testing.T) {
	inDirectory(t, 120, func(t *testing.T, r *rig, d *session.Directory) {
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second}) // all of them come while it is loaded
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if err := d.LoadMore(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(d.Addresses()) != 50 || requests(r) != 1 {
			t.Errorf("%d addresses, %d requests", len(d.Addresses()), requests(r))
		}
	})
}

func TestDirectoryGoesOnAfterAFailedPage(t *testing.T) {
	inDirectory(t, 120, func(t *testing.T, r *rig, d *session.Directory) {
		if err := d.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 403})
		var failed *errs.CollectionFetchError
		var refused *errs.HTTPError
		if err := d.LoadMore(t.Context()); !errors.As(err, &failed) || !errors.As(err, &refused) || refused.Status != 403 {
			t.Errorf("LoadMore: %v", err)
		}
		if got := allErrors[*errs.CollectionFetchError](r); len(got) != 0 { // the caller has it
			t.Errorf("observed %v", got)
		}
		if len(d.Addresses()) != 50 || !d.HasMore() || d.Loading() {
			t.Errorf("%d addresses, more %v, loading %v", len(d.Addresses()), d.HasMore(), d.Loading())
		}
		if err := d.LoadMore(t.Context()); err != nil || len(d.Addresses()) != 100 {
			t.Errorf("again: %v, %d addresses", err, len(d.Addresses()))
		}
	})
}

func TestDirectoryLooksUpByURIAndKeepsWhatItFinds(t *testing.T) {
	inDirectory(t, 3, func(t *testing.T, r *rig, d *session.Directory) {
		a, err := d.Lookup(t.Context(), "/public/room-00001?channel=video")
		if err != nil {
			t.Fatal(err)
		}
		if a.Name() != "room-00001" || a.Type() != session.ResourceRoom || a.DefaultChannel() != "/public/room-00001?channel=video" {
			t.Errorf("found %+v", a.Record())
		}
		again, err := d.Lookup(t.Context(), "/public/room-00001")
		if err != nil || again != a || requests(r) != 1 || d.Address(a.ID()) != a || len(d.Addresses()) != 1 {
			t.Errorf("again: %v, %v, %d requests, list %v", err, again, requests(r), d.Addresses())
		}
		if err := d.LoadMore(t.Context()); err != nil || len(d.Addresses()) != 4 || d.Address(a.ID()) != a {
			t.Errorf("after a page: %v, %d addresses", err, len(d.Addresses()))
		}
		var none *errs.AddressNotFoundError
		if _, err := d.Lookup(t.Context(), "/public/nowhere"); !errors.As(err, &none) || none.Address != "/public/nowhere" {
			t.Errorf("nowhere: %v", err)
		}
		if _, err := d.Fetch(t.Context(), "no-such-id"); !errors.As(err, &none) {
			t.Errorf("no such id: %v", err)
		}
	})
}

// manyRooms is a transport whose directory has so many rooms; everything else goes
// to the gateway.
type manyRooms struct {
	http.RoundTripper
	n int
}

func (m manyRooms) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != pathAddresses {
		return m.RoundTripper.RoundTrip(r)
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page_number"))
	var body strings.Builder
	body.WriteString(`{"data":[`)
	for i := page * 50; i < page*50+50; i++ {
		fmt.Fprintf(&body, `{"id":"id-%d","name":"room-%05d","type":"room","channels":{"video":"/public/room-%05d?channel=video"}},`, i, i, i)
	}
	text := strings.TrimSuffix(body.String(), ",") + `],"links":{`
	if page*50+50 < m.n {
		text += fmt.Sprintf(`"next":"https://elsewhere.example%s?page_number=%d"`, pathAddresses, page+1)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text + "}}")), Request: r}, nil
}

// TestDirectorySearchNeedsNoMemory: pages come and go. Their links name a foreign
// host, which is never asked.
func TestDirectorySearchNeedsNoMemory(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		const rooms = 10_000
		many := *r.opts.HTTPClient
		many.Transport = manyRooms{many.Transport, rooms}
		r.opts.HTTPClient = &many
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		before, most, n := liveHeap(), uint64(0), 0
		for a, err := range r.c.Directory().Search(r.t.Context(), session.AddressFilter{Type: session.ResourceRoom}) {
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("room-%05d", n); a.Name != want {
				t.Fatalf("address %d is %s", n, a.Name)
			}
			if n++; n%2500 == 0 {
				most = max(most, liveHeap())
			}
		}
		if grown := int64(most) - int64(before); n != rooms || grown > 2<<20 {
			t.Errorf("%d addresses, %d bytes more", n, grown)
		}
	})
}

func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestDirectoryEndsWithItsClient(t *testing.T) {
	inDirectory(t, 1, func(t *testing.T, r *rig, d *session.Directory) {
		hang := r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultHang})
		defer hang.Remove()
		failed := make(chan error, 1)
		go func() { failed <- d.LoadMore(t.Context()) }()
		synctest.Wait()
		_ = r.c.Close()
		if err := <-failed; !errors.Is(err, errs.ErrClosed) {
			t.Errorf("LoadMore: %v", err)
		}
		completes(t, d.ObserveAddresses())
		completes(t, d.ObserveHasMore())
		completes(t, d.ObserveLoading())
	})
}

// TestCallKnowsTheAddressOfTheOtherSide, never one's own (B3, 19).
