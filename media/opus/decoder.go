package opus

/*
#include <opus.h>
*/
import "C"

import "unsafe"

// A Decoder turns the Opus packets of one stream into PCM.
type Decoder struct {
	state    []uint64
	channels int
	pcm      []int16 // 120 ms, the longest packet
}

// NewDecoder returns a decoder to PCM at 8000, 12000, 16000, 24000 or 48000 Hz
// with one or two channels, whatever the stream has. It returns an [*Error] for
// other rates and channels.
func NewDecoder(rate, channels int) (*Decoder, error) {
	const op = "make an Opus decoder"
	size := C.opus_decoder_get_size(C.int(channels))
	if size <= 0 {
		return nil, &Error{Op: op, Code: C.OPUS_BAD_ARG}
	}
	d := &Decoder{state: state(size), channels: channels}
	if err := failed(op, C.opus_decoder_init(d.c(), C.opus_int32(rate), C.int(channels))); err != nil {
		return nil, err
	}
	d.pcm = make([]int16, rate*120/1000*channels)
	return d, nil
}

func (d *Decoder) c() *C.OpusDecoder { return (*C.OpusDecoder)(unsafe.Pointer(&d.state[0])) }

// Decode returns the PCM of a packet; it is valid until the next call. For a
// malformed or empty packet it returns an [*Error]; the next one can be decoded
// all the same.
func (d *Decoder) Decode(packet []byte) ([]int16, error) {
	if len(packet) == 0 { // a loss to libopus
		return nil, &Error{Op: "decode Opus", Code: C.OPUS_INVALID_PACKET}
	}
	return d.decode("decode Opus", packet, len(d.pcm)/d.channels, 0)
}

// Conceal returns frames frames in the place of a lost packet: a guess from what
// was before. The number must be one of 2.5 ms or a multiple of them, up to 120
// ms; otherwise it returns an [*Error]. The result is valid until the next call.
func (d *Decoder) Conceal(frames int) ([]int16, error) {
	return d.decode("conceal a lost packet", nil, frames, 0)
}

// Recover is Conceal with the help of the packet after the lost one, which may
// hold a coarse copy (FEC). Decode that packet afterwards.
func (d *Decoder) Recover(next []byte, frames int) ([]int16, error) {
	return d.decode("recover a lost packet", next, frames, 1)
}

func (d *Decoder) decode(op string, packet []byte, frames int, fec C.int) ([]int16, error) {
	if frames <= 0 || frames > len(d.pcm)/d.channels {
		return nil, &Error{Op: op, Code: C.OPUS_BAD_ARG}
	}
	result := C.opus_decode(d.c(), (*C.uchar)(unsafe.Pointer(unsafe.SliceData(packet))), C.opus_int32(len(packet)),
		(*C.opus_int16)(unsafe.Pointer(&d.pcm[0])), C.int(frames), fec)
	if err := failed(op, result); err != nil {
		return nil, err
	}
	return d.pcm[:int(result)*d.channels], nil
}
