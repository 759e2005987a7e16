package media

import (
	"context"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// An RTPSource sends packets that the program has, from another call for example.
type RTPSource struct {
	codecs     []string
	onKeyframe func()

	mu  sync.Mutex
	out *Output
}

// NewRTPSource returns a source of packets in one of these codecs, or, without
// any, in whatever is negotiated. Sequence numbers and timestamps may begin
// anywhere; gaps and reordering are passed on as they are.
func NewRTPSource(codecs ...string) *RTPSource { return &RTPSource{codecs: codecs} }

// OnKeyframeRequest makes the source call f when the far end asks for a keyframe.
// f must not block. It must be set before the source is given to a leg.
func (s *RTPSource) OnKeyframeRequest(f func()) { s.onKeyframe = f }

// Codecs are those given to [NewRTPSource].
func (s *RTPSource) Codecs() []string { return s.codecs }

// Send waits: packets are sent by WritePacket.
func (s *RTPSource) Send(ctx context.Context, out *Output) error {
	s.set(out)
	defer s.set(nil)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-out.KeyframeRequests():
			if s.onKeyframe != nil {
				s.onKeyframe()
			}
		}
	}
}

func (s *RTPSource) set(out *Output) {
	s.mu.Lock()
	s.out = out
	s.mu.Unlock()
}

// WritePacket sends a packet now and reports whether a leg was there to send it.
// The codec of the packet is not looked at. It is for one goroutine at a time.
func (s *RTPSource) WritePacket(p Packet) bool {
	s.mu.Lock()
	out := s.out
	s.mu.Unlock()
	return out != nil && out.WritePacket(p) == nil
}

// trackSource lets a track of pion write to a leg.
type trackSource struct{ track webrtc.TrackLocal }

// FromTrack returns a source that sends what is written to a track of pion. The
// track is bound while the leg sends, and to a codec that it accepts; its numbers
// are rewritten, so that it may come and go.
func FromTrack(track webrtc.TrackLocal) Source { return &trackSource{track} }

// Codecs names the codec of the track, if it says which.
func (s *trackSource) Codecs() []string {
	if t, ok := s.track.(interface {
		Codec() webrtc.RTPCodecCapability
	}); ok {
		return []string{codecFrom(webrtc.RTPCodecParameters{RTPCodecCapability: t.Codec()}).Name}
	}
	return nil
}

// Send binds the track and unbinds it again.
func (s *trackSource) Send(ctx context.Context, out *Output) error {
	bound := out.outlet.binding(&trackWriter{out: out})
	if bound == nil {
		return errCodec
	}
	if _, err := s.track.Bind(bound); err != nil {
		return err
	}
	<-ctx.Done()
	return s.track.Unbind(bound)
}

// A binding is pion's context of a track, with a writer of ours.
type binding struct {
	webrtc.TrackLocalContext
	codecs []webrtc.RTPCodecParameters
	writer webrtc.TrackLocalWriter
}

func (b *binding) CodecParameters() []webrtc.RTPCodecParameters { return b.codecs }
func (b *binding) WriteStream() webrtc.TrackLocalWriter         { return b.writer }

func (o *outlet) binding(writer webrtc.TrackLocalWriter) webrtc.TrackLocalContext {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bound == nil {
		return nil
	}
	return &binding{TrackLocalContext: o.bound, codecs: o.parameters, writer: writer}
}

// A trackWriter takes what a track writes. Tracks may be written to from several
// goroutines; the outlet puts them in order.
type trackWriter struct{ out *Output }

func (w *trackWriter) WriteRTP(header *rtp.Header, payload []byte) (int, error) {
	err := w.out.WritePacket(Packet{
		SequenceNumber: header.SequenceNumber, Timestamp: header.Timestamp,
		Marker: header.Marker, Payload: payload,
	})
	return len(payload), err
}

func (w *trackWriter) Write(b []byte) (int, error) {
	p, err := ParsePacket(b)
	if err != nil {
		return 0, err
	}
	return len(b), w.out.WritePacket(p)
}
