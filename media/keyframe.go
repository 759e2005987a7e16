package media

import "bytes"

// startsKeyframe reports whether a packet begins a picture that needs no other.
// For a codec it does not know it says yes.
func startsKeyframe(codec Codec, payload []byte) bool {
	switch {
	case codec.Is(VP8):
		frame, start := vp8Frame(payload)
		return start && len(frame) > 0 && frame[0]&1 == 0
	case codec.Is(VP9):
		const predicted, begins = 0x40, 0x08
		return len(payload) > 0 && payload[0]&predicted == 0 && payload[0]&begins != 0
	case codec.Is(H264):
		return h264Keyframe(payload)
	}
	return true
}

// vp8Frame is what follows the payload descriptor (RFC 7741, section 4.2), and
// whether it is the beginning of a frame.
func vp8Frame(payload []byte) (frame []byte, start bool) {
	const extended, begins, partition = 0x80, 0x10, 0x0f
	if len(payload) < 1 {
		return nil, false
	}
	first, size := payload[0], 1
	if first&extended != 0 {
		if len(payload) < 2 {
			return nil, false
		}
		fields := payload[1]
		size = 2
		if fields&0x80 != 0 { // picture ID, of one or two bytes
			if len(payload) > size && payload[size]&0x80 != 0 {
				size++
			}
			size++
		}
		if fields&0x40 != 0 { // TL0PICIDX
			size++
		}
		if fields&0x30 != 0 { // TID and KEYIDX
			size++
		}
	}
	if len(payload) < size {
		return nil, false
	}
	return payload[size:], first&begins != 0 && first&partition == 0
}

// h264Keyframe looks for an IDR picture or the parameter sets before one (RFC
// 6184, section 5.2).
func h264Keyframe(payload []byte) bool {
	const idr, parameters, aggregate, fragment = 5, 7, 24, 28
	if len(payload) < 2 {
		return false
	}
	switch kind := payload[0] & 0x1f; kind {
	case idr, parameters:
		return true
	case aggregate:
		for rest := payload[1:]; len(rest) > 2; {
			size := int(rest[0])<<8 | int(rest[1])
			if inner := rest[2] & 0x1f; inner == idr || inner == parameters {
				return true
			}
			rest = rest[min(len(rest), 2+size):]
		}
	case fragment:
		const begins = 0x80
		return payload[1]&begins != 0 && payload[1]&0x1f == idr
	}
	return false
}

var opusSilence = []byte{0xf8, 0xff, 0xfe} // 20 ms, one channel, nothing coded

// silence is a payload of the same duration that sounds like nothing. Of a codec
// it does not know there is none.
func silence(codec Codec, size int) ([]byte, bool) {
	switch {
	case codec.Is(Opus):
		return opusSilence, true
	case codec.Is(PCMU):
		return bytes.Repeat([]byte{0xff}, size), true
	case codec.Is(PCMA):
		return bytes.Repeat([]byte{0xd5}, size), true
	}
	return nil, false
}
