package session_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/google/go-cmp/cmp"
)

// A cable is the network of a machine in the hands of a test.
type cable struct {
	states chan session.NetworkState
	heard  atomic.Int32 // how many listen
}

func newCable() *cable { return &cable{states: make(chan session.NetworkState)} }

// source is a session.NetworkSource.
func (p *cable) source(ctx context.Context, tell func(session.NetworkState)) {
	p.heard.Add(1)
	defer p.heard.Add(-1)
	for {
		select {
		case n := <-p.states:
			tell(n)
		case <-ctx.Done():
			return
		}
	}
}

// in puts the machine on networks by addresses, or on none by "".
func (p *cable) in(addresses ...string) {
	n := session.NetworkState{Online: addresses[0] != ""}
	for _, a := range addresses {
		if n.Online {
			n.Addresses = append(n.Addresses, netip.MustParseAddr(a))
		}
	}
	p.states <- n
	synctest.Wait() // the client has acted upon it
}

const (
	home      = "10.0.0.10"
	elsewhere = "10.0.0.11"
)

func TestChangesOfTheNetworkAreTold(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := newCable()
		r.opts.Network = p.source
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		changes, states := taped(r.t, r.c.ObserveNetworkChanges()), taped(r.t, r.c.ObserveNetwork())
		var want []session.NetworkChangeType
		for _, step := range []struct {
			address string
			change  session.NetworkChangeType
		}{
			{home, ""}, {home, ""}, // so it was all along
			{"", session.NetworkOffline}, {"", ""}, {home, session.NetworkOnline},
			{elsewhere, session.NetworkConnectionChange}, {"", session.NetworkOffline}, {elsewhere, session.NetworkOnline},
		} {
			p.in(step.address)
			if step.change != "" {
				want = append(want, step.change)
			}
			var got []session.NetworkChangeType
			for _, c := range changes.all() {
				got = append(got, c.Type)
			}
			if diff := cmp.Diff(want, got); diff != "" || r.c.Network().Online != (step.address != "") {
				t.Fatalf("in %q: %s, now %+v", step.address, diff, r.c.Network())
			}
		}
		if n := len(states.all()); n != 7 { // the first one, and each change
			t.Errorf("%d states: %v", n, states.all())
		}
		_ = r.c.Close()
		if p.heard.Load() != 0 {
			t.Error("somebody listens after Close")
		}
	})
}

// TestNetworkIsHeardIfPreferred: and while it is not, the machine counts as online.
func TestNetworkIsHeardIfPreferred(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := newCable()
		r.opts.Network = p.source
		off := session.DefaultPreferences()
		off.EnableNetworkChangeDetection = false
		r.opts.Preferences = &off
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		heard := func(want bool) {
			t.Helper()
			synctest.Wait() // the preference has been seen
			if got := p.heard.Load(); got == 1 != want || !r.c.Network().Online {
				t.Errorf("%d listen; %+v", got, r.c.Network())
			}
		}
		heard(false)
		set := func(on bool) {
			change(r.t, r.c, func(v *session.PreferenceValues) { v.EnableNetworkChangeDetection = on })
		}
		set(true)
		heard(true)
		p.in(home)
		p.in("")
		if r.c.Network().Online {
			t.Error("it was not heard")
		}
		set(false)
		heard(false)
		set(true)
		heard(true)
	})
}

// TestDeadConnectionIsReplacedWhenTheNetworkHasChanged, in two seconds instead of 35.
func TestDeadConnectionIsReplacedWhenTheNetworkHasChanged(t *testing.T) {
	for name, moves := range map[string][]string{"online": {"", home}, "another address": {elsewhere}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sessiontest.Options{PingTimeout: -1}, func(r *rig) {
				p := newCable()
				r.opts.Network = p.source
				r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
				p.in(home)
				r.srv.Stall("ann", sessiontest.StallDeaf)
				r.to(5 * time.Second)
				for _, address := range moves {
					p.in(address)
				}
				r.to(6900 * time.Millisecond)
				r.wantOnline("while it is asked")
				r.to(7500 * time.Millisecond)
				r.wantOnline("with another connection")
				if n := len(r.srv.Journal().RPC(rpcConnect)); n != 2 {
					t.Errorf("%d connects, want a second", n)
				}
			})
		})
	}
}

// TestWorkingConnectionIsKeptWhenTheNetworkHasChanged: asking does not harm it.
func TestWorkingConnectionIsKeptWhenTheNetworkHasChanged(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := newCable()
		r.opts.Network = p.source
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		for _, address := range []string{home, "", home, elsewhere} {
			p.in(address)
		}
		r.to(10 * time.Second)
		r.wantOnline("all along")
		if n := len(r.srv.Journal().RPC(rpcConnect)); n != 1 || len(r.errors) != 0 {
			t.Errorf("%d connects, errors %v", n, r.errors)
		}
	})
}

// TestPauseEndsWhenTheNetworkIsBack: the next attempt is made at once.
func TestPauseEndsWhenTheNetworkIsBack(t *testing.T) {
	inBubble(t, sessiontest.Options{}, func(r *rig) {
		p := newCable()
		r.opts.Network = p.source
		r.opts.Reconnect.Delay = func(int) time.Duration { return time.Hour }
		r.connect(session.StaticCredentials(r.sat(24*time.Hour, "")))
		p.in(home)
		p.in("")
		r.srv.Drop("ann")
		r.to(2 * time.Minute)
		if r.c.Ready() {
			t.Error("the pause is an hour")
		}
		p.in(home)
		r.wantOnline("without any time")
	})
}

// TestHostNetworkKnowsThisMachine: what it finds is what the system has.
func TestHostNetworkKnowsThisMachine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var got session.NetworkState
	session.HostNetwork(time.Hour)(ctx, func(n session.NetworkState) {
		got = n
		cancel()
	})
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range got.Addresses {
		if !a.IsGlobalUnicast() || a.IsLoopback() {
			t.Errorf("%v is not good beyond its link", a)
		}
		has := func(has net.Addr) bool {
			n, ok := has.(*net.IPNet)
			return ok && n.IP.Equal(a.AsSlice())
		}
		if !slices.ContainsFunc(all, has) {
			t.Errorf("this machine has no %v", a)
		}
	}
	if got.Online != (len(got.Addresses) > 0) {
		t.Errorf("%+v", got)
	}
	if out, err := net.Dial("udp4", "198.51.100.1:9"); err == nil { // sends nothing: there is a way out, from here
		defer out.Close()
		if from := out.LocalAddr().(*net.UDPAddr).AddrPort().Addr(); !slices.Contains(got.Addresses, from) {
			t.Errorf("%v, by which the system would send, is not in %v", from, got.Addresses)
		}
	}
}

// TestSessionThatEndsWhileTheNetworkIsAskedOf leaves nobody behind.
func TestSessionThatEndsWhileTheNetworkIsAskedOf(t *testing.T) {
	inBubble(t, sessiontest.Options{PingTimeout: -1}, func(r *rig) {
		p := newCable()
		r.opts.Network = p.source
		r.connect(session.StaticCredentials(r.sat(time.Hour, "")))
		p.in(home)
		r.srv.Stall("ann", sessiontest.StallDeaf)
		p.in(elsewhere)
		if err := r.c.Disconnect(r.t.Context()); err != nil {
			t.Error(err)
		}
		p.in(home)
		_ = r.c.Close()
		if err := r.c.Err(); !errors.Is(err, errs.ErrDisconnected) {
			t.Errorf("Err: %v", err)
		}
	})
}
