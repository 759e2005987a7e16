package sessiontest

import "github.com/pion/opus"

const (
	mixRate  = 8000         // of everything that is measured and mixed, one channel
	mixFrame = mixRate / 50 // samples in 20 ms
	longest  = mixRate / 8  // more than any packet of Opus holds
)

// soundDecoder turns the packets of one stream into PCM at mixRate.
type soundDecoder struct {
	opus *opus.Decoder // made for the first packet
	pcm  [longest]int16
}

// decode returns the sound of a packet until the next call, nil for what it cannot read.
func (d *soundDecoder) decode(codecName string, payload []byte) []int16 {
	switch codecName {
	case pcmuName:
		return d.g711(payload, decodeULaw)
	case pcmaName:
		return d.g711(payload, decodeALaw)
	case opusName:
		return d.decodeOpus(payload)
	}
	return nil
}

func (d *soundDecoder) g711(payload []byte, decode func(byte) int16) []int16 {
	n := min(len(payload), len(d.pcm))
	for i, b := range payload[:n] {
		d.pcm[i] = decode(b)
	}
	return d.pcm[:n]
}

func (d *soundDecoder) decodeOpus(payload []byte) []int16 {
	if d.opus == nil {
		decoder, err := opus.NewDecoderWithOutput(mixRate, 1)
		if err != nil {
			return nil
		}
		d.opus = &decoder
	}
	n, err := d.opus.DecodeToInt16(payload, d.pcm[:])
	if err != nil || n > len(d.pcm) {
		return nil
	}
	return d.pcm[:n]
}
