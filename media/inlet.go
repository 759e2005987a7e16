package media

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const maxPacket = 1500

// maxBitrate, in bit/s, is as good as no limit. A far end may tell more than an
// integer holds.
const maxBitrate = 1e9

// An inlet is what a section receives: it counts, picks out telephone events and
// hands the rest to the sink.
type inlet struct {
	leg      *Leg
	section  *section
	digits   digitDetector // belongs to whoever has the sink's turn
	received receiveCounters
}

func newInlet(l *Leg, s *section) *inlet {
	return &inlet{leg: l, section: s}
}

// setReceiving opens and closes the way to the sink.
func (i *inlet) setReceiving(receiving bool) { i.received.open.Store(receiving) }

// readTrack handles the packets of one stream until the stream ends. It waits for
// the sink to be open, so that the sink hears the very first packet.
func (i *inlet) readTrack(track *webrtc.TrackRemote) {
	select {
	case <-i.leg.sinks[i.section.kind].opened:
	case <-i.leg.ctx.Done():
		return
	case <-i.section.closed:
		return
	}
	buf := make([]byte, maxPacket)
	formats := map[uint8]Codec{}
	for {
		n, _, err := track.Read(buf)
		if i.leg.ctx.Err() != nil || err != nil && n == 0 {
			return
		}
		var header rtp.Header
		size, parseErr := header.Unmarshal(buf[:n])
		if err != nil || parseErr != nil {
			i.received.malformed.Add(1)
			continue
		}
		codec, known := formats[header.PayloadType]
		if !known {
			codec = codecFrom(track.Codec())
			formats[header.PayloadType] = codec
		}
		payload, ok := unpad(header, buf[size:n])
		if ok {
			i.handle(codec, header, payload)
		}
	}
}

// unpad removes padding; a packet of nothing else is a probe.
func unpad(header rtp.Header, payload []byte) ([]byte, bool) {
	if !header.Padding || len(payload) == 0 {
		return payload, len(payload) > 0
	}
	padding := int(payload[len(payload)-1])
	if padding >= len(payload) {
		return nil, false
	}
	return payload[:len(payload)-padding], true
}

func (i *inlet) handle(codec Codec, header rtp.Header, payload []byte) {
	now := time.Now()
	turn := i.leg.sinks[i.section.kind].turn
	select {
	case turn <- struct{}{}:
	case <-i.leg.ctx.Done():
		return
	}
	defer func() { <-turn }()
	p := Packet{
		Codec: codec, SequenceNumber: header.SequenceNumber, Timestamp: header.Timestamp,
		SSRC: header.SSRC, Marker: header.Marker, Payload: payload, ArrivedAt: now,
	}
	i.received.count(p)
	if !i.received.open.Load() {
		return
	}
	if codec.Is(telephoneEvent) {
		i.digits.packet(p, i.leg.digit)
		return
	}
	if i.section.kind == KindAudio {
		i.leg.cfg.Meter.packet(p)
	}
	i.leg.writeSink(i.section.kind, p)
}

// readReports lets pion's interceptors see the RTCP of a stream, and keeps what
// sender reports say.
func (i *inlet) readReports(receiver *webrtc.RTPReceiver) {
	buf := make([]byte, maxPacket)
	for {
		if _, _, err := receiver.Read(buf); err != nil {
			return
		}
	}
}

// readFeedback handles what the far end says about what we send.
func (s *section) readFeedback() {
	buf := make([]byte, maxPacket)
	for {
		n, _, err := s.sender.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			s.feedback(p)
		}
	}
}

func (s *section) feedback(p rtcp.Packet) {
	switch p := p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		signal(s.outlet.keyframes)
	case *rtcp.ReceiverEstimatedMaximumBitrate:
		s.bitrate.Store(int64(min(p.Bitrate, maxBitrate)))
	case *rtcp.ReceiverReport:
		s.outlet.sent.report(p.Reports, s.outlet.ssrc(), time.Now())
	case *rtcp.SenderReport:
		s.outlet.sent.report(p.Reports, s.outlet.ssrc(), time.Now())
	}
}
