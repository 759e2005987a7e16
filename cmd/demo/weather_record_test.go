package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/callrx/callrx/session"
	"github.com/google/go-cmp/cmp"
)

func TestRecordKeepsSpellsReadingsAndSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{}
		r.turn(clear(2 * time.Second))
		time.Sleep(time.Second) // in a bubble
		r.read(session.CallStats{QualityScore: 4.4, Loss: 1, Stats: media.Stats{RoundTrip: time.Millisecond}}, time.Now())
		time.Sleep(time.Second)
		r.turn(cut(3 * time.Second))
		time.Sleep(3 * time.Second)
		r.read(session.CallStats{}, time.Now().Add(-3500*time.Millisecond))
		stretches, readings, _ := r.seen()
		if len(stretches) != 2 || len(readings) != 2 {
			t.Fatalf("%d spells, %d readings", len(stretches), len(readings))
		}
		if s := stretches[0]; s.from != 0 || s.to != 2*time.Second || s.silence != 0 || s.last.score != 4.4 || !s.last.heard() {
			t.Errorf("%+v", s)
		}
		if s := stretches[1]; s.from != 2*time.Second || s.to != 5*time.Second || s.silence != 3*time.Second || s.last.heard() {
			t.Errorf("%+v", s)
		}
	})
}

// What recovery does is told with what it took.
func TestRecoveryIsToldInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{}
		var told []string
		tell := func(action session.RecoveryAction, attempt int) {
			told = append(told, r.recovered(session.RecoveryEvent{Action: action, Reason: "no_inbound_audio", Attempt: attempt, MaxAttempts: 3, Time: time.Now()}))
			time.Sleep(time.Second) // in a bubble
		}
		r.turn(cut(time.Minute))
		tell(session.RecoveryCallRecovering, 0)
		tell(session.RecoveryReinviteStarted, 1)
		tell(session.RecoveryReinviteTimeout, 1)
		tell(session.RecoveryReinviteStarted, 2)
		r.turn(clear(time.Minute))
		tell(session.RecoveryReinviteSucceeded, 2)
		tell(session.RecoveryCallRecovered, 0)
		tell(session.RecoveryCallRecovering, 0)
		tell(session.RecoveryReinviteFailed, 3)
		tell(session.RecoveryCallRecovered, 0)
		tell(session.RecoveryMaxAttemptsReached, 3)
		want := []string{
			"the call is being recovered: no_inbound_audio",
			"re-invite, attempt 1 of 3",
			"attempt 1 brought nothing in 1.0 s",
			"re-invite, attempt 2 of 3",
			"attempt 2 has brought media back after 1.0 s",
			"recovered, 1.0 s after the network was back",
			"the call is being recovered: no_inbound_audio",
			"attempt 3 has failed",
			"recovered after 2.0 s",
			"max_attempts_reached",
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if _, _, happenings := r.seen(); happenings[3].at != 3*time.Second {
			t.Errorf("the second attempt was at %v", happenings[3].at)
		}
	})
}
