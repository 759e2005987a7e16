package session

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// HostNetworkInterval is how often HostNetwork looks unless told otherwise.
const HostNetworkInterval = 2 * time.Second

// HostNetwork is the network of this machine, looked at every interval; zero:
// HostNetworkInterval. The machine counts as online while an interface that is up
// and running has an address that is good beyond its link: loopback and
// link-local addresses are none. Where the system does not let programs look, it
// tells nothing.
func HostNetwork(interval time.Duration) NetworkSource {
	if interval <= 0 {
		interval = HostNetworkInterval
	}
	return func(ctx context.Context, tell func(NetworkState)) {
		pollNetwork(ctx, interval, hostNetwork, tell)
	}
}

func pollNetwork(ctx context.Context, interval time.Duration, look func() (NetworkState, error), tell func(NetworkState)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if n, err := look(); err == nil {
			tell(n)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// hostNetwork is how this machine is connected now.
func hostNetwork() (NetworkState, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return NetworkState{}, err
	}
	var n NetworkState
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagRunning == 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it has gone since
		}
		n.Addresses = append(n.Addresses, reachable(addresses)...)
	}
	slices.SortFunc(n.Addresses, netip.Addr.Compare)
	n.Addresses = slices.Compact(n.Addresses)
	n.Online = len(n.Addresses) > 0
	return n, nil
}

// reachable are the addresses that are good beyond their link.
func reachable(addresses []net.Addr) (found []netip.Addr) {
	for _, a := range addresses {
		prefix, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if ip, ok := netip.AddrFromSlice(prefix.IP); ok && ip.Unmap().IsGlobalUnicast() {
			found = append(found, ip.Unmap())
		}
	}
	return found
}
