package session_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/observable"
	"github.com/callrx/callrx/session"
	"github.com/callrx/callrx/session/sessiontest"
	"github.com/pion/transport/v5/vnet"
)

const second = time.Second

// A tape is what an observable has delivered so far.
type tape[T any] struct {
	mu   sync.Mutex
	seen []T
}

func taped[T any](t *testing.T, o observable.Of[T]) *tape[T] {
	tp := &tape[T]{}
	o.Subscribe(t.Context(), func(v T) {
		tp.mu.Lock()
		defer tp.mu.Unlock()
		tp.seen = append(tp.seen, v)
	})
	return tp
}

// all returns what has been told so far, in a bubble.
func (tp *tape[T]) all() []T {
	synctest.Wait() // it is delivered
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return slices.Clone(tp.seen)
}

// take returns what has been told since the last time, in a bubble.
func (tp *tape[T]) take() []T {
	synctest.Wait() // it is delivered
	tp.mu.Lock()
	defer tp.mu.Unlock()
	seen := tp.seen
	tp.seen = nil
	return seen
}

func issueTypes(issues []media.NetworkIssue) (types []media.NetworkIssueType) {
	for _, i := range issues {
		types = append(types, i.Type)
	}
	return types
}

// TestQualityOfACallInGoodWeather, before it, in it and after it.
func TestQualityOfACallInGoodWeather(t *testing.T) {
	inSlowCallBubble(t, vnet.RouterConfig{MinDelay: 20 * time.Millisecond}, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		k := mustDial(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		if k.QualityScore() != 5 || k.Quality() != media.QualityExcellent || !k.NetworkHealthy() ||
			len(k.NetworkIssues()) != 0 || len(k.NetworkMetrics()) != 0 {
			t.Errorf("before it is connected: %v, %v, %v", k.QualityScore(), k.NetworkIssues(), k.NetworkMetrics())
		}
		issues := taped(t, k.ObserveNetworkIssues())
		each, third := taped(t, k.ObserveStats(0)), taped(t, k.ObserveStats(3*second))
		awaitStatus(t, k, session.CallStatusConnected)
		pass(40*second + 500*time.Millisecond)
		metrics := k.NetworkMetrics()
		last := metrics[len(metrics)-1]
		if len(metrics) != 30 || last.RoundTripTime < 40*time.Millisecond || last.RoundTripTime > 45*time.Millisecond ||
			last.Audio.PacketsReceived < 1900 || last.Audio.PacketsLost != 0 {
			t.Errorf("%d metrics, the last %+v", len(metrics), last)
		}
		if got := issues.all(); len(got) != 1 || len(got[0]) != 0 { // none, told once
			t.Errorf("issues %v", got)
		}
		if s := k.QualityScore(); s < 4.39 || s > 4.41 || k.Quality() != media.QualityExcellent {
			t.Errorf("score %v, %v", s, k.Quality())
		}
		seen := each.all()
		if len(seen) != 40 || len(third.all()) != 13 {
			t.Fatalf("figures came %d and %d times", len(seen), len(third.all()))
		}
		if s := seen[39]; s.QualityScore != k.QualityScore() || s.Audio.PacketsReceived != last.Audio.PacketsReceived ||
			s.Quality != media.QualityExcellent || s.Loss != 0 || s.State != media.StateConnected {
			t.Errorf("%+v", s)
		}
		b.over(t, ann, k)
		pass(5 * second)
		if len(each.all()) != 40 {
			t.Error("figures of a call that is over")
		}
	})
}

// TestLossShowsAndFades: 20 % of the packets of a call are lost for a while, and
// nothing else happens to it.
func TestLossShowsAndFades(t *testing.T) {
	for _, loss := range []int64{5, 20} {
		inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
			ann := b.client(t, "ann")
			k := connected(t, ann.Client, "/public/tone", ann.dialing(session.MediaOptions{}))
			statuses := taped(t, k.ObserveStatus())
			pass(20 * second)
			b.loss.Store(loss)
			pass(20 * second)
			healthy := k.NetworkHealthy()
			metrics := k.NetworkMetrics()
			first, last := metrics[len(metrics)-16].Audio, metrics[len(metrics)-1].Audio
			got := 100 * float64(last.PacketsLost-first.PacketsLost) / float64(15*50)
			if math.Abs(got-float64(loss)) > 4 {
				t.Errorf("%d %% lost, measured %v %%", loss, got)
			}
			if loss == 20 && (healthy || k.NetworkIssues()[0].Type != media.IssueHighPacketLoss || k.Quality() < media.QualityFair) {
				t.Errorf("20 %% loss: %v, %v (%v)", k.NetworkIssues(), k.Quality(), k.QualityScore())
			}
			if loss == 5 && k.Quality() > media.QualityGood {
				t.Errorf("5 %% loss: %v (%v)", k.Quality(), k.QualityScore())
			}
			b.loss.Store(0)
			pass(9 * second)
			if !k.NetworkHealthy() || k.Quality() != media.QualityExcellent {
				t.Errorf("afterwards: %v, %v", k.NetworkIssues(), k.Quality())
			}
			if seen := statuses.all(); !slices.Equal(seen, []session.CallStatus{session.CallStatusConnected}) {
				t.Errorf("statuses %v", seen)
			}
			b.over(t, ann, k)
		})
	}
}

// TestNothingIsMissedOnHold: no silence is an issue while a call is on hold, nor
// when it receives nothing.
func TestNothingIsMissedOnHold(t *testing.T) {
	inCallBubble(t, sessiontest.Options{}, func(t *testing.T, b *callBubble) {
		ann := b.client(t, "ann")
		held := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{}))
		if err := held.Hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		sends := connected(t, ann.Client, "/public/echo", ann.dialing(session.MediaOptions{ReceiveAudio: media.Off}))
		pass(time.Minute)
		for _, k := range []*session.Call{held, sends} {
			if !k.NetworkHealthy() || len(k.NetworkMetrics()) != 30 {
				t.Errorf("issues %v, %d metrics", k.NetworkIssues(), len(k.NetworkMetrics()))
			}
		}
		if err := held.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		b.over(t, ann, sends)
	})
}
