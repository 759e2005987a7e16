package session_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
)

// withPreferences is a call of a client with preferences.
func withPreferences(t *testing.T, set func(*session.PreferenceValues), test func(t *testing.T, p *casualty)) {
	t.Helper()
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		line := b.client(t, "ann")
		change(t, line.Client, set)
		test(t, examined(t, b, line, session.MediaOptions{}, "/public/echo"))
	})
}

func TestFiguresAreTakenAsPreferred(t *testing.T) {
	withPreferences(t, func(v *session.PreferenceValues) {
		v.StatsPollingInterval, v.StatsHistory = 500*time.Millisecond, 5*second
	}, func(t *testing.T, p *casualty) {
		m := p.NetworkMetrics()
		if len(m) != 10 || m[1].Time.Sub(m[0].Time) != 500*time.Millisecond {
			t.Errorf("%d metrics: %v", len(m), m)
		}
		p.b.over(t, p.line, p.Call)
	})
}

// TestFiguresFollowThePreference in mid-call, for whoever observes them already, too.
func TestFiguresFollowThePreference(t *testing.T) {
	withPreferences(t, func(*session.PreferenceValues) {}, func(t *testing.T, p *casualty) {
		each, slow := taped(t, p.ObserveStats(0)), taped(t, p.ObserveStats(2*second))
		pass(10 * second)
		wantCounts := func(when string, fast, slowly int) {
			t.Helper()
			if e, s := len(each.take()), len(slow.take()); max(e-fast, fast-e) > 1 || max(s-slowly, slowly-s) > 1 {
				t.Errorf("%s: %d and %d figures, want %d and %d", when, e, s, fast, slowly)
			}
		}
		wantCounts("each second", 10, 5)
		change(t, p.line.Client, func(v *session.PreferenceValues) { v.StatsPollingInterval = 200 * time.Millisecond })
		pass(second) // until it is seen
		wantCounts("meanwhile", 1, 1)
		pass(10 * second)
		wantCounts("five times a second", 50, 5)
		change(t, p.line.Client, func(v *session.PreferenceValues) { v.StatsPollingInterval = 5 * second })
		pass(200 * time.Millisecond)
		wantCounts("meanwhile", 1, 0)
		pass(20 * second)
		wantCounts("every five seconds", 4, 4)
		p.b.over(t, p.line, p.Call)
	})
}

// TestIssuesAreRaisedAsPreferred: later, or not at all.
func TestIssuesAreRaisedAsPreferred(t *testing.T) {
	withPreferences(t, func(v *session.PreferenceValues) {
		v.StatsNoPacketThreshold, v.StatsPacketLossThreshold = 8*second, 0.5
	}, func(t *testing.T, p *casualty) {
		p.b.loss.Store(20)
		pass(20 * second)
		if !p.NetworkHealthy() {
			t.Errorf("20 %% loss: %v", p.NetworkIssues())
		}
		p.b.loss.Store(0)
		p.b.srv.DropMedia(p.ID(), true)
		pass(8 * second)
		if !p.NetworkHealthy() {
			t.Errorf("too early: %v", p.NetworkIssues())
		}
		pass(3 * second)
		if p.NetworkHealthy() || p.NetworkIssues()[0].Threshold != 8000 {
			t.Errorf("issues %v", p.NetworkIssues())
		}
		p.b.over(t, p.line, p.Call)
	})
}

// TestRecoveryIsTimedAsPreferred: the wait before it, each attempt, the pause
// between, and how many there are.
func TestRecoveryIsTimedAsPreferred(t *testing.T) {
	withPreferences(t, func(v *session.PreferenceValues) {
		v.RecoveryDebounce, v.RecoveryCooldown, v.ICERestartTimeout, v.MaxRecoveryAttempts = 700*time.Millisecond, 4*second, 2*second, 4
	}, func(t *testing.T, p *casualty) {
		issues := taped(t, p.ObserveNetworkIssues())
		p.b.cut.Store(true)
		<-p.Done()
		var raised time.Duration
		for _, list := range issues.all() {
			if len(list) > 0 {
				raised = list[0].Time.Sub(p.began)
				break
			}
		}
		var started, ended []time.Duration
		for _, e := range p.events.all() {
			switch e.Action {
			case session.RecoveryReinviteStarted:
				started = append(started, e.Time.Sub(p.began))
			case session.RecoveryReinviteTimeout:
				ended = append(ended, e.Time.Sub(p.began))
			}
		}
		if len(started) != 4 || len(ended) != 4 {
			t.Fatalf("started at %v, ended at %v", started, ended)
		}
		if d := started[0] - raised; d != 700*time.Millisecond {
			t.Errorf("it began after %v", d)
		}
		if d := ended[0] - started[0]; d != 2*second {
			t.Errorf("an attempt took %v", d)
		}
		if d := started[2] - ended[1]; d != 4*second {
			t.Errorf("the pause was %v", d)
		}
	})
}

// TestLostPathMayHealAsLongAsPreferred: from when ICE says so.
func TestLostPathMayHealAsLongAsPreferred(t *testing.T) {
	withPreferences(t, func(v *session.PreferenceValues) {
		v.StatsNoPacketThreshold, v.ICEDisconnectedGrace = time.Hour, 1500*time.Millisecond
	}, func(t *testing.T, p *casualty) {
		var lost time.Time
		p.ObserveStatus().Subscribe(t.Context(), func(s session.CallStatus) {
			if s == session.CallStatusRecovering && lost.IsZero() {
				lost = time.Now()
			}
		})
		p.b.cut.Store(true)
		pass(15 * second)
		p.b.cut.Store(false)
		e := p.events.all()[1]
		if e.Action != session.RecoveryReinviteStarted || e.Reason != "ice_disconnected" || e.Time.Sub(lost) != 1500*time.Millisecond {
			t.Errorf("%v after it was lost: %+v", e.Time.Sub(lost), e)
		}
		p.b.over(t, p.line, p.Call)
	})
}

// TestCallWaitsForTheServiceAsLongAsPreferred when it is without media.
func TestCallWaitsForTheServiceAsLongAsPreferred(t *testing.T) {
	withPreferences(t, func(v *session.PreferenceValues) { v.ReconnectCallsTimeout = 20 * second }, func(t *testing.T, p *casualty) {
		p.b.srv.RefuseConnections(503, 0)
		p.b.srv.Drop("ann")
		p.b.cut.Store(true)
		<-p.Done()
		waited := time.Since(p.events.all()[0].Time)
		if why := p.EndReason(); why.Cause != "media lost" || waited < 20*second || waited > 23*second { // and a bye that nobody answers
			t.Errorf("after %v: %v", waited, why)
		}
	})
}

func TestKeyframesAreRationedAsPreferred(t *testing.T) {
	_, pattern := patternSource(t)
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		for name, c := range map[string]struct {
			window time.Duration
			want   int
		}{
			"ann": {1500 * time.Millisecond, 5}, // at 0, 1, 4, 5 and 8 s
			"bob": {second, 9},                  // never two in a window
		} {
			line := b.client(t, name)
			change(t, line.Client, func(v *session.PreferenceValues) {
				v.KeyframeMaxBurst, v.KeyframeBurstWindow, v.KeyframeCooldown = 2, c.window, 3*second
			})
			p := examined(t, b, line, session.MediaOptions{VideoSource: pattern}, "/public/echo?channel=video")
			passed := 0
			for range 9 {
				if p.RequestKeyframe() == nil {
					passed++
				}
				pass(second)
			}
			if passed != c.want {
				t.Errorf("within %v: %d passed, want %d", c.window, passed, c.want)
			}
			b.over(t, line, p.Call)
		}
	})
}

// TestCutIsAnsweredThoughTheCallWasLossyBefore: about loss there is nothing to do
// but wait, and a cut does not wait for that.
func TestCutIsAnsweredThoughTheCallWasLossyBefore(t *testing.T) {
	withPreferences(t, func(v *session.PreferenceValues) { v.RecoveryCooldown = time.Minute }, func(t *testing.T, p *casualty) {
		p.b.loss.Store(30)
		pass(8 * second)
		if p.RecoveryState() != session.RecoveryCooldown {
			t.Errorf("of loss: %v, issues %v", p.RecoveryState(), p.NetworkIssues())
		}
		p.b.loss.Store(0)
		p.began = time.Now()
		p.cutFor(9 * second)
		pass(6 * second)
		p.wantActions(t, session.RecoveryCallRecovering, session.RecoveryReinviteStarted, session.RecoveryReinviteSucceeded, session.RecoveryCallRecovered)
		if _, at := p.actions(); len(at) == 0 || at[0] > 8*second {
			t.Errorf("at %v", at)
		}
		p.wantFlow(t)
	})
}

// TestScoreFollowsACut: it falls while nothing arrives, and is what it was before
// as soon as something does.
func TestScoreFollowsACut(t *testing.T) {
	withPreferences(t, func(*session.PreferenceValues) {}, func(t *testing.T, p *casualty) {
		well := p.QualityScore()
		for _, lasts := range []time.Duration{3 * second, 15 * second} {
			p.b.cut.Store(true)
			for at := second; at < lasts; at += second {
				pass(second)
				if level := p.Quality(); at > second && level < media.QualityPoor || at > 2*second && level != media.QualityCritical {
					t.Errorf("%v into the cut: %v, %v", at, level, p.QualityScore())
				}
			}
			pass(second)
			p.b.cut.Store(false)
			pass(2500 * time.Millisecond) // media flows again, and a sample says so
			if got := p.QualityScore(); got < well-0.1 || p.Quality() != media.QualityExcellent {
				t.Errorf("%v, after a cut of %v %v", well, lasts, got)
			}
			pass(40 * second)
		}
		p.wantFlow(t)
	})
}
