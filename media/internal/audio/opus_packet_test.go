package audio_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
)

// The table of RFC 6716, section 3.1: tenths of a millisecond a configuration.
var frameTenths = [32]int{
	100, 200, 400, 600, 100, 200, 400, 600, 100, 200, 400, 600, // SILK
	100, 200, 100, 200, // hybrid
	25, 50, 100, 200, 25, 50, 100, 200, 25, 50, 100, 200, 25, 50, 100, 200, // CELT
}

func TestPacketDurationOfEveryHeader(t *testing.T) {
	for toc := range 256 {
		for count := range 256 {
			frames := []int{1, 2, 2, count & 0x3f}[toc&3]
			want := time.Duration(frames*frameTenths[toc>>3]) * time.Millisecond / 10
			got, err := audio.PacketDuration([]byte{byte(toc), byte(count), 1, 2})
			var format *audio.FormatError
			if refused := errors.As(err, &format); refused != (want == 0 || want > 120*time.Millisecond) {
				t.Fatalf("%#x %#x: %v, %v", toc, count, got, err)
			}
			if err == nil && got != want {
				t.Fatalf("%#x %#x: %v, want %v", toc, count, got, want)
			}
		}
	}
}

func TestPacketDurationOfCutHeaders(t *testing.T) {
	for _, packet := range [][]byte{nil, {}, {3}, {0xff}} {
		var format *audio.FormatError
		if d, err := audio.PacketDuration(packet); !errors.As(err, &format) {
			t.Errorf("%x: %v, %v", packet, d, err)
		}
	}
	if d, err := audio.PacketDuration([]byte{1 << 3}); d != 20*time.Millisecond || err != nil {
		t.Errorf("a packet of a silent sender: %v, %v", d, err)
	}
}

func FuzzPacketDuration(f *testing.F) {
	f.Add([]byte{0xfc, 0xff, 0xfe})
	f.Add([]byte{3, 48})
	f.Fuzz(func(t *testing.T, packet []byte) {
		d, err := audio.PacketDuration(packet)
		if err == nil && (d < 2500*time.Microsecond || d > 120*time.Millisecond || d%(2500*time.Microsecond) != 0) {
			t.Errorf("%x: %v", packet, d)
		}
	})
}

func ExamplePacketDuration() {
	d, err := audio.PacketDuration([]byte{0xfc, 0xff, 0xfe}) // CELT, 20 ms, stereo
	fmt.Println(d, err)
	// Output: 20ms <nil>
}
