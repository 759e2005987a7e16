package media

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
)

// loudPacket is 20 ms of G.711 at a quarter of full scale.
func loudPacket() Packet {
	pcm := make([]int16, 160)
	for i := range pcm {
		pcm[i] = 8192
	}
	return Packet{Codec: Codec{Name: PCMA, ClockRate: 8000}, Payload: audio.AppendALaw(nil, pcm)}
}

func TestMeterMeasuresNothingThatNobodyWants(t *testing.T) {
	wanted, asked := false, 0
	m := NewMeter(func() bool { asked++; return wanted }, nil)
	m.packet(loudPacket())
	if m.Level() != 0 || len(m.decode) > 0 || asked != 1 {
		t.Errorf("level %v, %d decoders, asked %d times", m.Level(), len(m.decode), asked)
	}
	wanted = true
	m.packet(loudPacket())
	if l := m.Level(); l < 0.24 || l > 0.26 || !m.Speaking() {
		t.Errorf("level %v, speaking %t", l, m.Speaking())
	}
	m.packet(Packet{Codec: Codec{Name: "G722", ClockRate: 8000}, Payload: []byte{1}})
	if l := m.Level(); l < 0.24 || l > 0.26 {
		t.Errorf("what cannot be decoded has the level %v", l)
	}
	(*Meter)(nil).packet(loudPacket()) // no meter, no harm
}

func TestMeterFallsSilentWhenNothingComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var zero, others atomic.Int32
		m := NewMeter(nil, func(level float64) {
			if level == 0 {
				zero.Add(1)
			} else {
				others.Add(1)
			}
		})
		m.packet(loudPacket())
		time.Sleep(speakingHold)
		synctest.Wait() // the meter has noticed
		if m.Level() != 0 || m.Speaking() || zero.Load() != 1 || others.Load() != 1 {
			t.Errorf("level %v, speaking %t, told 0 %d times and others %d times", m.Level(), m.Speaking(), zero.Load(), others.Load())
		}
	})
}
