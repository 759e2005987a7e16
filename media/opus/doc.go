// Package opus encodes and decodes Opus (RFC 6716) with libopus, through cgo.
//
// It is a module of its own, so that only programs that import it need cgo, a C
// compiler, pkg-config and libopus (Debian: libopus-dev). A call can receive Opus
// without it, and send G.711; with it, a call can send PCM as Opus:
//
//	media.LegConfig{
//		OpusEncoder: func(channels int) (media.Encoder, error) {
//			return opus.NewEncoder(48000, channels, nil)
//		},
//	}
//
// PCM is signed 16-bit, channels interleaved. The state of an [Encoder] and of a
// [Decoder] is ordinary Go memory: there is nothing to close. Each belongs to one
// goroutine at a time and to one stream.
package opus
