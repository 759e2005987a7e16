package opus

/*
#include <opus.h>

// Go cannot call a function with a variable number of arguments.
static int callrx_encoder_set(OpusEncoder *e, int request, opus_int32 value) {
	return opus_encoder_ctl(e, request, value);
}
*/
import "C"

import (
	"slices"
	"unsafe"
)

// maxPacket is the longest packet that an encoder makes: three frames of the
// longest kind (RFC 6716, section 3.4), which libopus needs for 60 ms.
const maxPacket = 3 * 1275

// An Application tells an encoder what the sound is.
type Application int

// The zero value suits a call.
const (
	VoIP     Application = iota // speech, made as clear as can be
	Audio                       // music, kept as true as can be
	LowDelay                    // the shortest delay, at the cost of speech at low rates
)

// EncoderConfig holds the choices of an [Encoder]. The zero value of each field
// is its default.
type EncoderConfig struct {
	Application Application
	// Bitrate in bits per second, from 500 to 512000. 0 leaves it to libopus, which
	// goes by rate and channels.
	Bitrate int
	// PacketLoss is the loss to prepare for, in percent.
	PacketLoss int
	// FEC sends each frame of speech once more, coarsely, with the next one, if
	// PacketLoss is above 0 and the bitrate has room (RFC 6716, section 2.1.7).
	FEC bool
	// DTX sends next to nothing in pauses (section 2.1.9).
	DTX bool
	// Complexity is how hard to work, from 1 to 10. 0 leaves it to libopus: 9 as a
	// rule.
	Complexity int
}

// An Encoder turns the PCM of one stream into Opus packets.
type Encoder struct {
	state    []uint64
	channels int
}

// NewEncoder returns an encoder of PCM at 8000, 12000, 16000, 24000 or 48000 Hz
// with one or two channels. A nil config is all defaults. It returns an [*Error]
// if libopus refuses a value.
func NewEncoder(rate, channels int, config *EncoderConfig) (*Encoder, error) {
	const op = "make an Opus encoder"
	var c EncoderConfig
	if config != nil {
		c = *config
	}
	application, ok := map[Application]C.int{
		VoIP: C.OPUS_APPLICATION_VOIP, Audio: C.OPUS_APPLICATION_AUDIO, LowDelay: C.OPUS_APPLICATION_RESTRICTED_LOWDELAY,
	}[c.Application]
	size := C.opus_encoder_get_size(C.int(channels))
	if size <= 0 || !ok {
		return nil, &Error{Op: op, Code: C.OPUS_BAD_ARG}
	}
	e := &Encoder{state: state(size), channels: channels}
	result := C.opus_encoder_init(e.c(), C.opus_int32(rate), C.int(channels), application)
	if err := failed(op, result); err != nil {
		return nil, err
	}
	if err := e.configure(c); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Encoder) configure(c EncoderConfig) error {
	err := e.SetPacketLoss(c.PacketLoss)
	if err == nil && c.Bitrate != 0 {
		err = e.SetBitrate(c.Bitrate)
	}
	if err == nil && c.FEC {
		err = e.set("switch FEC on", C.OPUS_SET_INBAND_FEC_REQUEST, 1)
	}
	if err == nil && c.DTX {
		err = e.set("switch DTX on", C.OPUS_SET_DTX_REQUEST, 1)
	}
	if err == nil && c.Complexity != 0 {
		err = e.set("set the complexity", C.OPUS_SET_COMPLEXITY_REQUEST, c.Complexity)
	}
	return err
}

// c is the encoder as libopus knows it.
func (e *Encoder) c() *C.OpusEncoder { return (*C.OpusEncoder)(unsafe.Pointer(&e.state[0])) }

func (e *Encoder) set(op string, request C.int, value int) error {
	return failed(op, C.callrx_encoder_set(e.c(), request, C.opus_int32(value)))
}

// SetBitrate changes the bitrate, in bits per second, from the next packet on.
func (e *Encoder) SetBitrate(bitrate int) error {
	if bitrate <= 0 { // libopus gives negative rates a meaning
		return &Error{Op: "set the bitrate", Code: C.OPUS_BAD_ARG}
	}
	return e.set("set the bitrate", C.OPUS_SET_BITRATE_REQUEST, bitrate)
}

// SetPacketLoss changes the loss to prepare for, in percent.
func (e *Encoder) SetPacketLoss(percent int) error {
	return e.set("set the packet loss", C.OPUS_SET_PACKET_LOSS_PERC_REQUEST, percent)
}

// Encode appends the packet of one frame to packet and returns it. The frame
// lasts 2.5, 5, 10, 20, 40 or 60 ms; for any other length it returns an [*Error].
// With DTX a packet of one or two bytes need not be sent.
func (e *Encoder) Encode(packet []byte, pcm []int16) ([]byte, error) {
	const op = "encode Opus"
	if len(pcm) == 0 || len(pcm)%e.channels != 0 {
		return packet, &Error{Op: op, Code: C.OPUS_BAD_ARG}
	}
	n := len(packet)
	grown := slices.Grow(packet, maxPacket)[:n+maxPacket]
	result := C.opus_encode(e.c(), (*C.opus_int16)(unsafe.Pointer(&pcm[0])), C.int(len(pcm)/e.channels),
		(*C.uchar)(unsafe.Pointer(&grown[n])), maxPacket)
	if err := failed(op, C.int(result)); err != nil {
		return packet, err
	}
	return grown[:n+int(result)], nil
}
