package media

import (
	"testing"
)

// BenchmarkSpeakFrame is 20 ms from samples to a packet for the transport.
func BenchmarkSpeakFrame(b *testing.B) {
	for name, rate := range map[string]int{"8000": 8000, "24000": 24000} {
		b.Run(name, func(b *testing.B) {
			o := newOutlet(KindAudio, &LegConfig{})
			if _, err := o.Bind(&wire{codecs: audioCodecs(false).only([]string{PCMU})}); err != nil {
				b.Fatal(err)
			}
			out, err := o.attach(&toneSource{})
			if err != nil {
				b.Fatal(err)
			}
			frame := make([]int16, rate/framesPerSecond)
			b.ReportAllocs()
			for b.Loop() {
				if err := out.WritePCM(frame, rate, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHearFrame is 20 ms from a packet to samples.
func BenchmarkHearFrame(b *testing.B) {
	s := newPCMStream(16000, 1)
	p := Packet{Codec: Codec{Name: PCMU, ClockRate: 8000, Channels: 1}, Payload: make([]byte, 160)}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.push(p); err != nil {
			b.Fatal(err)
		}
		p.Timestamp += 160
		s.frame()
	}
}
