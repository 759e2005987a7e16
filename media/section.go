package media

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/webrtc/v4"
)

// A section is one kind of media with a transport of its own: a peer connection
// that never learns of the others.
type section struct {
	leg       *Leg
	kind      Kind
	mid       string
	codecs    codecSet
	pc        *webrtc.PeerConnection
	gate      *peer.Gate
	sender    *webrtc.RTPSender
	outlet    *outlet
	player    *player
	inlet     *inlet
	gathering *gathering
	closed    chan struct{}              // the section has been given up
	bitrate   atomic.Int64               // that the far end believes us to have
	path      atomic.Pointer[Path]       // in use; nil: none yet
	tracks    peer.Tracks                // that are read
	base      atomic.Pointer[netip.Addr] // where it begins

	// What follows belongs to whoever has the leg's turn.
	pending  string    // a re-offer that pion has not been told to apply
	offering Direction // of the offer that waits
	ufrag    string    // of the far end

	giveUp func() // closes closed, once

	// mu guards what follows.
	mu          sync.Mutex
	established bool // the first exchange is complete
	agreed      Direction
}

// newSection makes the peer connection, with a transceiver in both directions:
// who may send is decided here and in the SDP, not in pion.
func (l *Leg) newSection(kind Kind, mid string) (*section, error) {
	codecs, err := l.cfg.codecs(kind)
	if err != nil {
		return nil, err
	}
	cfg := l.cfg
	cfg.RelayOnly = cfg.RelayOnly || l.relays.Load()
	pc, gate, err := newPeerConnection(&cfg, kind, codecs, l.certificate, func() { signal(l.dirty) })
	if err != nil {
		return nil, err
	}
	s := &section{
		leg: l, kind: kind, mid: mid, codecs: codecs, pc: pc, gate: gate,
		gathering: newGathering(l.candidates),
		closed:    make(chan struct{}),
		outlet:    newOutlet(kind, &l.cfg),
	}
	s.giveUp = sync.OnceFunc(func() { close(s.closed) })
	s.inlet = newInlet(l, s)
	s.player = newPlayer(l, s)
	l.mu.Lock()
	s.outlet.setMuted(l.silentLocked(kind))
	l.mu.Unlock()
	transceiver, err := pc.AddTransceiverFromTrack(s.outlet)
	if err != nil {
		s.close()
		return nil, err
	}
	s.sender = transceiver.Sender()
	s.sender.Transport().ICETransport().OnSelectedCandidatePairChange(s.selected)
	pc.OnICECandidate(s.gathering.found)
	pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) { signal(l.dirty) })
	pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		s.dropPhantomSender(receiver)
		s.tracks.Add(track, receiver)
		l.spawn(func() { s.inlet.readTrack(track) })
		l.spawn(func() { s.inlet.readReports(receiver) })
	})
	l.spawn(s.readFeedback)
	return s, nil
}

// dropPhantomSender takes back the sender that pion makes for a stream that the
// SDP did not announce. We send on our own transceiver only.
func (s *section) dropPhantomSender(receiver *webrtc.RTPReceiver) {
	t := receiver.RTPTransceiver()
	if t != nil && t.Sender() != nil && t.Sender() != s.sender {
		_ = s.pc.RemoveTrack(t.Sender()) // fails only when the connection is closed
	}
}

// close waits until pion has let go of everything, or is not worth waiting for.
func (s *section) close() {
	s.giveUp()
	s.player.close()
	if err := peer.Close(s.pc); err != nil {
		s.leg.cfg.Logger.Warn("close peer connection", "kind", s.kind.String(), "error", err)
	}
	s.tracks.End()
}

// discard closes a section that is no longer needed while the leg goes on. One
// that is being closed may not have seen the section.
func (s *section) discard() {
	if !s.leg.spawn(s.close) {
		s.close()
	}
}

// agree notes the outcome of an exchange. Who has answered must be ready to receive
// (RFC 3264, section 6.1): the way to the sink does not wait for the owner.
func (s *section) agree(d Direction) {
	s.leg.mu.Lock()
	wanted := s.leg.flowingLocked().Of(s.kind)
	s.leg.mu.Unlock()
	s.mu.Lock()
	s.established, s.agreed = true, d
	s.inlet.setReceiving((wanted & d).Receives())
	s.mu.Unlock()
	signal(s.leg.dirty)
}

func (s *section) isEstablished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.established
}

// reconcile lets media flow, or not, as is wanted, agreed and possible.
func (s *section) reconcile(wanted Direction) (webrtc.PeerConnectionState, bool) {
	state := s.pc.ConnectionState()
	s.mu.Lock()
	flow, established := wanted&s.agreed, s.established
	s.inlet.setReceiving(flow.Receives()) // not later: it may be agreed anew by then
	s.mu.Unlock()
	if state == webrtc.PeerConnectionStateConnected && !s.gate.Open() {
		state = webrtc.PeerConnectionStateConnecting // for a moment more
	}
	connected := established && state == webrtc.PeerConnectionStateConnected
	if connected {
		s.leg.openSink(s.kind)
	}
	s.player.setSending(connected && flow.Sends())
	return state, established
}
