package media_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/callrx/callrx/media"
)

// A feed gives a monitor a sample each second.
type feed struct {
	t *testing.T
	*media.Monitor
	s media.Stats
}

// wellFed is a monitor that knows what is normal.
func wellFed(t *testing.T, cfg media.MonitorConfig) *feed {
	f := &feed{t: t, Monitor: media.NewMonitor(cfg)}
	f.s.Time, f.s.RoundTrip, f.s.Audio.Jitter = time.Unix(1000, 0), 100*ms, 10*ms
	f.s.Directions = media.Directions{Audio: media.SendRecv}
	f.hear(12)
	if !f.Healthy() {
		t.Fatalf("issues %v", f.Issues())
	}
	return f
}

// hear lets seconds pass with 50 packets each.
func (f *feed) hear(seconds int) {
	for range seconds {
		f.second(50, 0)
	}
}

func (f *feed) second(received, lost int) bool {
	f.s.Time = f.s.Time.Add(time.Second)
	f.s.Audio.PacketsReceived += uint64(received)
	f.s.Audio.PacketsLost += int64(lost)
	return f.Add(f.s)
}

func (f *feed) want(what string, types ...media.NetworkIssueType) {
	f.t.Helper()
	var got []media.NetworkIssueType
	for _, i := range f.Issues() {
		got = append(got, i.Type)
	}
	if !slices.Equal(got, types) {
		f.t.Errorf("%s: issues %v, want %v", what, got, types)
	}
}

// TestIssuesBeginBeyondTheirThreshold: at the threshold there is none, just
// beyond it there is, in the second sample.
func TestIssuesBeginBeyondTheirThreshold(t *testing.T) {
	for name, c := range map[string]struct {
		at, beyond func(*feed)
		want       media.NetworkIssue
	}{
		"round trip": {
			func(f *feed) { f.s.RoundTrip = 300 * ms }, func(f *feed) { f.s.RoundTrip = 300*ms + 1000 },
			media.NetworkIssue{Type: media.IssueHighRTT, Value: 300.001, Threshold: 300},
		},
		"round trip, critical": {
			nil, func(f *feed) { f.s.RoundTrip = 500*ms + 1000 },
			media.NetworkIssue{Type: media.IssueHighRTT, Severity: media.SeverityCritical, Value: 500.001, Threshold: 500},
		},
		"round trip, at the critical edge": {
			nil, func(f *feed) { f.s.RoundTrip = 500 * ms },
			media.NetworkIssue{Type: media.IssueHighRTT, Value: 500, Threshold: 300},
		},
		"jitter": {
			func(f *feed) { f.s.Audio.Jitter = 40 * ms }, func(f *feed) { f.s.Audio.Jitter = 40*ms + 1000 },
			media.NetworkIssue{Type: media.IssueHighJitter, Value: 40.001, Threshold: 40},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := wellFed(t, media.MonitorConfig{})
			if c.at != nil {
				c.at(f)
				f.s.Time = f.s.Time.Add(time.Second)
				f.hear(0)
				f.second(50, 0)
				f.second(50, 0)
				f.want("at the threshold")
				f = wellFed(t, media.MonitorConfig{})
			}
			c.beyond(f)
			f.second(50, 0)
			f.want("after one sample")
			f.second(50, 0)
			if len(f.Issues()) != 1 {
				t.Fatalf("issues %v", f.Issues())
			}
			got := f.Issues()[0]
			if math.Abs(got.Value-c.want.Value) > 1e-6 || math.Abs(got.Threshold-c.want.Threshold) > 1e-6 {
				t.Errorf("value %v, threshold %v; want %v, %v", got.Value, got.Threshold, c.want.Value, c.want.Threshold)
			}
			if got.Type != c.want.Type || got.Severity != c.want.Severity || !got.Time.Equal(f.s.Time) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestLossIsAnIssueBeyondFiveAndTenPercent(t *testing.T) {
	for _, c := range []struct {
		received, lost int
		issues         int
		severity       media.Severity
	}{
		{95, 5, 0, 0}, {94, 6, 1, media.SeverityWarning}, {90, 10, 1, media.SeverityWarning},
		{89, 11, 1, media.SeverityCritical}, {16, 3, 0, 0}, {17, 3, 1, media.SeverityCritical}, // 19 and 20 packets
	} {
		f := wellFed(t, media.MonitorConfig{})
		f.second(c.received, c.lost)
		f.second(c.received, c.lost)
		if len(f.Issues()) != c.issues {
			t.Errorf("%+v: %v", c, f.Issues())
			continue
		}
		if c.issues > 0 && (f.Issues()[0].Type != media.IssueHighPacketLoss || f.Issues()[0].Severity != c.severity) {
			t.Errorf("%+v: %+v", c, f.Issues()[0])
		}
	}
}

// TestAnIssueThatEasesTellsWhatStillExceeded, although the sample that has it ease is
// a good one.
func TestAnIssueThatEasesTellsWhatStillExceeded(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	for _, rtt := range []time.Duration{600 * ms, 600 * ms, 400 * ms, 400 * ms, 20 * ms} {
		f.s.RoundTrip = rtt
		f.second(50, 0)
	}
	if len(f.Issues()) != 1 {
		t.Fatalf("issues %v", f.Issues())
	}
	if got := f.Issues()[0]; got.Severity != media.SeverityWarning || got.Value != 400 || got.Threshold != 300 {
		t.Errorf("%+v", got)
	}
}

// TestSmallFiguresAreNoIssue however many times the normal ones they are.
func TestSmallFiguresAreNoIssue(t *testing.T) {
	f := &feed{t: t, Monitor: media.NewMonitor(media.MonitorConfig{})}
	f.s.Time, f.s.Directions = time.Unix(0, 0), media.Directions{Audio: media.SendRecv}
	f.s.RoundTrip, f.s.Audio.Jitter = ms, 0
	f.hear(12)
	f.s.RoundTrip, f.s.Audio.Jitter = 150*ms, 30*ms
	f.hear(3)
	f.want("at the floors")
	f.s.RoundTrip, f.s.Audio.Jitter = 151*ms, 31*ms
	f.hear(2)
	f.want("beyond the floors", media.IssueHighRTT, media.IssueHighJitter)
}

// TestSilenceOfAudio is an issue after two seconds and a sample, and before the
// first packet after five.
func TestSilenceOfAudio(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	for i, want := range []int{0, 0, 0, 1, 1} {
		if changed := f.second(0, 0); len(f.Issues()) != want || changed != (i == 3) {
			t.Errorf("after %d s of silence: %v, changed %v", i+1, f.Issues(), changed)
		}
	}
	for i, want := range []int{1, 1, 0} {
		if f.second(50, 0); len(f.Issues()) != want {
			t.Errorf("after %d s of sound: %v", i+1, f.Issues())
		}
	}
	f = &feed{t: t, Monitor: media.NewMonitor(media.MonitorConfig{})}
	f.s.Directions = media.Directions{Audio: media.RecvOnly}
	for i := range 9 {
		if f.second(0, 0); (len(f.Issues()) == 1) != (i >= 7) { // the clock begins with the first sample
			t.Errorf("without a first packet, sample %d: %v", i, f.Issues())
		}
	}
}

// TestSilenceIsNoIssueWhereNothingIsDue: on hold, when only sending, of video in
// an audio call, and while the path was down.
func TestSilenceIsNoIssueWhereNothingIsDue(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	f.s.Directions = media.Directions{Audio: media.SendOnly}
	for range 30 {
		f.second(0, 0)
		f.want("only sending")
	}
	f.s.Directions = media.Directions{Audio: media.SendRecv}
	f.second(0, 0)
	f.second(0, 0)
	f.Pause()
	f.s.Time = f.s.Time.Add(time.Minute)
	f.second(0, 0)
	f.second(0, 0)
	f.want("after a pause")
}

func TestSilenceOfVideoIsAWarningAfterThreeSeconds(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	f.s.Directions.Video = media.RecvOnly
	f.s.Video.PacketsReceived = 10
	f.hear(5)
	f.want("after four seconds and a sample")
	f.hear(1)
	f.want("in the sample after that", media.IssueNoInboundVideo)
	if f.Issues()[0].Severity != media.SeverityWarning {
		t.Errorf("%+v", f.Issues()[0])
	}
}

// TestIssuesDoNotFlap: whatever the samples say, an issue that has come stays for
// three of them and one that has gone stays away for two.
func TestIssuesDoNotFlap(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		f := wellFed(t, media.MonitorConfig{})
		raised, since := false, 100
		for range 100 {
			f.s.RoundTrip = time.Duration(random.IntN(400)) * ms
			f.hear(1)
			since++
			if now := len(f.Issues()) > 0; now != raised {
				if least := map[bool]int{true: 3, false: 2}[raised]; since < least {
					t.Fatalf("raised %v after %d samples", now, since)
				}
				raised, since = now, 0
			}
		}
	}
}

// TestSingleSampleIsNoIssue, nor is a good one the end of an issue.
func TestSingleSampleIsNoIssue(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	for range 20 {
		f.s.RoundTrip = 900 * ms
		f.hear(1)
		f.s.RoundTrip = 100 * ms
		f.hear(1)
		f.want("every other sample")
	}
	f.s.RoundTrip = 900 * ms
	f.hear(2)
	for range 20 {
		f.s.RoundTrip = 100 * ms
		f.hear(2)
		f.want("with two good samples in a row", media.IssueHighRTT)
		f.s.RoundTrip = 900 * ms
		f.hear(1)
	}
}

func TestBaselineFollowsSlowlyWhileAllIsWell(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	f.s.RoundTrip = 250 * ms // not an issue, and normal in the end
	f.hear(300)
	f.s.RoundTrip = 500 * ms
	f.hear(3)
	f.want("twice what has become normal")
	f.s.RoundTrip = 900 * ms
	f.hear(300)
	f.want("an issue is not learned", media.IssueHighRTT)
	f.Relearn()
	f.hear(12)
	f.want("but on another path it is normal")
}

func TestUnknownRoundTripIsNotLearned(t *testing.T) {
	f := &feed{t: t, Monitor: media.NewMonitor(media.MonitorConfig{})}
	f.s.Directions = media.Directions{Audio: media.SendRecv}
	f.hear(30) // none of them tells
	f.s.RoundTrip = 400 * ms
	f.hear(30)
	f.want("the first known ones are normal")
	f.s.RoundTrip = 0
	f.hear(1)
	if h := f.History(); h[len(h)-1].RoundTripTime != 400*ms {
		t.Errorf("what is not told is as before: %+v", h[len(h)-1])
	}
}

// TestOldLossFades: the score is about the last five seconds.
func TestOldLossFades(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	for range 10 {
		f.second(45, 5)
	}
	if math.Abs(f.Loss()-10) > 1e-9 || media.LevelOf(f.Score()) != media.QualityFair {
		t.Errorf("10 %% loss: %v %%, %v", f.Loss(), f.Score())
	}
	f.hear(6)
	if f.Loss() != 0 || media.LevelOf(f.Score()) != media.QualityExcellent {
		t.Errorf("six seconds later: %v %%, %v", f.Loss(), f.Score())
	}
}

// TestCutIsRatedWhileItLasts, and not once more when its lost packets are known.
func TestCutIsRatedWhileItLasts(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	for i, want := range []float64{20, 40, 60, 80, 100, 100} {
		f.second(0, 0)
		if math.Abs(f.Loss()-want) > 1e-9 || media.LevelOf(f.Score()) < media.QualityPoor {
			t.Errorf("after %d s: %v %%, %v", i+1, f.Loss(), f.Score())
		}
	}
	f.Pause() // the transports have noticed
	f.second(0, 0)
	if f.Loss() != 100 {
		t.Errorf("there is a path, over which nothing comes: %v %%", f.Loss())
	}
	f.second(10, 340)
	if f.Loss() != 0 || media.LevelOf(f.Score()) != media.QualityExcellent {
		t.Errorf("something has come again: %v %%, %v", f.Loss(), f.Score())
	}
	f.second(45, 5)
	f.second(45, 5)
	if math.Abs(f.Loss()-10) > 1e-9 {
		t.Errorf("later loss counts: %v %%", f.Loss())
	}
}

// TestSilenceThatIsMeantIsNoCut: on hold, before the first packet, and between the
// packets of a codec that saves them.
func TestSilenceThatIsMeantIsNoCut(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	f.s.Directions.Audio = media.SendOnly
	for range 10 {
		f.second(0, 0)
		if f.Loss() != 0 {
			t.Fatalf("on hold: %v %%", f.Loss())
		}
	}
	f.s.Directions.Audio = media.SendRecv
	for range 10 { // two packets a second
		f.second(2, 0)
		if f.Loss() != 0 {
			t.Fatalf("discontinuous: %v %%", f.Loss())
		}
	}
	f = &feed{t: t, Monitor: media.NewMonitor(media.MonitorConfig{})}
	f.s.Time, f.s.Directions.Audio = time.Unix(0, 0), media.SendRecv
	for i := range 9 {
		if f.second(0, 0); (f.Loss() > 0) != (i >= 6) {
			t.Errorf("%d s without a first packet: %v %%", i, f.Loss())
		}
	}
}

// TestScoreKnowsOfAPathThatIsGone though nothing is sampled, whatever the call
// receives.
func TestScoreKnowsOfAPathThatIsGone(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	f.s.Directions.Audio = media.SendOnly
	f.hear(1)
	f.Disconnected(f.s.Time, true)
	if f.Loss() != 100 || media.LevelOf(f.Score()) != media.QualityCritical {
		t.Errorf("%v %%, %v", f.Loss(), f.Score())
	}
	f.Pause()
	f.Disconnected(f.s.Time, false)
	f.hear(1)
	if f.Loss() != 0 || media.LevelOf(f.Score()) != media.QualityExcellent {
		t.Errorf("afterwards: %v %%, %v", f.Loss(), f.Score())
	}
}

func TestCountsThatBeginAnewAreNoLoss(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	f.second(0, 500)
	f.s.Audio.PacketsReceived, f.s.Audio.PacketsLost = 0, -3
	f.hear(3)
	f.want("after a new beginning")
	if f.Loss() != 0 {
		t.Errorf("%v %%", f.Loss())
	}
}

// TestHistoryIsOfLate, and what was handed out stays as it is.
func TestHistoryIsOfLate(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{History: 4 * time.Second})
	before := f.History()
	kept := slices.Clone(before)
	f.hear(100)
	if h := f.History(); len(h) != 4 || !h[3].Time.Equal(f.s.Time) || !h[0].Time.Equal(f.s.Time.Add(-3*time.Second)) {
		t.Errorf("%+v", h)
	}
	if len(before) != 4 || !slices.Equal(before, kept) {
		t.Errorf("%+v, then %+v", kept, before)
	}
}

func TestDisconnectedIsAnIssueAtOnce(t *testing.T) {
	f := wellFed(t, media.MonitorConfig{})
	if !f.Disconnected(f.s.Time, true) || f.Disconnected(f.s.Time, true) {
		t.Error("not told once")
	}
	f.want("disconnected", media.IssueICEDisconnected)
	f.hear(10)
	f.want("until told otherwise", media.IssueICEDisconnected)
	if !f.Disconnected(f.s.Time, false) {
		t.Error("not told")
	}
	f.want("connected")
}

func BenchmarkMonitor(b *testing.B) {
	m, s := media.NewMonitor(media.MonitorConfig{}), media.Stats{Directions: media.Directions{Audio: media.SendRecv}}
	b.ReportAllocs()
	for b.Loop() {
		s.Time = s.Time.Add(time.Second)
		s.Audio.PacketsReceived += 50
		m.Add(s)
	}
}

// BenchmarkSample is one leg in one polling interval, on a live connection.
func BenchmarkSample(b *testing.B) {
	states := newStates()
	caller := newLeg(b, media.LegConfig{Directions: audioOnly, OnState: states.note})
	exchange(b, caller, newLeg(b, media.LegConfig{Directions: audioOnly}))
	states.await(b, media.StateConnected)
	m := media.NewMonitor(media.MonitorConfig{})
	b.ReportAllocs()
	for b.Loop() {
		m.Add(caller.Stats())
	}
}
