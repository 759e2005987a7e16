package soundcard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/media/soundcard"
)

// ramp counts on from n.
func ramp(n, samples int) []int16 {
	pcm := make([]int16, samples)
	for i := range pcm {
		pcm[i] = int16(n + i)
	}
	return pcm
}

func TestWhatIsCapturedTooFastLosesTheOldest(t *testing.T) {
	i := soundcard.UnconnectedInput()
	all := ramp(0, 12*960+100)
	for n := 0; n < len(all); n += 700 { // in pieces of any size
		i.Take(all[n:min(n+700, len(all))])
	}
	if i.Queued() != 10 || i.Dropped() != 40*time.Millisecond {
		t.Errorf("%d frames wait, %v are lost", i.Queued(), i.Dropped())
	}
	for n := 2; n < 12; n++ {
		if !slices.Equal(i.Next(), ramp(960*n, 960)) {
			t.Errorf("frame %d is another one", n)
		}
	}
}

func TestWhatIsMissingIsSilence(t *testing.T) {
	o := soundcard.UnconnectedOutput()
	silence := make([]int16, 1000)
	give := func(n int, want []int16, underruns uint64) {
		t.Helper()
		got := make([]int16, n) // silent, as the sound system hands it over
		o.Give(got)
		if !slices.Equal(got, want) || o.Underruns() != underruns {
			t.Errorf("%d underruns, want %d; sound: %v", o.Underruns(), underruns, got[:10])
		}
	}
	give(1000, silence, 0)
	all := ramp(1, 3*1920)
	for n := range 3 {
		if n > 0 {
			give(1000, silence, 0) // until there are three frames
		}
		if err := o.Queue(all[1920*n : 1920*(n+1)]); err != nil {
			t.Fatal(err)
		}
	}
	give(3000, all[:3000], 0)
	give(3000, append(slices.Clone(all[3000:]), make([]int16, 240)...), 1)
	give(1000, silence, 1)
}

func TestCallbacksAllocateNothing(t *testing.T) {
	i, o := soundcard.UnconnectedInput(), soundcard.UnconnectedOutput()
	heard, said, played := make([]int16, 1200), make([]int16, 1920), make([]int16, 1900)
	n := testing.AllocsPerRun(100, func() {
		i.Take(heard)
		_ = o.Queue(said)
		o.Give(played)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLoudspeakerSaysHowFastTimeGoes(t *testing.T) {
	o := soundcard.UnconnectedOutput()
	queued := make(chan int, 100)
	go func() {
		defer close(queued)
		for n := range 10 {
			_ = o.Queue(ramp(n, 1920))
			queued <- n
		}
	}()
	for range 6 {
		<-queued
	}
	select {
	case n := <-queued:
		t.Errorf("there was room for frame %d", n)
	case <-time.After(50 * time.Millisecond):
	}
	for range 10 { // and with every frame that is played there is room for one more
		o.Give(make([]int16, 1920))
	}
	for range queued {
	}
}
