package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// section is one media section of a leg on its own transport.
type section struct {
	leg       *leg
	kind      webrtc.RTPCodecType
	pc        *webrtc.PeerConnection
	ctx       context.Context // ends with the section, and what plays in it too
	quit      context.CancelFunc
	out       atomic.Pointer[outTrack] // nil while the client receives nothing here
	direction atomic.Int32
	codecs    atomic.Pointer[[]codec] // agreed on, with the client's payload types

	targets        atomic.Pointer[[]*outTrack] // where incoming packets go
	ssrc           atomic.Uint32               // of the incoming stream
	packets, bytes atomic.Uint64               // received
	digits         dtmfReader
	inlet          inlet         // what is received, on its way into a mix
	playing        chan struct{} // one slot: digits are being sent
	gate           *peer.Gate    // open once the transport is up
	tracks         peer.Tracks   // that are read

	mu      sync.Mutex
	closed  bool
	readers sync.WaitGroup
}

// newSection makes the transport of a section that may use the given codecs.
func (t *callTable) newSection(l *leg, kind webrtc.RTPCodecType, codecs []codec) (*section, error) {
	api, gate, err := t.newAPI(kind, codecs)
	if err != nil {
		return nil, err
	}
	cert, err := t.certificate()
	if err != nil {
		return nil, err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{*cert}})
	if err != nil {
		return nil, fmt.Errorf("make peer connection: %w", err)
	}
	sec := &section{
		leg: l, kind: kind, pc: pc, playing: make(chan struct{}, 1), gate: gate,
	}
	sec.ctx, sec.quit = context.WithCancel(l.ctx)
	sec.setCodecs(codecs)
	pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		sec.tracks.Add(track, receiver)
		var reports sync.WaitGroup
		reports.Go(func() { drainReports(receiver) })
		sec.receive(track)
		reports.Wait()
	})
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) { t.connectionChanged(sec, state) })
	return sec, nil
}

// drainReports reads what the client reports of its sending (RFC 3550 section 6.4) until the receiver
// stops. pion answers with the times by which the client measures its round trip, once somebody reads.
func drainReports(receiver *webrtc.RTPReceiver) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := receiver.Read(buf); err != nil {
			return
		}
	}
}

func (sec *section) setCodecs(codecs []codec) { sec.codecs.Store(&codecs) }

func (sec *section) agreed() []codec { return *sec.codecs.Load() }

// codecOf returns the codec of an incoming payload type.
func (sec *section) codecOf(payload uint8) (codec, bool) {
	for _, c := range sec.agreed() {
		if uint8(c.params.PayloadType) == payload {
			return c, true
		}
	}
	return codec{}, false
}

func (sec *section) setDirection(d webrtc.RTPTransceiverDirection) { sec.direction.Store(int32(d)) }

// fromClient and toClient tell which ways the client agreed to.
func (sec *section) fromClient() bool {
	return clientSends(webrtc.RTPTransceiverDirection(sec.direction.Load()))
}

func (sec *section) toClient() bool {
	return sec.out.Load() != nil && clientReceives(webrtc.RTPTransceiverDirection(sec.direction.Load()))
}

// answer applies a client's offer for this section and returns the answer with its candidates.
func (sec *section) answer(
	ctx context.Context, d *sdp.SessionDescription, m *sdp.MediaDescription,
) (*sdp.MediaDescription, error) {
	direction := directionOf(d, m)
	if clientReceives(direction) && sec.out.Load() == nil {
		if err := sec.addTrack(); err != nil {
			return nil, err
		}
	}
	sec.setDirection(direction)
	text, err := single(d, m)
	if err != nil {
		return nil, err
	}
	if err := sec.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text}); err != nil {
		return nil, fmt.Errorf("apply offer: %w", err)
	}
	answer, err := sec.pc.CreateAnswer(nil)
	if err != nil {
		return nil, fmt.Errorf("make answer: %w", err)
	}
	return sec.gather(ctx, answer)
}

// offer returns an offer of this section with its candidates.
func (sec *section) offer(ctx context.Context) (*sdp.MediaDescription, error) {
	if err := sec.addTrack(); err != nil {
		return nil, err
	}
	offer, err := sec.pc.CreateOffer(nil)
	if err != nil {
		return nil, fmt.Errorf("make offer: %w", err)
	}
	return sec.gather(ctx, offer)
}

// answered applies a client's answer to the offer of this section.
func (sec *section) answered(d *sdp.SessionDescription, m *sdp.MediaDescription) error {
	codecs := codecsOf(m)
	if len(playable(codecs)) == 0 {
		return errNoCodec
	}
	sec.setCodecs(codecs)
	sec.setDirection(directionOf(d, m))
	text, err := single(d, withMID(m, 0))
	if err != nil {
		return err
	}
	return sec.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text})
}

// addTrack adds the outgoing stream. The track must be there before the offer is applied, so that the
// answer does not have to make up for it. It is made for both ways, whichever are offered at first: a
// transceiver that only sends never receives, not even when a later offer sends.
func (sec *section) addTrack() error {
	out := newOutTrack(sec.kind)
	var sender *webrtc.RTPSender
	if sec.pc.RemoteDescription() != nil {
		s, err := sec.pc.AddTrack(out)
		if err != nil {
			return fmt.Errorf("add track: %w", err)
		}
		sender = s
	} else {
		tr, err := sec.pc.AddTransceiverFromTrack(out, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
		if err != nil {
			return fmt.Errorf("add track: %w", err)
		}
		sender = tr.Sender()
	}
	sec.out.Store(out)
	sec.start(func() { sec.readFeedback(sender) })
	return nil
}

// gather sets the local description and waits until all candidates are in it.
func (sec *section) gather(ctx context.Context, d webrtc.SessionDescription) (*sdp.MediaDescription, error) {
	complete := webrtc.GatheringCompletePromise(sec.pc)
	if err := sec.pc.SetLocalDescription(d); err != nil {
		return nil, fmt.Errorf("set local description: %w", err)
	}
	select {
	case <-complete:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	local, err := parseSDP(sec.pc.LocalDescription().SDP)
	if err != nil {
		return nil, err
	}
	return local.MediaDescriptions[0], nil
}

// start runs f on a goroutine that close waits for.
func (sec *section) start(f func()) {
	if sec.enter() {
		go func() {
			defer sec.readers.Done()
			f()
		}()
	}
}

func (sec *section) enter() bool {
	sec.mu.Lock()
	defer sec.mu.Unlock()
	if sec.closed {
		return false
	}
	sec.readers.Add(1)
	return true
}

// close ends the transport and waits for everything that belongs to it, unless pion is stuck. It must not
// run on a goroutine of the transport itself.
func (sec *section) close() {
	sec.mu.Lock()
	sec.closed = true
	sec.mu.Unlock()
	sec.quit()
	err := peer.Close(sec.pc)
	sec.tracks.End()
	if errors.Is(err, peer.ErrStuck) {
		return
	}
	sec.readers.Wait()
}

// readFeedback passes the client's requests for a key frame on to who sends to it.
func (sec *section) readFeedback(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				sec.leg.t.requestKeyFrameFor(sec)
			}
		}
	}
}

// requestKeyFrame asks the client for a key frame (RFC 4585 section 6.3.1).
func (sec *section) requestKeyFrame() {
	if ssrc := sec.ssrc.Load(); ssrc != 0 {
		_ = sec.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}})
	}
}
