package sessiontest

import "math/bits"

// decodeULaw and encodeULaw are G.711 mu-law, decodeALaw and encodeALaw are G.711 A-law.
func decodeULaw(b byte) int16 {
	b = ^b
	v := int16(b&0x0f)<<3 + 0x84
	v = v<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return -v
	}
	return v
}

func encodeULaw(v int16) byte {
	const bias, clip = 0x84, 32635
	x, sign := int(v), byte(0)
	if x < 0 {
		x, sign = -x, 0x80
	}
	x = min(x, clip) + bias
	exponent := 7
	for mask := 0x4000; x&mask == 0 && exponent > 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent)<<4 | byte(x>>(exponent+3))&0x0f)
}

func decodeALaw(b byte) int16 {
	b ^= 0x55
	v := int16(b&0x0f)<<4 + 8
	if exponent := b >> 4 & 7; exponent > 0 {
		v = (v + 0x100) << (exponent - 1)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

func encodeALaw(v int16) byte {
	x, sign := int(v)>>4, byte(0x80)
	if x < 0 {
		x, sign = ^x, 0
	}
	code := byte(x)
	if x >= 16 { // the lowest two segments have the same step
		segment := bits.Len(uint(x)) - 4
		code = byte(segment<<4 | x>>(segment-1)&0x0f)
	}
	return (sign | code) ^ 0x55
}
