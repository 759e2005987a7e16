package session

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/callrx/callrx/internal/program"
	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
)

// A NetworkState is how the machine is connected.
type NetworkState struct {
	Online bool
	// Addresses are those by which it can be reached, in any order. They tell when
	// connections that begin at one of them are gone.
	Addresses []netip.Addr
}

func (n NetworkState) equal(o NetworkState) bool {
	return n.Online == o.Online && slices.Equal(n.Addresses, o.Addresses)
}

// A NetworkSource tells how the machine is connected, first as it is and then
// after each change, from one goroutine, until ctx ends; then it returns, and
// Client.Close waits two seconds for that and no longer. ObserveErrors tells of
// one that panics, the log of one that does not return. Repeats do no harm.
// [HostNetwork] is one; where a platform tells of its network itself, a program
// writes its own.
type NetworkSource func(ctx context.Context, tell func(NetworkState))

// A NetworkChangeType is a kind of NetworkChange, with the Browser SDK's name.
type NetworkChangeType string

const (
	NetworkOnline           NetworkChangeType = "online"
	NetworkOffline          NetworkChangeType = "offline"
	NetworkConnectionChange NetworkChangeType = "connection_change" // other addresses
)

// A NetworkChange is one change of the machine's network.
type NetworkChange struct {
	Type  NetworkChangeType
	State NetworkState // since then
	Time  time.Time
}

// Network is how the machine is connected, as Options.Network has told: online
// until it tells otherwise, or while the preference
// EnableNetworkChangeDetection is off.
func (c *Client) Network() NetworkState { return c.streams.network.Get() }

// ObserveNetwork is the state stream of Network.
func (c *Client) ObserveNetwork() observable.Of[NetworkState] { return c.streams.network.Observe() }

// ObserveNetworkChanges delivers each change of Network, with its time: an event
// stream without replay. When the machine is online again, or has other
// addresses, the client looks at once whether its connection still works, and
// calls whose media began at an address that is gone look for new paths.
func (c *Client) ObserveNetworkChanges() observable.Of[NetworkChange] {
	return c.streams.networkChanges.Observe()
}

// followNetwork hears Options.Network for as long as that is preferred.
func (c *Client) followNetwork() {
	var stop func()
	leave := func() {
		if stop != nil {
			stop()
			stop = nil
		}
	}
	defer leave()
	for p := range c.preferences.state.Observe().Seq(c.ctx) {
		switch {
		case p.EnableNetworkChangeDetection && stop == nil:
			stop = c.hearNetwork()
		case !p.EnableNetworkChangeDetection && stop != nil:
			leave()
			c.post(func() {
				c.networkIs(NetworkState{Online: true, Addresses: c.Network().Addresses})
			})
		}
	}
}

// hearNetwork has the source tell the loop until it is stopped.
func (c *Client) hearNetwork() (stop func()) {
	ctx, cancel := context.WithCancel(c.ctx)
	done := make(chan struct{})
	c.workers.Go(func() {
		defer close(done)
		err := program.Run(ctx, "Options.Network", func(ctx context.Context) error {
			c.opts.Network(ctx, func(n NetworkState) { c.tellNetwork(ctx, n) })
			return nil
		})
		if err != nil {
			c.report(err)
		}
	})
	return func() {
		cancel()
		<-done
	}
}

// tellNetwork passes on what a source tells, until its time is over.
func (c *Client) tellNetwork(ctx context.Context, n NetworkState) {
	n.Addresses = slices.Clone(n.Addresses)
	for i, a := range n.Addresses {
		n.Addresses[i] = a.Unmap().WithZone("")
	}
	slices.SortFunc(n.Addresses, netip.Addr.Compare)
	c.post(func() {
		if ctx.Err() == nil {
			c.networkIs(n)
		}
	})
}

// networkIs takes in what the source tells. On the loop.
func (c *Client) networkIs(now NetworkState) {
	before := c.streams.network.Get()
	if now.equal(before) {
		return
	}
	met := c.addresses != nil
	gone := slices.DeleteFunc(slices.Clone(c.addresses), func(a netip.Addr) bool { return slices.Contains(now.Addresses, a) })
	if now.Online {
		c.addresses = append([]netip.Addr{}, now.Addresses...)
	}
	c.streams.network.Set(now)
	change := NetworkChange{Type: NetworkConnectionChange, State: now, Time: time.Now()}
	switch {
	case !now.Online && !before.Online:
		return
	case !now.Online:
		change.Type = NetworkOffline
	case !before.Online:
		change.Type = NetworkOnline
	case !met: // that is how it was all along
		return
	}
	c.log.Info("network", "event", string(change.Type))
	c.past.add(note{category: DiagnosticConnection, what: "network", to: string(change.Type)})
	c.streams.networkChanges.Publish(change)
	c.networkChanged(change.Type, gone)
}

// networkChanged looks after the connection and the calls. On the loop.
func (c *Client) networkChanged(change NetworkChangeType, gone []netip.Addr) {
	if change == NetworkOffline {
		c.serviceChanged(serviceLost)
		return
	}
	if len(gone) > 0 {
		for _, k := range c.streams.calls.Get() {
			k.moved(gone, string(change))
		}
	}
	if l := c.session; l != nil {
		c.workers.Go(func() { _ = c.check(l.ctx, l) })
	}
}

// moved has those legs of a call look for new paths that began at an address that is
// gone, or may have. The service will have been reached from where they did: nobody
// is asked until it is known to be reached.
func (k *Call) moved(gone []netip.Addr, reason string) {
	stray := func(leg *media.Leg) bool {
		return leg != nil && slices.ContainsFunc(leg.LocalAddresses(), func(a netip.Addr) bool {
			return !a.IsValid() || slices.Contains(gone, a)
		})
	}
	main := stray(k.media())
	extras := slices.DeleteFunc(k.extraLegs(), func(x *ExtraLeg) bool { return !stray(x.leg) })
	if main || len(extras) > 0 {
		k.recover(serviceLost)
	}
	if main {
		k.doubtMain(reason)
	}
	for _, x := range extras {
		x.doubtPaths()
	}
}

// doubtPaths has the legs of a call look for new paths, for a reason.
func (k *Call) doubtPaths(reason string) {
	k.doubtMain(reason)
	for _, x := range k.extraLegs() {
		x.doubtPaths()
	}
}

func (k *Call) doubtMain(reason string) {
	if !k.state.status.ended() && !k.attaching {
		k.recovery.reason = reason
		k.recover(pathsDoubted)
	}
}

// networkCheckTimeout is how long a connection may take to show that it works
// when there is reason to believe that it does not.
const networkCheckTimeout = 2 * time.Second

// check looks whether the connection works, and tells the calls if it does. One
// that does not is replaced, which tells them too. Not on the loop.
func (c *Client) check(ctx context.Context, l *life) error {
	err := l.relay.Check(ctx, networkCheckTimeout)
	if err == nil {
		c.post(func() {
			if c.session == l && c.lastStatus == StatusOnline && c.Network().Online {
				c.serviceChanged(serviceBack)
			}
		})
	}
	return err
}
