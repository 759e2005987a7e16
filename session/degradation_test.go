package session

import (
	"slices"
	"testing"
	"time"
)

func TestThrottleLetsABurstPassThenNone(t *testing.T) {
	var passed []int
	var th throttle
	for s := range 40 { // one each second; the third closes for ten
		if th.pass(time.Unix(int64(s), 0), 3, 3*time.Second, 10*time.Second) {
			passed = append(passed, s)
		}
	}
	if want := []int{0, 1, 2, 12, 13, 14, 24, 25, 26, 36, 37, 38}; !slices.Equal(passed, want) {
		t.Errorf("%v", passed)
	}
	var slow throttle
	for s := 0; s < 60; s += 2 { // two in any window of three seconds, begun anew each time
		if !slow.pass(time.Unix(int64(s), 0), 3, 3*time.Second, 10*time.Second) {
			t.Errorf("refused at %d", s)
		}
	}
}

// A run feeds a degradation a sample each second and returns when it changed.
func runDegradation(seconds int, sample func(second int) bandwidth) (changes []int) {
	var d degradation
	for s := range seconds {
		b := sample(s)
		b.at, b.low, b.can = time.Unix(int64(s), 0), 150, 300
		if next := d.next(b); next.paused != d.paused {
			changes = append(changes, s)
			d = next
		} else {
			d = next
		}
	}
	return changes
}

func TestVideoIsPausedInTheThirdLowSample(t *testing.T) {
	for name, c := range map[string]struct {
		sample func(int) bandwidth
		want   []int
	}{
		"low":               {func(int) bandwidth { return bandwidth{bitrate: 149, sending: true} }, []int{2}},
		"at the threshold":  {func(int) bandwidth { return bandwidth{bitrate: 150, sending: true} }, nil},
		"unknown":           {func(int) bandwidth { return bandwidth{sending: true} }, nil},
		"not sent":          {func(int) bandwidth { return bandwidth{bitrate: 1} }, nil},
		"every third is ok": {func(s int) bandwidth { return bandwidth{bitrate: 100 + 100*(s%3/2), sending: true} }, nil},
		"back at once":      {func(s int) bandwidth { return bandwidth{bitrate: 100 + 200*min(1, s/3), sending: true} }, []int{2, 8}},
		"not quite back":    {func(s int) bandwidth { return bandwidth{bitrate: 100 + 199*min(1, s/3), sending: true} }, []int{2}},
		"back, but lossy":   {func(s int) bandwidth { return bandwidth{bitrate: 100 + 200*min(1, s/3), lossy: s < 20, sending: true} }, []int{2, 25}},
	} {
		if got := runDegradation(60, c.sample); !slices.Equal(got, c.want) {
			t.Errorf("%s: changes at %v, want %v", name, got, c.want)
		}
	}
}

// TestVideoThatRelapsesStaysAwayLonger: 5, 10, 20 ... 120 seconds.
func TestVideoThatRelapsesStaysAwayLonger(t *testing.T) {
	var d degradation
	var away []int
	since := 0
	for s := range 2000 {
		bitrate := 100
		if d.paused {
			bitrate = 300
		}
		next := d.next(bandwidth{at: time.Unix(int64(s), 0), bitrate: bitrate, sending: true, low: 150, can: 300})
		if next.paused && !d.paused {
			since = s
		}
		if !next.paused && d.paused {
			away = append(away, s-since-1) // the first clean sample is the next one
		}
		d = next
	}
	if !slices.Equal(away[:7], []int{5, 10, 20, 40, 80, 120, 120}) {
		t.Errorf("%v", away)
	}
}

// TestMutedVideoIsNotBroughtBack: what the user has muted stays paused, and what was
// learned of the path is kept until it is sent again; who wants no pauses has none.
func TestMutedVideoIsNotBroughtBack(t *testing.T) {
	d := degradation{paused: true, hold: 10 * time.Second}
	at := func(s int, b bandwidth) {
		b.at, b.low, b.can, b.bitrate = time.Unix(int64(s), 0), 150, 300, 300
		d = d.next(b)
	}
	for s := range 60 {
		at(s, bandwidth{})
	}
	if !d.paused || d.hold != 10*time.Second {
		t.Fatalf("muted: %+v", d)
	}
	for s := range 10 {
		at(60+s, bandwidth{sending: true})
	}
	if !d.paused {
		t.Error("back before its time")
	}
	if at(70, bandwidth{sending: true}); d.paused {
		t.Error("stays away")
	}
	d.paused = true
	if at(71, bandwidth{off: true}); d.paused {
		t.Error("paused though nothing is to be")
	}
}
