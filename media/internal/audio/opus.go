package audio

import (
	"time"

	"github.com/pion/opus"
)

const opOpus = "decode Opus"

// tail is how much of the sound so far a decoder keeps to fill a gap with.
const tail = 20 * time.Millisecond

// An OpusDecoder turns the Opus packets of one stream into PCM: SILK, CELT and
// hybrid, any frame length, mono and stereo, in pure Go.
//
// It does not use the copy of a lost packet that the next one may carry (in-band
// FEC), and it fills gaps with [OpusDecoder.Conceal], not as libopus does.
type OpusDecoder struct {
	decoder  opus.Decoder
	rate     int
	channels int
	pcm      []int16
	last     []int16 // up to tail of what was decoded last
	gap      int     // frames concealed since then
}

// NewOpusDecoder returns a decoder to PCM at 8000, 12000, 16000, 24000 or 48000
// Hz with one or two channels, whatever the stream has. It returns a
// [*FormatError] for other rates and channels.
func NewOpusDecoder(rate, channels int) (*OpusDecoder, error) {
	decoder, err := opus.NewDecoderWithOutput(rate, channels)
	if err != nil {
		return nil, &FormatError{Op: opOpus, Reason: "this output is not supported", OriginalError: err}
	}
	d := &OpusDecoder{decoder: decoder, rate: rate, channels: channels}
	d.pcm = make([]int16, d.samples(maxPacket))
	d.last = make([]int16, 0, d.samples(tail))
	return d, nil
}

func (d *OpusDecoder) samples(t time.Duration) int {
	return int(t*time.Duration(d.rate)/time.Second) * d.channels
}

// Decode returns the PCM of a packet, which lasts [PacketDuration]; it is valid
// until the next call. A packet without data, as a sender uses in pauses (DTX), is
// a gap and concealed. For a malformed packet it returns a [*FormatError]; the
// next packet can be decoded all the same.
func (d *OpusDecoder) Decode(packet []byte) ([]int16, error) {
	length, err := PacketDuration(packet)
	if err != nil {
		return nil, err
	}
	want := d.samples(length)
	if silent(packet) {
		return d.Conceal(want / d.channels), nil
	}
	n, err := d.decoder.DecodeToInt16(packet, d.pcm[:want])
	if err != nil {
		return nil, &FormatError{Op: opOpus, Reason: "a malformed packet", OriginalError: err}
	}
	pcm := d.pcm[:n*d.channels]
	d.remember(pcm)
	return pcm, nil
}

// remember keeps the end of pcm for the next gap.
func (d *OpusDecoder) remember(pcm []int16) {
	d.gap = 0
	room := cap(d.last)
	if len(pcm) >= room {
		d.last = append(d.last[:0], pcm[len(pcm)-room:]...)
		return
	}
	keep := min(len(d.last), room-len(pcm))
	copy(d.last, d.last[len(d.last)-keep:])
	d.last = append(d.last[:keep], pcm...)
}

// Conceal returns frames frames to put in the place of a lost packet: the last 20
// ms backwards, fading, then silence, so that the sound neither breaks off nor
// clicks. More than 120 ms are cut to 120 ms. The result is valid until the next
// call.
func (d *OpusDecoder) Conceal(frames int) []int16 {
	pcm := d.pcm[:min(frames*d.channels, len(d.pcm))]
	clear(pcm)
	known := len(d.last) / d.channels
	for i := range min(len(pcm)/d.channels, max(0, known-d.gap)) {
		left := known - d.gap - i
		for c := range d.channels {
			pcm[i*d.channels+c] = int16(int(d.last[(left-1)*d.channels+c]) * left / known)
		}
	}
	d.gap = min(d.gap+len(pcm)/d.channels, known)
	return pcm
}
