package media

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

var errCodec = errors.New("no codec in common with the far end")

// resyncAfter is how far the media clock may fall behind the wall clock before
// it is set forward, so that a receiver does not play late for ever.
const resyncAfter = 100 * time.Millisecond

// An outlet is the one stream that a section sends, whatever feeds it: sources
// come and go, the SSRC, the sequence numbers and the clock stay. It is the
// track of pion's sender.
type outlet struct {
	kind        Kind
	id          string
	preferences []string
	expand      func([]string) []string
	encoder     func(channels int) (Encoder, error)
	voice       *Voice        // what samples pass; nil: nothing
	keyframes   chan struct{} // asked for by the far end: capacity 1
	keypad      chan struct{} // held by who sends digits

	mu         sync.Mutex
	bound      webrtc.TrackLocalContext
	codecs     []Codec                     // negotiated
	events     []Codec                     // formats for telephone events
	parameters []webrtc.RTPCodecParameters // pion's word for both
	muted      bool
	keying     bool // a DTMF tone is on the wire instead of the source
	epoch      time.Time
	clock      int    // of RTP time since epoch, per second
	zero       uint32 // RTP time at epoch
	next       uint32 // RTP time after what was sent last
	seq        uint16 // of the next packet
	started    bool   // a source has sent something since it took over
	base       struct {
		seq       uint16
		timestamp uint32
	}
	srcSeq  uint16
	srcTime uint32
	marked  bool // the next packet begins a talk spurt
	waiting bool // video waits for a keyframe, after mute
	sent    sendCounters
}

func newOutlet(kind Kind, cfg *LegConfig) *outlet {
	o := &outlet{
		kind: kind, id: kind.String(), preferences: cfg.CodecPreferences,
		expand: cfg.expand, encoder: cfg.OpusEncoder,
		keyframes: make(chan struct{}, 1),
		keypad:    make(chan struct{}, 1),
		seq:       uint16(rand.Uint32()), next: rand.Uint32(),
	}
	if kind == KindAudio {
		o.voice = cfg.Voice
	}
	return o
}

// ID, RID, StreamID and Kind name the track for pion.
func (o *outlet) ID() string                { return o.id }
func (o *outlet) RID() string               { return "" }
func (o *outlet) StreamID() string          { return "callrx" }
func (o *outlet) Kind() webrtc.RTPCodecType { return codecType(o.kind) }

// Bind is pion saying what was negotiated.
func (o *outlet) Bind(bound webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	all := bound.CodecParameters()
	codecs := mediaCodecs(all)
	first, ok := pick(codecs, o.preferences, nil)
	if !ok {
		return webrtc.RTPCodecParameters{}, errCodec
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bound, o.codecs, o.events, o.parameters = bound, codecs, nil, all
	var chosen webrtc.RTPCodecParameters
	for _, p := range all {
		switch c := codecFrom(p); {
		case c == first:
			chosen = p
		case c.Is(telephoneEvent):
			o.events = append(o.events, c)
		}
	}
	return chosen, nil
}

// Unbind is pion saying that the sender has stopped.
func (o *outlet) Unbind(webrtc.TrackLocalContext) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bound = nil
	return nil
}

// codecFor picks what a source will send. It fails before there is anything to
// pick from, and if nothing fits.
func (o *outlet) codecFor(source Source) (Codec, error) {
	has := source.Codecs() // before the lock: it is code of the program
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bound == nil {
		return Codec{}, errCodec
	}
	codec, ok := pick(o.codecs, o.preferences, o.expand(has))
	if !ok {
		return Codec{}, fmt.Errorf("%w: the source has %v, the far end %v", errCodec, has, o.codecs)
	}
	return codec, nil
}

// attach begins a run of a source.
func (o *outlet) attach(source Source) (*Output, error) {
	codec, err := o.codecFor(source)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started, o.marked = false, true
	return &Output{outlet: o, codec: codec}, nil
}

// wallLocked is the RTP time by the wall clock. The first call, and another
// clock rate, begin a new epoch.
func (o *outlet) wallLocked(now time.Time, clockRate int) uint32 {
	if o.clock != clockRate {
		o.epoch, o.clock, o.zero = now, clockRate, o.next
	}
	elapsed := now.Sub(o.epoch)
	ticks := elapsed/time.Second*time.Duration(clockRate) + elapsed%time.Second*time.Duration(clockRate)/time.Second
	return o.zero + uint32(ticks)
}

// resyncLocked sets the clock forward over a gap. It never goes back.
func (o *outlet) resyncLocked(now time.Time, clockRate int) {
	wall := o.wallLocked(now, clockRate)
	if behind := int32(wall - o.next); behind > int32(resyncAfter*time.Duration(clockRate)/time.Second) {
		o.next, o.marked = wall, true
	}
}

// writeNext sends a payload that follows what was sent before.
func (o *outlet) writeNext(codec Codec, payload []byte, ticks uint32) error {
	o.mu.Lock()
	o.resyncLocked(time.Now(), codec.ClockRate)
	header := rtp.Header{
		Version: 2, PayloadType: codec.PayloadType, Marker: o.marked,
		SequenceNumber: o.seq, Timestamp: o.next,
	}
	o.next += ticks
	if o.keying || o.bound == nil {
		o.mu.Unlock()
		return nil
	}
	o.seq++
	o.marked = false
	return o.sendUnlock(codec, header, payload)
}

// writePacket sends a packet whose numbers mean something to the source only:
// their differences are kept, so that loss and order stay what they were.
func (o *outlet) writePacket(codec Codec, p Packet) error {
	o.mu.Lock()
	payload, ok := o.admitLocked(codec, p.Payload)
	if !ok || o.bound == nil {
		if o.started {
			o.base.seq-- // the gap is ours: it must not look like loss
		}
		o.mu.Unlock()
		return nil
	}
	if gap := int32(p.Timestamp - o.srcTime); !o.started || gap > int32(codec.ClockRate)*60 || gap < -int32(codec.ClockRate) {
		o.rebaseLocked(codec, p)
	}
	header := rtp.Header{
		Version: 2, PayloadType: codec.PayloadType, Marker: p.Marker || o.marked && o.kind == KindAudio,
		SequenceNumber: o.base.seq + (p.SequenceNumber - o.srcSeq),
		Timestamp:      o.base.timestamp + (p.Timestamp - o.srcTime),
	}
	o.marked = false
	if int16(header.SequenceNumber-o.seq) >= 0 {
		o.seq = header.SequenceNumber + 1
	}
	if after := header.Timestamp + uint32(codec.ClockRate/50); o.kind == KindAudio && int32(after-o.next) > 0 {
		o.next = after
	} else if o.kind == KindVideo && int32(header.Timestamp-o.next) > 0 {
		o.next = header.Timestamp
	}
	o.base.seq, o.base.timestamp = header.SequenceNumber, header.Timestamp
	o.srcSeq, o.srcTime = p.SequenceNumber, p.Timestamp
	return o.sendUnlock(codec, header, payload)
}

// rebaseLocked joins the source's numbers to where the stream is now.
func (o *outlet) rebaseLocked(codec Codec, p Packet) {
	wall := o.wallLocked(time.Now(), codec.ClockRate)
	if int32(wall-o.next) > 0 {
		o.next = wall
	}
	o.base.seq, o.base.timestamp = o.seq, o.next
	o.srcSeq, o.srcTime = p.SequenceNumber, p.Timestamp
	o.started = true
}

// admitLocked applies mute: audio becomes silence of the same length, video is
// dropped until the first keyframe after it.
func (o *outlet) admitLocked(codec Codec, payload []byte) ([]byte, bool) {
	if o.kind == KindVideo {
		if o.muted {
			o.waiting = true
			return nil, false
		}
		if o.waiting && !startsKeyframe(codec, payload) {
			return nil, false
		}
		o.waiting = false
		return payload, true
	}
	if o.keying {
		return nil, false
	}
	if o.muted || o.voice.silent() {
		return silence(codec, len(payload))
	}
	return payload, true
}

// sendUnlock hands a packet to pion, without the lock.
func (o *outlet) sendUnlock(codec Codec, header rtp.Header, payload []byte) error {
	header.SSRC = uint32(o.bound.SSRC())
	writer := o.bound.WriteStream()
	o.sent.add(codec, len(payload))
	o.mu.Unlock()
	_, err := writer.WriteRTP(&header, payload)
	return err
}

func (o *outlet) setMuted(muted bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.muted = muted
}

func (o *outlet) ssrc() uint32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bound == nil {
		return 0
	}
	return uint32(o.bound.SSRC())
}

func (o *outlet) isMuted() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.muted || o.voice.silent()
}

// run feeds the outlet from one source until it ends or ctx does.
func (o *outlet) run(ctx context.Context, source Source) error {
	out, err := o.attach(source)
	if err != nil {
		return err
	}
	if !o.awaitDue(ctx) {
		return context.Cause(ctx)
	}
	return source.Send(ctx, out)
}

// awaitDue returns when what was sent last has been played, or false if ctx ends
// first: a source that began at once would set the clock of the stream ahead, each
// that takes over a little more.
func (o *outlet) awaitDue(ctx context.Context) bool {
	ahead := o.ahead(time.Now())
	if ahead == 0 {
		return true
	}
	timer := time.NewTimer(ahead)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ahead is how far the stream is before the wall clock; not further than a source
// may send at once.
func (o *outlet) ahead(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.clock == 0 {
		return 0 // nothing was sent
	}
	ahead := int32(o.next - o.wallLocked(now, o.clock))
	return min(max(ticks(int64(ahead), o.clock), 0), catchUp*frameLength)
}
