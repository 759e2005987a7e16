package media

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVoiceAmplifiesWithoutOverflow(t *testing.T) {
	for _, c := range []struct {
		percent float64
		want    []int16
	}{
		{100, []int16{0, 1000, -1001, 32767, -32768}},
		{50, []int16{0, 500, -501, 16384, -16384}},
		{200, []int16{0, 2000, -2002, 32767, -32768}},
		{1000, []int16{0, 2000, -2002, 32767, -32768}}, // 200
		{-5, []int16{0, 0, 0, 0, 0}},
	} {
		v := NewVoice(nil)
		v.SetGain(c.percent)
		v.SetGain(math.NaN()) // is ignored
		in := []int16{0, 1000, -1001, 32767, -32768}
		got, buf := v.process(in, nil)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v %% (-want +got):\n%s", c.percent, diff)
		}
		if in[1] != 1000 {
			t.Error("the source's samples were changed")
		}
		if again, _ := v.process(in[:2], buf); again[1] != c.want[1] {
			t.Errorf("again %v", again)
		}
	}
}

func TestVoiceIsSilentWhileItsKeyIsReleased(t *testing.T) {
	v := NewVoice(nil)
	var seen []bool
	step := func(do func()) { do(); seen = append(seen, v.silent()) }
	step(func() {})
	step(func() { v.Press(false) }) // there is no key
	step(func() { v.SetPushToTalk(true) })
	step(func() { v.Press(true) })
	step(func() { v.Press(false) })
	step(func() { v.SetPushToTalk(false) })
	step(func() { v.Press(true); v.SetPushToTalk(true) }) // pressing no key counts for nothing
	if diff := cmp.Diff([]bool{false, false, true, false, true, false, true}, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The meter is in front of gain and key: whoever has released the key sees that
// the microphone works.
func TestVoiceMetersWhatTheSourceGives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // the meter tells from two goroutines
		var told []string
		v := NewVoice(func(level float64, speaking bool) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprintf("%.2f %t", level, speaking))
		})
		v.SetPushToTalk(true)
		v.SetGain(0)
		frame := func(amplitude int16) {
			v.process([]int16{amplitude, -amplitude}, nil)
			time.Sleep(frameLength)
		}
		frame(328) // 0.01: nobody speaks
		frame(16384)
		for range 12 {
			frame(328) // 240 ms: still speaking
		}
		if v.Level() > 0.02 || !v.Speaking() {
			t.Errorf("level %v, speaking %t", v.Level(), v.Speaking())
		}
		frame(328)
		frame(328)
		if v.Speaking() {
			t.Error("speaks after a quarter of a second of silence")
		}
		frame(16384)
		time.Sleep(speakingHold) // the source stops
		synctest.Wait()
		if v.Level() != 0 || v.Speaking() {
			t.Errorf("after the source has stopped: level %v, speaking %t", v.Level(), v.Speaking())
		}
		want := []string{"0.01 false", "0.50 true"}
		for range 12 {
			want = append(want, "0.01 true")
		}
		want = append(want, "0.01 false", "0.01 false", "0.50 true", "0.00 false")
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}
