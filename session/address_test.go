package session_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

func TestAddressShowsWhatHasChanged(t *testing.T) {
	inDirectory(t, 1, func(t *testing.T, r *rig, d *session.Directory) {
		a, err := d.Lookup(t.Context(), "/public/room-00000")
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		watched := a.ObserveDisplayName().Subscribe(t.Context(), func(n string) { names = append(names, n) })
		locks := 0
		a.ObserveLocked().Subscribe(t.Context(), func(bool) { locks++ })
		r.fault(pathAddresses+"/"+a.ID(), 1, sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: `{"id":"` + a.ID() +
			`","name":"room-00000","display_name":"The lounge","type":"room","channels":{},"locked":false}`})
		if err := a.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		var failed *errs.CallCreateError
		if _, err := a.Dial(t.Context(), session.DialOptions{}); !errors.As(err, &failed) || failed.To != "room-00000" || !errors.As(err, new(*errs.DependencyError)) {
			t.Errorf("dial without a channel: %v", err)
		}
		_ = r.c.Close()
		<-watched.Done()
		synctest.Wait()
		if fmt.Sprint(names) != "[Room 0 The lounge]" || locks != 1 || len(a.Channels()) != 0 {
			t.Errorf("names %v, %d lock states, %+v", names, locks, a.Record())
		}
	})
}

func TestAddressIsRenewedWhenTheServiceSaysThatItHasChanged(t *testing.T) {
	inDirectory(t, 1, func(t *testing.T, r *rig, d *session.Directory) {
		a, err := d.Lookup(t.Context(), "/public/room-00000")
		if err != nil {
			t.Fatal(err)
		}
		r.fault(pathAddresses+"/"+a.ID(), 1, sessiontest.Action{Kind: sessiontest.FaultWrongType, Body: `{"id":"` + a.ID() +
			`","name":"room-00000","display_name":"Room 0","type":"room","channels":{},"locked":true}`})
		for _, id := range []string{a.ID(), "unknown"} {
			payload := map[string]any{"id": "m", "type": "message", "kind": "update", "subtype": "update", "from_fabric_address_id": id}
			if _, err := r.srv.SendEvent("ann", "conversation.message.updated", "conversation.x", payload); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.ObserveLocked().Wait(t.Context(), func(locked bool) bool { return locked }); err != nil {
			t.Error(err)
		}
		if requests(r) != 2 {
			t.Errorf("%d requests", requests(r))
		}
	})
}

func TestCallKnowsTheAddressOfTheOtherSide(t *testing.T) {
	srv := sessiontest.NewServer(t)
	_, _, out, in := ringBob(t, srv, dialing())
	for k, want := range map[*session.Call]string{out: "bob", in: "ann"} {
		if a, err := k.Address(t.Context()); err != nil || a.Name() != want {
			t.Errorf("%v, %v; want %s", a, err, want)
		}
	}
	_ = out.Hangup(t.Context())
}

func TestAddressThatCannotBeRenewedIsReported(t *testing.T) {
	inDirectory(t, 1, func(t *testing.T, r *rig, d *session.Directory) {
		a, err := d.Lookup(t.Context(), "/public/room-00000")
		if err != nil {
			t.Fatal(err)
		}
		r.fault(pathAddresses+"/"+a.ID(), 1, sessiontest.Action{Kind: sessiontest.FaultStatus, Status: 403})
		payload := map[string]any{"id": "m", "from_fabric_address_id": a.ID()}
		if _, err := r.srv.SendEvent("ann", "conversation.message.updated", "conversation.x", payload); err != nil {
			t.Fatal(err)
		}
		if got := allErrors[*errs.CollectionFetchError](r); len(got) != 1 {
			t.Errorf("observed %v", got)
		}
	})
}

// TestAddressThatChangesOftenIsRenewedAsOftenAsTheServiceAnswers, and once more for
// what changed while it did.
func TestAddressThatChangesOftenIsRenewedAsOftenAsTheServiceAnswers(t *testing.T) {
	inDirectory(t, 1, func(t *testing.T, r *rig, d *session.Directory) {
		a, err := d.Lookup(t.Context(), "/public/room-00000")
		if err != nil {
			t.Fatal(err)
		}
		r.fault(pathAddresses+"/"+a.ID(), -1, sessiontest.Action{Kind: sessiontest.FaultSlow, Delay: time.Second})
		before := requests(r)
		for range 150 {
			payload := map[string]any{"id": "m", "from_fabric_address_id": a.ID()}
			if _, err := r.srv.SendEvent("ann", "conversation.message.updated", "conversation.x", payload); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		if n := requests(r) - before; n != 3 { // at 0, 1 and 2 s
			t.Errorf("%d requests", n)
		}
	})
}

// TestDiallingARoomByItsAddressBringsItsVideo, although nobody asked for any: the
// default channel says so (behaviour.md D48).
func TestDiallingARoomByItsAddressBringsItsVideo(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		addRooms(t, b.srv, 1)
		pattern, shown := patternSource(t)
		ann, bob := b.client(t, "ann"), b.client(t, "bob")
		room := func(l lineOf) *session.Address {
			a, err := l.Directory().Lookup(t.Context(), "/public/room-00000")
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		out, err := room(ann).Dial(t.Context(), ann.dialing(session.MediaOptions{VideoSource: shown}))
		if err != nil {
			t.Fatal(err)
		}
		var seen footage
		in, err := room(bob).Dial(t.Context(), bob.dialing(session.MediaOptions{VideoSink: media.NewIVFSink(&seen)}))
		if err != nil {
			t.Fatal(err)
		}
		awaitStatus(t, in, session.CallStatusConnected)
		pass(3 * time.Second)
		if d := in.Directions(); d.Video != media.RecvOnly || d.Audio != media.SendRecv {
			t.Errorf("directions %+v", d)
		}
		if err := in.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		b.over(t, ann, out)
		wantOver(t, b.srv, bob.Client, in)
		wantPattern(t, seen.b.Bytes(), pattern, 25, 500*time.Millisecond)
	})
}

func TestAddressTellsNoActivity(t *testing.T) {
	inDirectory(t, 1, func(t *testing.T, r *rig, d *session.Directory) {
		a, err := d.Lookup(t.Context(), "/public/room-00000")
		if err != nil {
			t.Fatal(err)
		}
		var none *errs.UnimplementedError
		if _, err := a.Activity(t.Context()); !errors.As(err, &none) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Activity: %v", err)
		}
		if a.ResourceID() == "" || a.CreatedAt().IsZero() {
			t.Errorf("%+v", a.Record())
		}
	})
}
