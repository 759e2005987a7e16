package audio

import "time"

// maxPacket is the longest sound that an Opus packet may hold (RFC 6716, 3.2.5).
const maxPacket = 120 * time.Millisecond

// PacketDuration returns how much sound an Opus packet holds, which its first one
// or two bytes tell (RFC 6716, section 3.1 and 3.2). It returns a [*FormatError]
// for what cannot be a packet: no bytes, no frames, or more than 120 ms.
func PacketDuration(packet []byte) (time.Duration, error) {
	if len(packet) == 0 {
		return 0, formatErrorf(opOpus, "an empty packet")
	}
	frames := 2 // codes 1 and 2
	switch packet[0] & 3 {
	case 0:
		frames = 1
	case 3:
		if len(packet) < 2 {
			return 0, formatErrorf(opOpus, "a packet without its number of frames")
		}
		frames = int(packet[1] & 0x3f)
	}
	d := time.Duration(frames) * frameDuration(packet[0]>>3)
	if d == 0 || d > maxPacket {
		return 0, formatErrorf(opOpus, "a packet of %d frames, %v", frames, d)
	}
	return d, nil
}

// frameDuration returns the length of each frame in a configuration: the table of
// RFC 6716, section 3.1.
func frameDuration(configuration byte) time.Duration {
	step := configuration & 3
	switch {
	case configuration < 12 && step == 3: // SILK: 10, 20, 40, 60 ms
		return 60 * time.Millisecond
	case configuration < 12:
		return 10 * time.Millisecond << step
	case configuration < 16: // hybrid: 10, 20 ms
		return 10 * time.Millisecond << (step & 1)
	default: // CELT: 2.5, 5, 10, 20 ms
		return 2500 * time.Microsecond << step
	}
}

// silent says that no frame of a packet holds data: the sender had nothing to say
// (DTX, RFC 6716, section 2.1.9).
func silent(packet []byte) bool {
	switch packet[0] & 3 {
	case 0, 1:
		return len(packet) == 1
	case 2:
		return len(packet) == 2 && packet[1] == 0
	default:
		return len(packet) == 2
	}
}
