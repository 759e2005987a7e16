package session

import (
	"context"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestHostNetworkSeesAddressesComeAndGo: on the real interfaces of a network of
// its own, which the kernel gives to those who may ask for one.
func TestHostNetworkSeesAddressesComeAndGo(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no ip: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	states, ready := make(chan NetworkState, 1), make(chan error)
	turn := make(chan func() error)
	go func() { // ends with its thread, which nobody else is to get
		runtime.LockOSThread()
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		ready <- err
		if err != nil {
			return
		}
		pollNetwork(ctx, time.Millisecond, hostNetwork, func(n NetworkState) {
			select {
			case do := <-turn:
				ready <- do()
			case states <- n:
			default:
			}
		})
	}()
	if err := <-ready; err != nil {
		t.Skip("this process may not have a network of its own: ", err)
	}
	for _, step := range []struct {
		command []string
		want    NetworkState
	}{
		{[]string{"link", "set", "lo", "up"}, NetworkState{}},
		{[]string{"address", "add", "192.0.2.7/32", "dev", "lo"}, NetworkState{true, []netip.Addr{netip.MustParseAddr("192.0.2.7")}}},
		{[]string{"address", "add", "2001:db8::7/128", "dev", "lo"}, NetworkState{true, []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}}},
		{[]string{"address", "del", "192.0.2.7/32", "dev", "lo"}, NetworkState{true, []netip.Addr{netip.MustParseAddr("2001:db8::7")}}},
		{[]string{"link", "set", "lo", "down"}, NetworkState{}},
	} {
		turn <- func() error { return exec.Command("ip", step.command...).Run() }
		if err := <-ready; err != nil {
			t.Skipf("ip %v: %v", step.command, err)
		}
		if !await(ctx, states, step.want) {
			t.Fatalf("after ip %v it never was %+v", step.command, step.want)
		}
	}
}

// await reports whether the network comes to be as wanted.
func await(ctx context.Context, states <-chan NetworkState, want NetworkState) bool {
	for {
		select {
		case n := <-states:
			if n.Online == want.Online && slices.Equal(n.Addresses, want.Addresses) {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}
