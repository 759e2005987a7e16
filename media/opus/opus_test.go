package opus_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/callrx/callrx/media/opus"
)

const rate = 48000

// sine returns a sine of 440 Hz, in the second channel of 1000 Hz, at -6 dBFS.
func sine(rate, channels, frames int) []int16 {
	pcm := make([]int16, frames*channels)
	for i := range pcm {
		hz := []float64{440, 1000}[i%channels]
		pcm[i] = int16(16384 * math.Sin(2*math.Pi*hz*float64(i/channels)/float64(rate)))
	}
	return pcm
}

// share returns how much of the energy of one channel is at hz, from 0 to 1, and
// the amplitude there.
func share(pcm []int16, channels, c, rate int, hz float64) (of1, amplitude float64) {
	var re, im, energy float64
	n := 0.0
	for i := c; i < len(pcm); i += channels {
		s, co := math.Sincos(2 * math.Pi * hz * n / float64(rate))
		v := float64(pcm[i])
		re, im, energy = re+v*co, im+v*s, energy+v*v
		n++
	}
	power := re*re + im*im
	return 2 * power / n / energy, 2 * math.Sqrt(power) / n
}

func newEncoder(t testing.TB, rate, channels int, config *opus.EncoderConfig) *opus.Encoder {
	t.Helper()
	e, err := opus.NewEncoder(rate, channels, config)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func newDecoder(t testing.TB, rate, channels int) *opus.Decoder {
	t.Helper()
	d, err := opus.NewDecoder(rate, channels)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// encode returns the packets of pcm, a frame each.
func encode(t testing.TB, e *opus.Encoder, pcm []int16, frame int) (packets [][]byte) {
	t.Helper()
	for len(pcm) >= frame {
		packet, err := e.Encode(nil, pcm[:frame])
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, packet)
		pcm = pcm[frame:]
	}
	return packets
}

func TestToneSurvivesTheRoundTrip(t *testing.T) {
	for _, rate := range []int{8000, 12000, 16000, 24000, 48000} {
		for _, channels := range []int{1, 2} {
			for _, application := range []opus.Application{opus.VoIP, opus.Audio, opus.LowDelay} {
				for _, tenths := range []int{25, 50, 100, 200, 400, 600} {
					t.Run(fmt.Sprintf("%d/%d/%d/%d", rate, channels, application, tenths), func(t *testing.T) {
						config := &opus.EncoderConfig{Application: application, Bitrate: 64000 * channels}
						if tenths < 100 {
							config.Bitrate *= 2
						}
						checkRoundTrip(t, rate, channels, rate*tenths/10000, config)
					})
				}
			}
		}
	}
}

func checkRoundTrip(t *testing.T, rate, channels, frame int, config *opus.EncoderConfig) {
	t.Helper()
	e, d := newEncoder(t, rate, channels, config), newDecoder(t, rate, channels)
	var out []int16
	for i, packet := range encode(t, e, sine(rate, channels, rate/2), frame*channels) {
		pcm, err := d.Decode(packet)
		if err != nil || len(pcm) != frame*channels {
			t.Fatalf("packet %d: %d samples, %v", i, len(pcm), err)
		}
		out = append(out, pcm...)
	}
	steady := out[rate/10*channels : rate*2/5*channels]
	for c := range channels {
		of1, amplitude := share(steady, channels, c, rate, []float64{440, 1000}[c])
		if of1 < 0.95 || amplitude < 16384*0.8 || amplitude > 16384*1.25 {
			t.Errorf("channel %d: %.3f of the energy is the tone, its amplitude is %.0f", c, of1, amplitude)
		}
	}
}

func TestEncodeAppends(t *testing.T) {
	e := newEncoder(t, rate, 1, nil)
	packet, err := e.Encode([]byte("head"), sine(rate, 1, 960))
	if err != nil || !strings.HasPrefix(string(packet), "head") || len(packet) < 10 {
		t.Fatalf("%x, %v", packet, err)
	}
	if pcm, err := newDecoder(t, rate, 1).Decode(packet[4:]); len(pcm) != 960 || err != nil {
		t.Errorf("%d samples, %v", len(pcm), err)
	}
}

func TestEncoderRefusesWhatIsNoFrame(t *testing.T) {
	e := newEncoder(t, rate, 2, nil)
	for _, n := range []int{0, 1, 2, 962, 1921, 1918, 2 * 48000} {
		packet, err := e.Encode([]byte("head"), make([]int16, n))
		var e *opus.Error
		if !errors.As(err, &e) || e.Code != -1 || string(packet) != "head" {
			t.Errorf("%d samples: %q, %v", n, packet, err)
		}
	}
}

func TestBadValuesAreRefused(t *testing.T) {
	encoder := func(rate, channels int, c opus.EncoderConfig) error {
		e, err := opus.NewEncoder(rate, channels, &c)
		if (e == nil) != (err != nil) {
			t.Errorf("%v and %v", e, err)
		}
		return err
	}
	decoder := func(rate, channels int) error {
		_, err := opus.NewDecoder(rate, channels)
		return err
	}
	for i, err := range []error{
		encoder(44100, 1, opus.EncoderConfig{}),
		encoder(rate, 0, opus.EncoderConfig{}),
		encoder(rate, 3, opus.EncoderConfig{}),
		encoder(rate, 1, opus.EncoderConfig{Application: 7}),
		encoder(rate, 1, opus.EncoderConfig{Bitrate: -1}),
		encoder(rate, 1, opus.EncoderConfig{PacketLoss: 101}),
		encoder(rate, 1, opus.EncoderConfig{Complexity: 11}),
		newEncoder(t, rate, 1, nil).SetBitrate(0),
		newEncoder(t, rate, 1, nil).SetPacketLoss(-1),
		decoder(44100, 1), decoder(0, 1), decoder(rate, 0), decoder(rate, 3),
	} {
		var e *opus.Error
		if !errors.As(err, &e) || e.Code >= 0 || !strings.HasSuffix(e.Error(), "invalid argument") {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func TestBitrateIsKept(t *testing.T) {
	e := newEncoder(t, rate, 1, &opus.EncoderConfig{Application: opus.Audio})
	pcm := make([]int16, rate) // noise-like, so that every bit is used
	for i, x := 0, uint32(1); i < len(pcm); i++ {
		x = x*1664525 + 1013904223
		pcm[i] = int16(x >> 18)
	}
	for _, bitrate := range []int{16000, 64000, 128000} {
		if err := e.SetBitrate(bitrate); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, packet := range encode(t, e, pcm, 960) {
			total += 8 * len(packet)
		}
		if total < bitrate*7/10 || total > bitrate*13/10 {
			t.Errorf("a second at %d bit/s took %d bits", bitrate, total)
		}
	}
}

func TestPausesCostNextToNothingWithDTX(t *testing.T) {
	e := newEncoder(t, 16000, 1, &opus.EncoderConfig{DTX: true})
	small := 0
	for _, packet := range encode(t, e, make([]int16, 16000), 320) {
		if len(packet) <= 2 {
			small++
		}
	}
	if small < 30 {
		t.Errorf("%d of 50 packets of silence are small", small)
	}
}

func TestLostPacketIsConcealedAndRecovered(t *testing.T) {
	e := newEncoder(t, 16000, 1, &opus.EncoderConfig{FEC: true, PacketLoss: 20, Bitrate: 24000})
	packets := encode(t, e, sine(16000, 1, 16000), 320)
	conceal, recover := newDecoder(t, 16000, 1), newDecoder(t, 16000, 1)
	for _, packet := range packets[:20] {
		conceal.Decode(packet)
		recover.Decode(packet)
	}
	guess, err := conceal.Conceal(320)
	if err != nil || len(guess) != 320 {
		t.Fatalf("Conceal: %d samples, %v", len(guess), err)
	}
	copied, err := recover.Recover(packets[21], 320)
	if err != nil || len(copied) != 320 {
		t.Fatalf("Recover: %d samples, %v", len(copied), err)
	}
	for name, pcm := range map[string][]int16{"Conceal": guess, "Recover": copied} {
		if of1, amplitude := share(pcm, 1, 0, 16000, 440); of1 < 0.8 || amplitude < 5000 {
			t.Errorf("%s: %.3f of the energy is the tone, its amplitude is %.0f", name, of1, amplitude)
		}
	}
	if _, err := recover.Decode(packets[21]); err != nil {
		t.Error(err)
	}
	for _, n := range []int{-1, 0, 1, 321, 16000} {
		var e *opus.Error
		if _, err := conceal.Conceal(n); !errors.As(err, &e) {
			t.Errorf("Conceal(%d): %v", n, err)
		}
	}
}

func TestDecoderSurvivesMalformedPackets(t *testing.T) {
	d := newDecoder(t, rate, 1)
	for _, bad := range [][]byte{nil, {}, {3}, {3, 63}, {1, 2}, {2, 255}, make([]byte, 1300)} {
		var e *opus.Error
		if _, err := d.Decode(bad); !errors.As(err, &e) || e.Code != -4 {
			t.Errorf("%.4x: %v", bad, err)
		}
	}
	for _, packet := range encode(t, newEncoder(t, rate, 1, nil), sine(rate, 1, rate/10), 960) {
		if _, err := d.Decode(packet); err != nil {
			t.Error(err)
		}
	}
}

// The state lives in Go memory, so the garbage collector must neither free it too
// early nor find anything wrong in it.
func TestCodecsLiveWithTheGarbageCollector(t *testing.T) {
	var streams sync.WaitGroup
	for range 4 {
		streams.Go(func() {
			for range 20 {
				e, d := newEncoder(t, rate, 2, nil), newDecoder(t, rate, 2)
				for _, packet := range encode(t, e, sine(rate, 2, 4800), 1920) {
					runtime.GC()
					if _, err := d.Decode(packet); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	streams.Wait()
}

func TestNothingIsAllocatedIntoABuffer(t *testing.T) {
	e, d := newEncoder(t, rate, 2, nil), newDecoder(t, rate, 2)
	pcm, packet := sine(rate, 2, 960), []byte(nil)
	n := testing.AllocsPerRun(100, func() {
		packet, _ = e.Encode(packet[:0], pcm)
		d.Decode(packet)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, packet := range encode(f, newEncoder(f, rate, 1, nil), sine(rate, 1, 4800), 960) {
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		d := newDecoder(t, rate, 2)
		if pcm, err := d.Decode(packet); err == nil && (len(pcm) == 0 || len(pcm) > 2*5760 || len(pcm)%240 != 0) {
			t.Errorf("%x: %d samples", packet, len(pcm))
		}
		d.Recover(packet, 960)
	})
}

func BenchmarkEncode(b *testing.B) { // one frame of 20 ms
	for _, channels := range []int{1, 2} {
		for _, complexity := range []int{1, 5, 9} {
			b.Run(fmt.Sprintf("channels=%d/complexity=%d", channels, complexity), func(b *testing.B) {
				e := newEncoder(b, rate, channels, &opus.EncoderConfig{Bitrate: 32000 * channels, Complexity: complexity})
				pcm, packet := sine(rate, channels, 960), []byte(nil)
				b.ReportAllocs()
				for b.Loop() {
					packet, _ = e.Encode(packet[:0], pcm)
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) { // one packet of 20 ms
	packets := encode(b, newEncoder(b, rate, 1, nil), sine(rate, 1, rate), 960)
	d := newDecoder(b, rate, 1)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(packets[i%len(packets)])
		i++
	}
}

func ExampleEncoder() {
	e, err := opus.NewEncoder(48000, 1, &opus.EncoderConfig{Bitrate: 32000})
	if err != nil {
		fmt.Println(err)
		return
	}
	pcm := make([]int16, 960) // 20 ms of silence
	packet, err := e.Encode(nil, pcm)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := opus.NewDecoder(48000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	pcm, err = d.Decode(packet)
	fmt.Println(len(pcm), err)
	_, err = e.Encode(nil, pcm[:100])
	fmt.Println(err)
	// Output:
	// 960 <nil>
	// encode Opus: invalid argument
}
