package sessiontest

import (
	"context"
	_ "embed"
	"encoding/binary"
	"math"
	"time"

	"github.com/pion/rtp"
)

const (
	toneHertz = 440
	toneLevel = 0.5 // of full scale, peak
	toneStep  = 20 * time.Millisecond
)

// tonePackets is one second of the tone in Opus: a length in two bytes before every packet.
//
//go:embed testdata/tone440.opus-packets
var tonePackets string

// playTone sends a tone into a section until ctx ends. It waits for the transport as long as it takes.
func (sec *section) playTone(ctx context.Context) {
	ticker := time.NewTicker(toneStep)
	defer ticker.Stop()
	start := time.Now()
	source := new(int)
	for n := 0; ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		out := sec.out.Load()
		if out == nil {
			continue
		}
		for due := int(time.Since(start) / toneStep); n < due; n++ {
			c, ok := out.codec()
			if !ok || sec.leg.silenced.Load() {
				out.resync()
				continue
			}
			samples := uint32(c.params.ClockRate) / uint32(time.Second/toneStep)
			out.write(source, c.name, c.params.ClockRate, &rtp.Packet{
				Header:  rtp.Header{SequenceNumber: uint16(n), Timestamp: uint32(n) * samples},
				Payload: tonePayload(c.name, n),
			})
		}
	}
}

// tonePayload returns the n-th 20 ms of the tone.
func tonePayload(codecName string, n int) []byte {
	if codecName == opusName {
		return toneOpus(n)
	}
	const samples = 160
	payload := make([]byte, samples)
	for i := range payload {
		at := float64(n*samples+i) / 8000
		payload[i] = encodeULaw(int16(toneLevel * math.MaxInt16 * math.Sin(2*math.Pi*toneHertz*at)))
	}
	return payload
}

func toneOpus(n int) []byte {
	rest := tonePackets
	for n %= 50; ; n-- {
		size := int(binary.BigEndian.Uint16([]byte(rest[:2])))
		if n == 0 {
			return []byte(rest[2 : 2+size])
		}
		rest = rest[2+size:]
	}
}
