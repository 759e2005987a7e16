package media

import (
	"errors"

	"github.com/callrx/callrx/media/internal/audio"
)

var errNotPCM = errors.New("the negotiated codec cannot be encoded")

// Output is where a [Source] writes. It is good for one call of Send, on one
// goroutine.
type Output struct {
	outlet  *outlet
	codec   Codec
	pcm     *pcmEncoder
	silence []int16
	louder  []int16 // or softer: what the voice made of a frame
}

// Codec is what to write: the best of the source's codecs that the far end takes.
func (o *Output) Codec() Codec { return o.codec }

// Muted reports whether what is written is replaced, by silence or by nothing.
func (o *Output) Muted() bool { return o.outlet.isMuted() }

// KeyframeRequests delivers one value, at least, after the far end has asked for
// a keyframe (RFC 4585, RFC 5104).
func (o *Output) KeyframeRequests() <-chan struct{} { return o.outlet.keyframes }

// WritePacket sends a packet. Sequence numbers and timestamps may begin anywhere:
// they are continued from what was sent before, and their differences are kept.
// Errors of the transport are not reported: a packet is as lost as in a network.
func (o *Output) WritePacket(p Packet) error {
	_ = o.outlet.writePacket(o.codec, p)
	return nil
}

// WritePCM encodes and sends one frame of 20 ms. Timestamps follow the number of
// samples; after a pause of more than 100 ms they follow the clock.
func (o *Output) WritePCM(pcm []int16, rate, channels int) error {
	if o.pcm == nil || o.pcm.rate != rate || o.pcm.channels != channels {
		encoder, err := newPCMEncoder(o.codec, rate, channels, o.outlet.encoder)
		if err != nil {
			return err
		}
		o.pcm = encoder
	}
	pcm, o.louder = o.outlet.voice.process(pcm, o.louder)
	if o.outlet.isMuted() {
		if len(o.silence) < len(pcm) {
			o.silence = make([]int16, len(pcm))
		}
		pcm = o.silence[:len(pcm)]
	}
	o.outlet.sent.level.set(audio.Level(pcm))
	payload, err := o.pcm.encode(pcm)
	if err != nil {
		return err
	}
	ticks := uint32(len(pcm) / channels * o.codec.ClockRate / rate)
	_ = o.outlet.writeNext(o.codec, payload, ticks)
	return nil
}
