package media_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/callrx/callrx/media"
)

// A port where nobody answers: the error says what was tried.
func ExampleProbeICE() {
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0") // and silent
	if err != nil {
		panic(err)
	}
	defer taken.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	for _, p := range media.ProbeICE(ctx, []media.ICEServer{{URLs: []string{"stun:" + taken.LocalAddr().String()}}}) {
		fmt.Println(p.Protocol, p.Relay, p.RoundTrip, p.Err != nil)
	}
	// Output: udp false 0s true
}

func ExampleProbeSource() {
	tone, err := media.NewTone(440, -12)
	if err != nil {
		panic(err)
	}
	p, err := media.ProbeSource(context.Background(), media.KindAudio, media.LegConfig{
		Directions: media.Directions{Audio: media.SendRecv}, AudioSource: tone,
	})
	fmt.Printf("%s at %.0f dBFS, error: %v\n", p.Codec, p.Level, err)
	// Output: PCMU/8000 at -12 dBFS, error: <nil>
}
