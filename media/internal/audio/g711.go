package audio

import (
	"math/bits"
	"slices"
)

// The two laws of ITU-T G.711, one byte a sample, at 8000 Hz on the wire (RFC
// 3551, payload types 0 and 8). A code is a sign, the segment (the power of two
// below the magnitude) and four bits of the value within the segment, so each
// law is a count of leading bits and a shift: no tables.
//
// The magnitude of a negative sample is its one's complement, as in the ITU-T
// G.191 reference software; it also keeps -32768 in range.

const (
	ulawBias = 33     // makes every segment begin at a power of two, in 14-bit units
	ulawClip = 0x1fff // the largest biased magnitude
)

// EncodeULaw returns pcm in mu-law, the PCMU of RTP.
func EncodeULaw(pcm []int16) []byte { return AppendULaw(nil, pcm) }

// AppendULaw appends pcm in mu-law to dst.
func AppendULaw(dst []byte, pcm []int16) []byte {
	n := len(dst)
	dst = slices.Grow(dst, len(pcm))[:n+len(pcm)]
	out := dst[n:]
	for i, s := range pcm {
		out[i] = ulaw(s)
	}
	return dst
}

// DecodeULaw appends the samples of the mu-law bytes b to dst; give it buf[:0]
// to reuse a buffer.
func DecodeULaw(dst []int16, b []byte) []int16 {
	n := len(dst)
	dst = slices.Grow(dst, len(b))[:n+len(b)]
	out := dst[n:]
	for i, u := range b {
		out[i] = fromULaw(u)
	}
	return dst
}

// EncodeALaw returns pcm in A-law, the PCMA of RTP.
func EncodeALaw(pcm []int16) []byte { return AppendALaw(nil, pcm) }

// AppendALaw appends pcm in A-law to dst.
func AppendALaw(dst []byte, pcm []int16) []byte {
	n := len(dst)
	dst = slices.Grow(dst, len(pcm))[:n+len(pcm)]
	out := dst[n:]
	for i, s := range pcm {
		out[i] = alaw(s)
	}
	return dst
}

// DecodeALaw appends the samples of the A-law bytes b to dst; give it buf[:0]
// to reuse a buffer.
func DecodeALaw(dst []int16, b []byte) []int16 {
	n := len(dst)
	dst = slices.Grow(dst, len(b))[:n+len(b)]
	out := dst[n:]
	for i, a := range b {
		out[i] = fromALaw(a)
	}
	return dst
}

func ulaw(s int16) byte {
	sign := s >> 15 // 0 or -1
	magnitude := uint(s^sign)>>2 + ulawBias
	magnitude = min(magnitude, ulawClip)
	segment := uint(bits.Len(magnitude)) - 6
	code := byte(segment<<4 | magnitude>>(segment+1)&0xf)
	return ^code ^ byte(sign)&0x80
}

func fromULaw(u byte) int16 {
	u = ^u
	magnitude := (int16(u&0xf)<<3+ulawBias*4)<<(u>>4&7) - ulawBias*4
	if u&0x80 != 0 {
		return -magnitude
	}
	return magnitude
}

func alaw(s int16) byte {
	sign := s >> 15
	magnitude := uint(s^sign) >> 4
	code := byte(magnitude)
	if magnitude >= 16 { // segment 0 and 1 have the same step
		segment := uint(bits.Len(magnitude)) - 4
		code = byte(segment<<4 | magnitude>>(segment-1)&0xf)
	}
	return code ^ 0xd5 ^ byte(sign)&0x80 // even bits are inverted on the wire
}

func fromALaw(a byte) int16 {
	a ^= 0x55
	magnitude := int16(a&0xf)<<4 + 8
	if segment := a >> 4 & 7; segment > 0 {
		magnitude = (magnitude + 0x100) << (segment - 1)
	}
	if a&0x80 == 0 {
		return -magnitude
	}
	return magnitude
}
