package session_test

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
)

// A roamer is a call of a machine with two addresses, of which it has one at a time.
type roamer struct {
	*casualty
	plug   *cable
	at     atomic.Pointer[string]
	engine func(*webrtc.SettingEngine) // has media begin there
}

// inRoamingBubble has a call to the echo at home, well for 15 seconds.
func inRoamingBubble(t *testing.T, o session.Options, test func(t *testing.T, m *roamer)) {
	t.Helper()
	inRoamingBubbleTo(t, "/public/echo", o, test)
}

func inRoamingBubbleTo(t *testing.T, to string, o session.Options, test func(t *testing.T, m *roamer)) {
	t.Helper()
	inCallBubble(t, sessiontest.Options{MediaTimeout: time.Hour}, func(t *testing.T, b *callBubble) {
		m := &roamer{plug: newCable()}
		if o.Network == nil {
			o.Network = m.plug.source
		}
		line := b.open(t, "ann", o)
		host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{home, elsewhere}})
		if err == nil {
			err = b.world.AddNet(host)
		}
		if err != nil {
			t.Fatal(err)
		}
		m.arrive(b, home)
		m.plug.in(home)
		m.engine = func(s *webrtc.SettingEngine) {
			s.SetNet(host)
			s.SetIPFilter(func(ip net.IP) bool { return ip.String() == *m.at.Load() })
		}
		k := connected(t, line.Client, to, session.DialOptions{MediaOptions: session.MediaOptions{SettingEngine: m.engine}})
		m.casualty = watched(t, b, line, k)
		test(t, m)
	})
}

// arrive has packets of no address but one get through.
func (m *roamer) arrive(b *callBubble, address string) {
	m.at.Store(&address)
	for _, a := range []string{home, elsewhere} {
		if a == address {
			b.gone.Delete(a)
		} else {
			b.gone.Store(a, true)
		}
	}
}

// move has the machine change its address, which kills its connections, and the
// client learn of it.
func (m *roamer) move(t *testing.T) {
	t.Helper()
	m.arrive(m.b, elsewhere)
	m.b.srv.Stall("ann", sessiontest.StallDeaf)
	m.plug.in(elsewhere)
}

// TestCallStaysWhereItsMediaBegins: an address that goes or comes is no matter of a
// call whose media begins elsewhere, as when a bridge for containers is taken down.
func TestCallStaysWhereItsMediaBegins(t *testing.T) {
	inRoamingBubble(t, session.Options{}, func(t *testing.T, m *roamer) {
		bridge := "172.17.0.1"
		m.plug.in(home, bridge)
		m.plug.in(home)
		m.plug.in(home, bridge)
		m.plug.in(bridge, "::ffff:"+home, "2001:db8::1")
		m.plug.in(home)
		pass(5 * second)
		m.wantActions(t)
		m.wantStatuses(t, session.CallStatusConnected)
		if m.line.Status() != session.StatusOnline {
			t.Errorf("the client is %v", m.line.Status())
		}
		m.wantFlow(t)
	})
}

// TestCallMovesWithTheMachine: new paths from the new address are looked for as
// soon as the service is reached again, not when the old ones are missed.
func TestCallMovesWithTheMachine(t *testing.T) {
	inRoamingBubble(t, session.Options{}, func(t *testing.T, m *roamer) {
		m.move(t)
		if m.RecoveryState() != session.RecoveryRecovering {
			t.Errorf("at first %v", m.RecoveryState())
		}
		pass(3 * second)
		m.wantActions(t, session.RecoveryCallRecovering, session.RecoveryFullReconnect,
			session.RecoveryReinviteStarted, session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		if e := m.events.all()[2]; e.Reason != "connection_change" {
			t.Errorf("%+v", e)
		}
		m.wantStatuses(t, session.CallStatusConnected)
		pass(10 * second)
		m.wantFlow(t)
	})
}

// TestCallIsLeftInPeaceByAFurtherAddress: its paths begin where they did.
func TestCallIsLeftInPeaceByAFurtherAddress(t *testing.T) {
	inRoamingBubble(t, session.Options{}, func(t *testing.T, m *roamer) {
		m.plug.states <- session.NetworkState{Online: true, Addresses: []netip.Addr{netip.MustParseAddr(elsewhere), netip.MustParseAddr(home)}}
		pass(3 * second)
		m.wantActions(t)
		m.wantFlow(t)
	})
}

// TestCallWaitsWhileTheMachineIsOffline: what cannot help is not tried, and does
// not count.
func TestCallWaitsWhileTheMachineIsOffline(t *testing.T) {
	inRoamingBubble(t, session.Options{}, func(t *testing.T, m *roamer) {
		m.plug.in("")
		m.b.cut.Store(true)
		pass(50 * second) // without knowing, it would have been given up
		m.wantActions(t, session.RecoveryCallRecovering)
		m.b.cut.Store(false)
		m.plug.in(home)
		pass(5 * second)
		m.wantActions(t, session.RecoveryCallRecovering, session.RecoveryFullReconnect,
			session.RecoveryReinviteStarted, session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		pass(10 * second)
		m.wantFlow(t)
	})
}

// TestShortAbsenceOfTheNetworkIsToldAndNoMore.
func TestShortAbsenceOfTheNetworkIsToldAndNoMore(t *testing.T) {
	inRoamingBubble(t, session.Options{}, func(t *testing.T, m *roamer) {
		m.plug.in("")
		m.cutFor(second)
		m.plug.in(home)
		m.wantActions(t, session.RecoverySignalReconnect)
		m.wantStatuses(t, session.CallStatusConnected)
		if s := m.Stats().State; s != media.StateConnected || len(m.errors.all()) != 0 {
			t.Errorf("media %v, errors %v", s, m.errors.all())
		}
		m.wantFlow(t)
	})
}
