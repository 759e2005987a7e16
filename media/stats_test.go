package media_test

import (
	"testing"
	"time"

	"github.com/callrx/callrx/media"
)

func TestRoundTripIsThatOfThePath(t *testing.T) {
	inSlowBubble(t, 40*ms, func(t *testing.T, n *network) {
		a, b := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly})
		time.Sleep(3 * time.Second) // in a bubble
		for _, l := range []*media.Leg{a, b} {
			if s := l.Stats(); s.RoundTrip < 80*ms || s.RoundTrip > 90*ms || s.Directions != audioOnly || !s.Time.Equal(time.Now()) {
				t.Errorf("%+v", s)
			}
		}
	})
}
