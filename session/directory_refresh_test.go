package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// TestDirectoryRefreshKeepsTheOrderOfTheService, whoever is new in it, and the
// handles of those who are not.
func TestDirectoryRefreshKeepsTheOrderOfTheService(t *testing.T) {
	inDirectory(t, 3, func(t *testing.T, r *rig, d *session.Directory) {
		if err := d.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		known := d.Address(d.Addresses()[2].ID())
		addRoom(t, r.srv, "room-00000a", "between the first two")
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		var names, served []string
		for _, a := range d.Addresses() {
			names = append(names, a.Name())
		}
		for a, err := range d.Search(t.Context(), session.AddressFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			served = append(served, a.Name)
		}
		if fmt.Sprint(names) != fmt.Sprint(served) || len(names) != 5 || names[len(names)-1] == "room-00000a" {
			t.Errorf("the directory has %v, the service %v", names, served)
		}
		if d.Address(known.ID()) != known {
			t.Error("an address that was known is another now")
		}
	})
}

// removeResource removes what an address leads to.
func removeResource(t testing.TB, srv *sessiontest.Server, id string) {
	t.Helper()
	backend(t, srv, http.MethodDelete, id, "", http.StatusNoContent)
}

func TestDirectoryRefreshForgetsWhatIsNoMore(t *testing.T) {
	inDirectory(t, 3, func(t *testing.T, r *rig, d *session.Directory) {
		if err := d.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept, gone := d.Addresses()[1], d.Addresses()[2]
		removeResource(t, r.srv, gone.ResourceID())
		body := `{"data":[{"id":"` + kept.ID() + `","name":"x","display_name":"Other","type":"room","channels":{}}],"links":{}}`
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: body})
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l := d.Addresses(); len(l) != 3 || l[0] != kept || kept.DisplayName() != "Other" || d.Address(gone.ID()) != nil {
			t.Errorf("addresses %v", l)
		}
		completes(t, gone.ObserveLocked())
	})
}

// TestDirectoryRefreshKeepsWhatIsOnPagesThatAreNotLoaded: found by a look-up, or
// moved there by others; and tells what has become of it.
func TestDirectoryRefreshKeepsWhatIsOnPagesThatAreNotLoaded(t *testing.T) {
	inDirectory(t, 120, func(t *testing.T, r *rig, d *session.Directory) {
		if err := d.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		last := d.Addresses()[49]
		var found []*session.Address
		for _, n := range []int{100, 101, 102} {
			a, err := d.Lookup(t.Context(), fmt.Sprintf("/public/room-%05d", n))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, a)
		}
		addRoom(t, r.srv, "a-room", "before all others") // and last is on the second page now
		removeResource(t, r.srv, found[1].ResourceID())
		r.fault(pathAddresses+"/"+found[2].ID(), 1, sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: `{"id":"` +
			found[2].ID() + `","name":"room-00102","display_name":"The lounge","type":"room","channels":{}}`})
		lists := 0
		watched := d.ObserveAddresses().Subscribe(t.Context(), func([]*session.Address) { lists++ })
		synctest.Wait() // it has the list as it was
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		list := d.Addresses()
		if len(list) != 53 || d.Address(last.ID()) != last || d.Address(found[0].ID()) != found[0] || d.Address(found[1].ID()) != nil {
			t.Errorf("%d addresses, last %v, found %v and %v", len(list), d.Address(last.ID()), d.Address(found[0].ID()), d.Address(found[1].ID()))
		}
		if found[2].DisplayName() != "The lounge" || !d.HasMore() {
			t.Errorf("%+v, more %v", found[2].Record(), d.HasMore())
		}
		completes(t, found[1].ObserveLocked())
		if err := errors.Join(d.LoadMore(t.Context()), d.LoadMore(t.Context())); err != nil || len(d.Addresses()) != 121 || d.HasMore() {
			t.Errorf("%v, %d addresses, more %v", err, len(d.Addresses()), d.HasMore())
		}
		_ = r.c.Close()
		<-watched.Done()
		if lists != 4 { // as it was, refreshed, and two pages
			t.Errorf("%d lists", lists)
		}
	})
}

// TestDirectoryRefreshThatFailsChangesNothing, wherever it fails.
func TestDirectoryRefreshThatFailsChangesNothing(t *testing.T) {
	inDirectory(t, 120, func(t *testing.T, r *rig, d *session.Directory) {
		if err := d.LoadMore(t.Context()); err != nil {
			t.Fatal(err)
		}
		far, err := d.Lookup(t.Context(), "/public/room-00100")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{pathAddresses, pathAddresses + "/" + far.ID()} {
			r.fault(path, 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 403})
			addRoom(t, r.srv, "a-room"+path[len(path)-1:], "new")
			var failed *errs.CollectionFetchError
			if err := d.Refresh(t.Context()); !errors.As(err, &failed) || len(d.Addresses()) != 51 || !d.HasMore() || d.Loading() {
				t.Errorf("%s: %v, %d addresses, more %v", path, err, len(d.Addresses()), d.HasMore())
			}
		}
	})
}

// TestDirectoryKeepsWhatIsFoundWhileItIsRefreshed.
func TestDirectoryKeepsWhatIsFoundWhileItIsRefreshed(t *testing.T) {
	inDirectory(t, 120, func(t *testing.T, r *rig, d *session.Directory) {
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second})
		var all sync.WaitGroup
		all.Go(func() {
			if err := d.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait() // it waits for the page
		far, err := d.Lookup(t.Context(), "/public/room-00100")
		if err != nil || !d.Loading() {
			t.Fatalf("%v, loading %v", err, d.Loading())
		}
		all.Wait()
		if d.Address(far.ID()) != far || len(d.Addresses()) != 51 || d.Loading() {
			t.Errorf("%v, %d addresses, loading %v", d.Address(far.ID()), len(d.Addresses()), d.Loading())
		}
	})
}

// TestDirectoryLookupsDoNotWaitForEachOther, nor for a page that hangs.
func TestDirectoryLookupsDoNotWaitForEachOther(t *testing.T) {
	inDirectory(t, 30, func(t *testing.T, r *rig, d *session.Directory) {
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultHang})
		r.fault(pathAddresses, -1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second})
		page := make(chan error, 1)
		go func() { page <- d.LoadMore(t.Context()) }()
		synctest.Wait() // it hangs
		began := time.Now()
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				if _, err := d.Lookup(t.Context(), fmt.Sprintf("/public/room-%05d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took != time.Second || len(d.Addresses()) != 30 {
			t.Errorf("after %v there are %d addresses", took, len(d.Addresses()))
		}
		r.srv.ClearFaults()
		if err := <-page; err != nil || len(d.Addresses()) != 31 { // the attempt after the one that hung
			t.Errorf("%v, %d addresses", err, len(d.Addresses()))
		}
	})
}

// TestPageThatComesLateChangesNothingThatWasToldSince.
func TestPageThatComesLateChangesNothingThatWasToldSince(t *testing.T) {
	inDirectory(t, 1, func(t *testing.T, r *rig, d *session.Directory) {
		a, err := d.Lookup(t.Context(), "/public/room-00000")
		if err != nil {
			t.Fatal(err)
		}
		entry := func(name string) string {
			return fmt.Sprintf(`{"id":%q,"name":"room-00000","display_name":%q,"type":"room","channels":{}}`, a.ID(), name)
		}
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 5 * time.Second, Body: `{"data":[` + entry("Old") + `]}`})
		r.fault(pathAddresses+"/"+a.ID(), 1, sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: entry("New")})
		page := make(chan error, 1)
		go func() { page <- d.LoadMore(t.Context()) }()
		synctest.Wait() // it is on its way
		if err := a.Refresh(t.Context()); err != nil || a.DisplayName() != "New" {
			t.Errorf("%v, %s", err, a.DisplayName())
		}
		if err := <-page; err != nil || a.DisplayName() != "New" {
			t.Errorf("with the page: %v, %s", err, a.DisplayName())
		}
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: `{"data":[` + entry("Newest") + `]}`})
		if err := d.Refresh(t.Context()); err != nil || a.DisplayName() != "Newest" {
			t.Errorf("after it: %v, %s", err, a.DisplayName())
		}
	})
}

// TestDirectoryNeedsAnIDToFetch.
func TestDirectoryNeedsAnIDToFetch(t *testing.T) {
	inDirectory(t, 0, func(t *testing.T, r *rig, d *session.Directory) {
		var bad *errs.InvalidParamsError
		if _, err := d.LookupID(t.Context(), ""); !errors.As(err, &bad) || bad.Param != "id" {
			t.Errorf("LookupID: %v", err)
		}
		if _, err := d.Fetch(t.Context(), ""); !errors.As(err, &bad) || bad.Param != "id" || requests(r) != 0 {
			t.Errorf("Fetch: %v, %d requests", err, requests(r))
		}
	})
}

// TestDirectoryOfOneSubscriberTakesNothingOfAnother: what was asked for as ann and
// comes when carol is signed in is asked for again.
func TestDirectoryOfOneSubscriberTakesNothingOfAnother(t *testing.T) {
	inConversation(t, func(t *testing.T, r *rig, bob *session.Address) {
		d := r.c.Directory()
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 20 * time.Second, Body: `{"data":[{"id":"x","name":"for ann only"}],"links":{"next":"?page_number=7"}}`})
		r.fault(pathAddresses, 1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: 20 * time.Second, Body: `{"data":[{"id":"y","name":"for ann only"}]}`})
		page := make(chan error, 1)
		go func() { page <- d.LoadMore(t.Context()) }()
		synctest.Wait()
		found := make(chan *session.Address, 1)
		go func() {
			a, _ := d.Lookup(t.Context(), "/private/carol")
			found <- a
		}()
		synctest.Wait()
		carol := r.srv.IssueSAT(sessiontest.SATRequest{Reference: "carol", TTL: time.Hour})
		if err := errors.Join(r.c.Disconnect(t.Context()), r.c.UpdateCredential(t.Context(), session.Credential{Token: carol.Token}), r.c.Connect(t.Context())); err != nil {
			t.Fatal(err)
		}
		if len(d.Addresses()) != 0 {
			t.Errorf("at once: %v", d.Addresses())
		}
		if err, a := <-page, <-found; err != nil || a == nil || a.Name() != "carol" || d.Address(a.ID()) != a {
			t.Errorf("%v, %v", err, a)
		}
		if err := d.LoadMore(t.Context()); err != nil || len(d.Addresses()) != 3 || d.HasMore() || d.Address("x") != nil || d.Address("y") != nil {
			t.Errorf("%v, %d addresses, more %v", err, len(d.Addresses()), d.HasMore())
		}
	})
}
