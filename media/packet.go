package media

import (
	"strconv"
	"time"

	"github.com/pion/rtp"
)

// Packet is an RTP packet (RFC 3550) without what belongs to one transport.
type Packet struct {
	Codec          Codec // of a packet received; not looked at when sending
	SequenceNumber uint16
	Timestamp      uint32 // in units of the codec's clock
	SSRC           uint32 // of a packet received; not looked at when sending
	Marker         bool
	Payload        []byte
	ArrivedAt      time.Time // of a packet received
}

// ParsePacket reads a packet in wire format, as a UDP socket delivers it. The
// payload shares b. The codec's payload type is set, nothing else of the codec.
func ParsePacket(b []byte) (Packet, error) {
	var p rtp.Packet
	if err := p.Unmarshal(b); err != nil {
		return Packet{}, err
	}
	return Packet{
		Codec:          Codec{PayloadType: p.PayloadType},
		SequenceNumber: p.SequenceNumber, Timestamp: p.Timestamp, SSRC: p.SSRC,
		Marker: p.Marker, Payload: p.Payload,
	}, nil
}

// AppendTo appends the packet in wire format.
func (p Packet) AppendTo(b []byte) ([]byte, error) {
	wire := rtp.Packet{
		Header: rtp.Header{
			Version: 2, Marker: p.Marker, PayloadType: p.Codec.PayloadType,
			SequenceNumber: p.SequenceNumber, Timestamp: p.Timestamp, SSRC: p.SSRC,
		},
		Payload: p.Payload,
	}
	raw, err := wire.Marshal()
	if err != nil {
		return b, err
	}
	return append(b, raw...), nil
}

func itoa(n int) string { return strconv.Itoa(n) }
