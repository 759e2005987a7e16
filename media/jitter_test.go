package media

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/callrx/callrx/media/internal/audio"
	"github.com/google/go-cmp/cmp"
)

// A jitterRig plays mu-law at 8 kHz by hand: packet n is 160 bytes of n, due at n
// times 20 ms.
type jitterRig struct {
	buffer *jitterBuffer
}

func newJitterRig() *jitterRig { return &jitterRig{buffer: newJitterBuffer(8000, 8000)} }

func (r *jitterRig) push(numbers ...int) {
	for _, n := range numbers {
		payload := make([]byte, 160)
		for i := range payload {
			payload[i] = byte(n)
		}
		r.buffer.push(Packet{SequenceNumber: uint16(n), Timestamp: uint32(n * 160), SSRC: 7, Payload: payload})
	}
}

// tick plays 20 ms and returns the number of the packet, or -1 for a gap.
func (r *jitterRig) tick() int {
	if r.buffer.excess() {
		r.one()
	}
	return r.one()
}

func (r *jitterRig) one() int {
	got := -1
	for left := int64(160); left > 0; {
		payload, overlap, gap := r.buffer.next(left, nil)
		if gap == 0 {
			got = int(payload[0])
			gap = int64(len(payload)) - overlap
		}
		r.buffer.advance(gap, payload == nil)
		left -= gap
	}
	return got
}

func (r *jitterRig) ticks(n int) (got []int) {
	for range n {
		got = append(got, r.tick())
	}
	return got
}

func TestJitterBufferPutsPacketsInOrderAfterItsDelay(t *testing.T) {
	r := newJitterRig()
	if diff := cmp.Diff([]int{-1, -1}, r.ticks(2)); diff != "" {
		t.Error("before the first packet:", diff)
	}
	r.push(10, 12, 11, 11)
	if diff := cmp.Diff([]int{-1, -1, -1, 10, 11, 12, -1}, r.ticks(7)); diff != "" {
		t.Error(diff)
	}
	r.push(13) // too late: 13 was a gap
	r.push(15)
	if diff := cmp.Diff([]int{-1, 15}, r.ticks(2)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(JitterStats{Late: 1, Duplicate: 1, Concealed: 100 * time.Millisecond}, r.buffer.snapshot()); diff != "" {
		t.Error(diff)
	}
}

func TestJitterBufferStartsAnewWhenTheTimeHasJumped(t *testing.T) {
	for name, jump := range map[string]int{"forward": 100, "back": -20} {
		r := newJitterRig()
		r.push(100, 101, 102)
		r.ticks(6)
		for n := 103 + jump; n < 103+jump+12; n++ {
			r.push(n)
			r.tick()
		}
		if got, want := r.tick(), 103+jump+11-2; got < want-1 || got > want+1 {
			t.Errorf("%s: it plays %d, want about %d", name, got, want)
		}
		if stats := r.buffer.snapshot(); stats.Restarts != 1 {
			t.Errorf("%s: %+v", name, stats)
		}
	}
}

func TestJitterBufferFollowsAnotherStream(t *testing.T) {
	r := newJitterRig()
	r.push(100)
	r.ticks(4)
	r.buffer.push(Packet{Timestamp: 5, SSRC: 8, Payload: make([]byte, 160)})
	if diff := cmp.Diff([]int{-1, -1, -1, 0}, r.ticks(4)); diff != "" {
		t.Error(diff)
	}
}

func TestJitterBufferSurvivesWrappingNumbersAndAnyDisorder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := newJitterBuffer(8000, 8000)
	start := uint32(1<<32 - 5000*160)
	var frames, heard int64
	var buf []byte
	for n := range 20000 {
		shuffled := n + random.IntN(5) - 2
		if random.IntN(20) != 0 {
			b.push(Packet{SSRC: 1, Timestamp: start + uint32(shuffled*160), Payload: make([]byte, 160)})
		}
		b.excess()
		for left := int64(160); left > 0; {
			payload, overlap, gap := b.next(left, buf)
			if gap == 0 {
				buf = payload
				gap = 160 - overlap
				heard++
			}
			b.advance(gap, payload == nil)
			left -= gap
			frames += gap
		}
		if len(b.waiting) > 60 {
			t.Fatalf("%d packets wait", len(b.waiting))
		}
	}
	if stats := b.snapshot(); stats.Restarts > 0 || heard < 10000 {
		t.Errorf("%+v, %d heard", stats, heard)
	}
}

func FuzzJitterBuffer(f *testing.F) {
	f.Add([]byte{1, 2, 3, 250, 251, 0, 0, 9})
	f.Fuzz(func(t *testing.T, moves []byte) {
		b := newJitterBuffer(48000, 48000)
		at := uint32(0)
		for _, m := range moves {
			at += uint32(int32(int8(m))) * 12345
			b.push(Packet{Timestamp: at, SSRC: uint32(m & 1), Payload: []byte{m}})
			payload, overlap, gap := b.next(960, nil)
			if (payload == nil) != (gap > 0) || gap < 0 || gap > 960 || overlap < 0 {
				t.Fatalf("payload %x, overlap %d, gap %d", payload, overlap, gap)
			}
			b.advance(960, gap > 0)
			b.excess()
		}
	})
}

func TestGapOfG711FadesWithoutAClick(t *testing.T) {
	p, err := newPlayout(Codec{Name: PCMU, ClockRate: 8000, Channels: 1}, 8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	loud := make([]byte, 160)
	for i := range loud {
		loud[i] = 0x90 // a constant
	}
	p.buffer.push(Packet{Payload: loud})
	var all []int16
	for range 8 {
		all = append(all, p.frame()...)
	}
	end := 4 * 160
	if step := int(all[end]) - int(all[end-1]); step > 200 || step < -200 {
		t.Errorf("a click of %d", step)
	}
	for i := end; i < end+159; i++ {
		if all[i+1] > all[i] {
			t.Fatalf("sample %d is louder than the one before", i+1)
		}
	}
	for _, s := range all[end+160:] {
		if s != 0 {
			t.Fatal("no silence after 20 ms")
		}
	}
}

func TestBufferThatIsDeeperThanNeededIsCaughtUp(t *testing.T) {
	b := newJitterBuffer(8000, 8000)
	at := uint32(0)
	push := func() {
		b.push(Packet{SSRC: 1, Timestamp: at, Payload: make([]byte, 160)})
		at += 160
	}
	for range 20 {
		push()
	}
	skipped := 0
	for range 3000 {
		steps := 1
		if b.excess() {
			steps++
			skipped++
		}
		for range steps {
			if _, _, gap := b.next(160, nil); gap > 0 {
				b.advance(gap, true)
			} else {
				b.advance(160, false)
			}
		}
		push()
	}
	if depth := at - uint32(b.cursor); depth > 8000*120/1000 {
		t.Errorf("%d ms wait after a minute", depth/8)
	}
	if got := b.snapshot(); skipped < 10 || got.Skipped != time.Duration(skipped)*frameLength {
		t.Errorf("%+v after %d", got, skipped)
	}
}

func TestPacketsThatOverlapAreHeardOnce(t *testing.T) {
	p, err := newPlayout(Codec{Name: PCMU, ClockRate: 8000, Channels: 1}, 8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	first, second := bytes.Repeat([]byte{0x90}, 160), bytes.Repeat([]byte{0xa0}, 160)
	p.buffer.push(Packet{Payload: first})
	p.buffer.push(Packet{Timestamp: 80, Payload: second})
	p.buffer.push(Packet{Timestamp: 240, Payload: first})
	var all []int16
	for range 6 {
		all = append(all, p.frame()...)
	}
	heard := append(audio.DecodeULaw(nil, first), audio.DecodeULaw(nil, second[:80])...)
	heard = append(heard, audio.DecodeULaw(nil, first)...)
	if diff := cmp.Diff(heard, all[3*160:3*160+400]); diff != "" {
		t.Error(diff)
	}
}
