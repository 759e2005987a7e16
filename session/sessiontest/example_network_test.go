package sessiontest_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/webrtc/v4"
)

// A call on a network that loses a fifth of the packets, each way, and is late.
func ExampleNetwork() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	gw, _ := sessiontest.Start(sessiontest.Options{})
	defer gw.Close()
	sat := gw.IssueSAT(sessiontest.SATRequest{Reference: "ann@example.org"})
	client, err := session.Open(ctx, session.StaticCredentials(session.Credential{Token: sat.Token}),
		session.Options{APIURL: gw.APIURL(), RelayURL: gw.RelayURL()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	network, err := sessiontest.NewNetwork(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	call, err := client.Dial(ctx, "/public/tone", session.DialOptions{MediaOptions: session.MediaOptions{
		SettingEngine: func(e *webrtc.SettingEngine) {
			e.SetIncludeLoopbackCandidate(true) // where the gateway is
			e.SetIPFilter(net.IP.IsLoopback)
			network.SettingEngine(e)
		},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	network.Set(sessiontest.NetworkConditions{Loss: 0.2, Delay: 50 * time.Millisecond})
	for s := range call.ObserveStats(time.Second).Seq(ctx) {
		if s.Loss > 5 {
			fmt.Println("it shows: the score is below 4:", s.QualityScore < 4)
			break
		}
	}
	_, in := network.Counts()
	fmt.Println("packets were lost:", in.Lost > 0, network.Conditions().Loss)
	// Output:
	// it shows: the score is below 4: true
	// packets were lost: true 0.2
}
