package media_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/pion/webrtc/v4"
)

// loopback keeps ICE on this machine.
func loopback(s *webrtc.SettingEngine) {
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
}

var (
	audioOnly = media.Directions{Audio: media.SendRecv}
	bothKinds = media.Directions{Audio: media.SendRecv, Video: media.SendRecv}
)

// newLeg makes a leg that is closed at the end of the test, on loopback unless the
// configuration says otherwise.
func newLeg(t testing.TB, cfg media.LegConfig) *media.Leg {
	t.Helper()
	if cfg.SettingEngine == nil {
		cfg.SettingEngine = loopback
	}
	if cfg.Logger == nil && testing.Verbose() {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	leg, err := media.NewLeg(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := leg.Close(); err != nil {
			t.Errorf("close leg: %v", err)
		}
	})
	return leg
}

// exchange carries an offer over and the answer back.
func exchange(t testing.TB, offerer, answerer *media.Leg) (offer, answer string) {
	t.Helper()
	offer, err := offerer.Offer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return offer, answerOffer(t, offerer, answerer, offer)
}

func answerOffer(t testing.TB, offerer, answerer *media.Leg, offer string) string {
	t.Helper()
	answer, err := answerer.Answer(t.Context(), offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := offerer.Accept(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// states keeps what a leg says about itself.
type states struct {
	mu   sync.Mutex
	seen []media.State
	more chan struct{}
}

func newStates() *states { return &states{more: make(chan struct{}, 1)} }

func (s *states) note(state media.State) {
	s.mu.Lock()
	s.seen = append(s.seen, state)
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *states) has(state media.State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, have := range s.seen {
		if have == state {
			return true
		}
	}
	return false
}

func (s *states) await(t testing.TB, state media.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !s.has(state) {
		select {
		case <-s.more:
		case <-ctx.Done():
			t.Fatalf("never %v, only %v", state, s.seen)
		}
	}
}

// packets collects what arrives.
type packets struct {
	mu   sync.Mutex
	all  []media.Packet
	more chan struct{}
}

func newPackets() *packets { return &packets{more: make(chan struct{}, 1)} }

func (p *packets) sink() media.Sink { return media.NewRTPSink(p.add) }

func (p *packets) add(packet media.Packet) {
	packet.Payload = append([]byte(nil), packet.Payload...)
	p.mu.Lock()
	p.all = append(p.all, packet)
	p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
}

func (p *packets) snapshot() []media.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]media.Packet(nil), p.all...)
}

// await returns the packets once there are n.
func (p *packets) await(t testing.TB, n int) []media.Packet {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if all := p.snapshot(); len(all) >= n {
			return all
		}
		select {
		case <-p.more:
		case <-ctx.Done():
			t.Fatalf("%d packets, not %d", len(p.snapshot()), n)
		}
	}
}
