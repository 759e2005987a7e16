package session_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// A program whose platform tells it of the network passes that on; elsewhere
// HostNetwork looks at the machine's interfaces.
func ExampleClient_ObserveNetworkChanges() {
	gw, opts := exampleGateway()
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	wifi := session.NetworkState{Online: true, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}
	told := make(chan session.NetworkState)
	opts.Network = func(ctx context.Context, tell func(session.NetworkState)) {
		for {
			select {
			case n := <-told:
				tell(n)
			case <-ctx.Done():
				return
			}
		}
	}
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), opts)
	if err != nil {
		panic(err)
	}
	defer func() { _ = client.Close() }()
	changes, states := client.ObserveNetworkChanges(), client.ObserveNetwork()
	told <- wifi // so it was all along
	told <- session.NetworkState{}
	told <- wifi
	for change := range changes.Seq(ctx) {
		fmt.Println(change.Type, change.State.Addresses)
		if change.State.Online {
			break
		}
	}
	n, err := states.Wait(ctx, func(n session.NetworkState) bool { return len(n.Addresses) > 0 })
	fmt.Println(n.Online, err, client.Network().Online)
	// Output:
	// offline []
	// online [192.0.2.7]
	// true <nil> true
}

// What this machine has now; a client takes it as Options.Network.
func ExampleHostNetwork() {
	ctx, cancel := context.WithCancel(context.Background())
	session.HostNetwork(0)(ctx, func(n session.NetworkState) {
		fmt.Println("online, or without addresses:", n.Online == (len(n.Addresses) > 0))
		cancel() // or it looks again in two seconds
	})
	// Output:
	// online, or without addresses: true
}

// A laptop whose lid is closed and opened: nothing is missed for long.
func ExampleClient_Resume() {
	gw, err := sessiontest.Start(sessiontest.Options{})
	if err != nil {
		panic(err)
	}
	defer gw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := session.Open(ctx, session.StaticCredentials(annsToken(gw, time.Hour)), session.Options{
		APIURL: gw.APIURL(), RelayURL: gw.RelayURL(), DPoPKey: sharedKey(),
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = client.Close() }()
	suspended := client.ObserveSuspended()
	client.Suspend()
	_, err = suspended.Wait(ctx, func(is bool) bool { return is })
	fmt.Println("suspended:", client.Suspended(), err)
	fmt.Println("resumed:", client.Resume(ctx), client.Ready(), client.Suspended())
	// Output:
	// suspended: true <nil>
	// resumed: <nil> true false
}
