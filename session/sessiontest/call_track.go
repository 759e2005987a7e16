package sessiontest

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

var errNoCodec = errors.New("sessiontest: no codec in common")

// outTrack is what the gateway sends in one section: one stream without jumps, whatever the sources it is
// fed from in turn. It implements [webrtc.TrackLocal].
type outTrack struct {
	kind webrtc.RTPCodecType
	id   string

	packets, bytes atomic.Uint64

	mu       sync.Mutex // guards what follows
	writer   webrtc.TrackLocalWriter
	ssrc     uint32
	payloads map[string]uint8 // payload type by codec name
	main     codec            // what a source of the gateway's own sends

	source  any // of the last packet
	only    any // while set, nothing else is passed on: a digit is not cut up by what is said meanwhile
	lastSeq uint16
	lastTS  uint32
	lastAt  time.Time // zero before the first packet
	seqAdd  uint16    // from the source's numbers to ours
	tsAdd   uint32
}

func newOutTrack(kind webrtc.RTPCodecType) *outTrack {
	return &outTrack{kind: kind, id: newUUID()}
}

// ID, RID, StreamID and Kind describe the track.
func (o *outTrack) ID() string                { return o.id }
func (o *outTrack) RID() string               { return "" }
func (o *outTrack) StreamID() string          { return "callrx" }
func (o *outTrack) Kind() webrtc.RTPCodecType { return o.kind }

// Bind takes the negotiated codecs and the place to write to.
func (o *outTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.payloads = map[string]uint8{}
	var first *codec
	for _, p := range ctx.CodecParameters() {
		c := codec{codecName(p.RTPCodecCapability), p}
		if _, twice := o.payloads[c.name]; twice {
			continue
		}
		o.payloads[c.name] = uint8(p.PayloadType)
		if first == nil && !c.isEvent() {
			first = &c
		}
	}
	if first == nil {
		return webrtc.RTPCodecParameters{}, errNoCodec
	}
	o.main, o.writer, o.ssrc = *first, ctx.WriteStream(), uint32(ctx.SSRC())
	return first.params, nil
}

// Unbind ends the writing.
func (o *outTrack) Unbind(webrtc.TrackLocalContext) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writer = nil
	return nil
}

// codec returns what a source of the gateway's own is to send, and false before the track is bound.
func (o *outTrack) codec() (codec, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.main, o.writer != nil
}

// write sends a packet of a source in the named codec. It is dropped when the section has no such codec.
func (o *outTrack) write(source any, name string, clock uint32, p *rtp.Packet) {
	header, writer := o.rewrite(source, name, clock, p)
	if writer == nil {
		return
	}
	o.packets.Add(1)
	o.bytes.Add(uint64(len(p.Payload)))
	_, _ = writer.WriteRTP(&header, p.Payload) // before and after the transport is up it goes nowhere
}

// rewrite gives a packet the numbers of this stream. A new source goes on where the last one stopped, as
// much later as time has passed.
func (o *outTrack) rewrite(source any, name string, clock uint32, p *rtp.Packet) (rtp.Header, webrtc.TrackLocalWriter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	payload, ok := o.payloads[name]
	if !ok || o.writer == nil || o.only != nil && o.only != source {
		return rtp.Header{}, nil
	}
	now, marker := time.Now(), p.Marker
	if o.source != source && !o.lastAt.IsZero() {
		gap := uint32(now.Sub(o.lastAt).Seconds() * float64(clock))
		o.seqAdd = o.lastSeq + 1 - p.SequenceNumber
		o.tsAdd = o.lastTS + max(gap, 1) - p.Timestamp
		marker = marker || o.kind == webrtc.RTPCodecTypeAudio && !strings.HasPrefix(name, eventPrefix)
	}
	o.source = source
	h := rtp.Header{
		Version: 2, Marker: marker, PayloadType: payload, SSRC: o.ssrc,
		SequenceNumber: p.SequenceNumber + o.seqAdd, Timestamp: p.Timestamp + o.tsAdd,
	}
	if o.lastAt.IsZero() || int16(h.SequenceNumber-o.lastSeq) > 0 {
		o.lastSeq, o.lastTS = h.SequenceNumber, h.Timestamp
	}
	o.lastAt = now
	return h, o.writer
}

// resync makes the next packet go on where the last one stopped, as after a pause.
func (o *outTrack) resync() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.source = nil
}

// reserve leaves the stream to one source, nil to all again.
func (o *outTrack) reserve(source any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.only = source
}
