package peer_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// TestCloseBeforeStreamsAreAccepted: pion comes no further than having connected,
// as on a machine that has no time for it; packets arrive, and then it is closed.
func TestCloseBeforeStreamsAreAccepted(t *testing.T) {
	for name, end := range map[string]func(near, far *side){
		"by us":          func(near, _ *side) { near.want(peer.Close(near.pc)) },
		"by the far end": func(near, far *side) { far.want(peer.Close(far.pc)) },
	} {
		t.Run(name, func(t *testing.T) {
			slow := &hesitant{at: "peer connection state changed: connected", reached: make(chan struct{}), on: make(chan struct{})}
			near, far := newSide(t, slow), newSide(t, quiet{})
			connect(t, far, near)
			<-slow.reached
			for !far.gate.Open() {
				near.pass(1)
			}
			near.pass(50) // packets are here
			var closing sync.WaitGroup
			closing.Go(func() { end(near, far) })
			for near.pc.SignalingState() != webrtc.SignalingStateClosed {
				near.pass(1)
			}
			near.pass(50)
			close(slow.on)
			closing.Wait()
			near.close()
			far.close()
		})
	}
}

// TestStuckConnection is left behind, and ends when it can.
func TestStuckConnection(t *testing.T) {
	slow := &hesitant{at: "peer connection state changed: closed", reached: make(chan struct{}), on: make(chan struct{})}
	s := newSide(t, slow)
	start := time.Now()
	if err := peer.Close(s.pc); err != peer.ErrStuck {
		t.Error(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	close(slow.on)
	s.close()
}

// A side is one of two that send sound to each other as fast as they can.
type side struct {
	t     *testing.T
	pc    *webrtc.PeerConnection
	gate  *peer.Gate
	track *webrtc.TrackLocalStaticRTP
	tick  *time.Ticker
	quit  chan struct{}
	work  sync.WaitGroup
}

func newSide(t *testing.T, loggers logging.LoggerFactory) *side {
	t.Helper()
	settings := webrtc.SettingEngine{LoggerFactory: loggers}
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(net.IP.IsLoopback)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	s := &side{t: t, gate: peer.Guard(&settings, registry, nil), quit: make(chan struct{}), tick: time.NewTicker(time.Millisecond)}
	s.want(engine.RegisterDefaultCodecs())
	s.want(webrtc.ConfigureRTCPReports(registry))
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	var err error
	s.pc, err = api.NewPeerConnection(webrtc.Configuration{})
	s.want(err)
	s.track, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "x")
	s.want(err)
	sender, err := s.pc.AddTrack(s.track)
	s.want(err)
	s.work.Go(func() {
		for {
			if _, _, err := sender.ReadRTCP(); err != nil {
				return
			}
		}
	})
	return s
}

// connect has them exchange their descriptions, and send.
func connect(t *testing.T, a, b *side) {
	t.Helper()
	offer, err := a.pc.CreateOffer(nil)
	a.want(err)
	b.want(b.pc.SetRemoteDescription(a.gathered(offer)))
	answer, err := b.pc.CreateAnswer(nil)
	b.want(err)
	a.want(a.pc.SetRemoteDescription(b.gathered(answer)))
	for _, s := range []*side{a, b} {
		s.work.Go(s.send)
	}
}

func (s *side) gathered(d webrtc.SessionDescription) webrtc.SessionDescription {
	complete := webrtc.GatheringCompletePromise(s.pc)
	s.want(s.pc.SetLocalDescription(d))
	<-complete
	return *s.pc.LocalDescription()
}

func (s *side) send() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := uint16(0); ; n++ {
		_ = s.track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 960}, Payload: []byte{1, 2, 3}})
		select {
		case <-tick.C:
		case <-s.quit:
			return
		}
	}
}

// pass waits for so many milliseconds or more.
func (s *side) pass(ticks int) {
	for range ticks {
		<-s.tick.C
	}
}

func (s *side) close() {
	s.want(peer.Close(s.pc))
	close(s.quit)
	s.work.Wait()
	s.tick.Stop()
}

func (s *side) want(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

// quiet loggers write nothing.
type quiet struct{ logging.LeveledLogger }

func (q quiet) NewLogger(string) logging.LeveledLogger { return q }
func (quiet) Trace(string)                             {}
func (quiet) Tracef(string, ...any)                    {}
func (quiet) Debug(string)                             {}
func (quiet) Debugf(string, ...any)                    {}
func (quiet) Info(string)                              {}
func (quiet) Infof(string, ...any)                     {}
func (quiet) Warn(string)                              {}
func (quiet) Warnf(string, ...any)                     {}
func (quiet) Error(string)                             {}
func (quiet) Errorf(string, ...any)                    {}

// A hesitant logger holds up who first writes a message, which tells how far pion
// has come.
type hesitant struct {
	quiet
	at          string
	reached, on chan struct{}
	once        sync.Once
}

func (h *hesitant) NewLogger(string) logging.LeveledLogger { return h }

func (h *hesitant) Infof(format string, args ...any) {
	text := format
	for _, a := range args {
		if s, ok := a.(interface{ String() string }); ok {
			text = strings.Replace(text, "%s", s.String(), 1)
		}
	}
	if strings.Contains(text, h.at) {
		h.once.Do(func() {
			close(h.reached)
			<-h.on
		})
	}
}
