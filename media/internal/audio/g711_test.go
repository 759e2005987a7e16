package audio_test

import (
	"fmt"
	"testing"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/google/go-cmp/cmp"
)

// law is one half of G.711 as its tables describe it: the sizes of the steps, and
// how many units of 16-bit PCM one unit of the table is.
type law struct {
	name   string
	unit   int
	steps  []int // one a segment of 16 intervals
	first  int   // intervals before the first regular one
	encode func([]int16) []byte
	decode func([]int16, []byte) []int16
	xor    byte // from the code of the table to the byte on the wire
}

var laws = []law{
	{"mu", 4, []int{2, 4, 8, 16, 32, 64, 128, 256}, 1, audio.EncodeULaw, audio.DecodeULaw, 0xff},
	{"A", 8, []int{2, 2, 4, 8, 16, 32, 64, 128}, 0, audio.EncodeALaw, audio.DecodeALaw, 0xd5},
}

// decisions are the decision values x0..x128 of tables 1 and 2 of G.711, made by
// adding up the steps. The first interval of the mu-law is half as wide.
func (l law) decisions() []int {
	x := []int{0}
	at := 0
	for segment, step := range l.steps {
		for i := range 16 {
			if segment == 0 && i < l.first {
				at += step / 2
			} else {
				at += step
			}
			x = append(x, at*l.unit)
		}
	}
	return x
}

func TestDecisionValuesEndWhereG711Says(t *testing.T) {
	for i, want := range []int{8159, 4096} {
		x := laws[i].decisions()
		if got := x[128] / laws[i].unit; got != want {
			t.Errorf("%s-law: the last decision value is %d, want %d", laws[i].name, got, want)
		}
	}
}

func TestEverySampleGetsTheCodeOfG711(t *testing.T) {
	for _, l := range laws {
		x := l.decisions()
		code := 0
		for s := 0; s <= 32767; s++ {
			for code < 127 && s >= x[code+1] {
				code++
			}
			// A negative sample has the code of its one's complement.
			want := []byte{byte(code) ^ l.xor, byte(code) ^ l.xor ^ 0x80}
			if got := l.encode([]int16{int16(s), int16(^s)}); !cmp.Equal(got, want) {
				t.Fatalf("%s-law of %d and %d: %x, want %x", l.name, s, ^s, got, want)
			}
		}
	}
}

func TestEveryCodeDecodesToTheMiddleOfItsInterval(t *testing.T) {
	for _, l := range laws {
		x := l.decisions()
		for code := range 128 {
			middle := (x[code] + x[code+1]) / 2
			if l.first == 1 && code == 0 {
				middle = 0 // the mu-law has a true zero
			}
			got := l.decode(nil, []byte{byte(code) ^ l.xor, byte(code) ^ l.xor ^ 0x80})
			if want := []int16{int16(middle), int16(-middle)}; !cmp.Equal(got, want) {
				t.Errorf("%s-law code %d: %v, want %v", l.name, code, got, want)
			}
		}
	}
}

func TestEveryCodeSurvivesDecodingAndEncoding(t *testing.T) {
	for _, l := range laws {
		for b := range 256 {
			got := l.encode(l.decode(nil, []byte{byte(b)}))[0]
			want := byte(b)
			if l.name == "mu" && b == 0x7f {
				want = 0xff // minus zero is zero
			}
			if got != want {
				t.Errorf("%s-law %#x became %#x", l.name, b, got)
			}
		}
	}
}

func TestG711AppendsToWhatIsThere(t *testing.T) {
	if got := audio.AppendULaw([]byte{1, 2}, []int16{0, 0}); !cmp.Equal(got, []byte{1, 2, 0xff, 0xff}) {
		t.Errorf("AppendULaw: %v", got)
	}
	if got := audio.AppendALaw([]byte{1, 2}, []int16{0}); !cmp.Equal(got, []byte{1, 2, 0xd5}) {
		t.Errorf("AppendALaw: %v", got)
	}
	if got := audio.DecodeULaw([]int16{7}, []byte{0xff}); !cmp.Equal(got, []int16{7, 0}) {
		t.Errorf("DecodeULaw: %v", got)
	}
	if got := audio.DecodeALaw([]int16{7}, []byte{0xd5}); !cmp.Equal(got, []int16{7, 8}) {
		t.Errorf("DecodeALaw: %v", got)
	}
}

func TestG711DoesNotAllocateIntoABuffer(t *testing.T) {
	pcm, b := make([]int16, 160), make([]byte, 160)
	n := testing.AllocsPerRun(100, func() {
		b = audio.AppendULaw(b[:0], pcm)
		pcm = audio.DecodeULaw(pcm[:0], b)
		b = audio.AppendALaw(b[:0], pcm)
		pcm = audio.DecodeALaw(pcm[:0], b)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkG711(b *testing.B) { // one 20 ms frame at 8 kHz
	pcm := make([]int16, 160)
	audio.NewTone(8000, 1, 440, -6).Read(pcm)
	code := audio.EncodeULaw(pcm)
	for _, l := range []struct {
		name string
		run  func()
	}{
		{"encode/mu", func() { code = audio.AppendULaw(code[:0], pcm) }},
		{"decode/mu", func() { pcm = audio.DecodeULaw(pcm[:0], code) }},
		{"encode/A", func() { code = audio.AppendALaw(code[:0], pcm) }},
		{"decode/A", func() { pcm = audio.DecodeALaw(pcm[:0], code) }},
	} {
		b.Run(l.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.run()
			}
		})
	}
}

func ExampleEncodeULaw() {
	b := audio.EncodeULaw([]int16{0, 1000, -1000, 32767})
	fmt.Printf("%x %d\n", b, audio.DecodeULaw(nil, b))
	// Output: ffce4e80 [0 988 -988 32124]
}

func ExampleEncodeALaw() {
	b := audio.EncodeALaw([]int16{0, 1000, -1000, 32767})
	fmt.Printf("%x %d\n", b, audio.DecodeALaw(nil, b))
	// Output: d5fa7aaa [8 1008 -1008 32256]
}
