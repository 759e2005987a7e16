package media_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

func TestAnswersThatMakeNoSense(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		states := newStates()
		caller := newLeg(t, media.LegConfig{Directions: bothKinds, SettingEngine: n.at(here), OnState: states.note})
		callee := newLeg(t, media.LegConfig{Directions: bothKinds, SettingEngine: n.at(there)})
		offer, err := caller.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		answer, err := callee.Answer(t.Context(), offer)
		if err != nil {
			t.Fatal(err)
		}
		head, parts := sections(answer)
		for name, bad := range map[string]string{
			"no SDP":       "hello",
			"no sections":  head,
			"one section":  head + parts[0],
			"swapped":      head + parts[1] + parts[0],
			"bundled":      head + "a=group:BUNDLE 0 1\r\n" + parts[0] + parts[1],
			"empty":        "",
			"three of two": head + parts[0] + parts[1] + parts[1],
		} {
			var track *errs.MediaTrackError
			if err := caller.Accept(t.Context(), bad); !errors.As(err, &track) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := caller.Accept(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		states.await(t, media.StateConnected)
		var state *errs.InvalidStateTransitionError
		if err := caller.Accept(t.Context(), answer); !errors.As(err, &state) {
			t.Errorf("a second answer: %v", err)
		}
	})
}

func TestOffersThatMakeNoSense(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		other := newLeg(t, media.LegConfig{Directions: media.Directions{Video: media.SendRecv}, SettingEngine: n.at(there)})
		videoOnly, err := other.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string]string{
			"no SDP":       "hello",
			"only video":   videoOnly,
			"no transport": strings.ReplaceAll(videoOnly, "a=ice-ufrag", "a=x"),
		} {
			var track *errs.MediaTrackError
			leg := newLeg(t, media.LegConfig{Directions: audioOnly, SettingEngine: n.at(here)})
			if _, err := leg.Answer(t.Context(), bad); !errors.As(err, &track) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestBundleOnlySectionIsTurnedDown(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		caller := newLeg(t, media.LegConfig{Directions: bothKinds, SettingEngine: n.at(here)})
		callee := newLeg(t, media.LegConfig{Directions: bothKinds, SettingEngine: n.at(there)})
		offer, err := caller.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		head, parts := sections(offer)
		parts[1] = regexp.MustCompile(`m=video \d+`).ReplaceAllString(parts[1], "m=video 0") + "a=bundle-only\r\n"
		answer, err := callee.Answer(t.Context(), head+"a=group:BUNDLE 0 1\r\n"+parts[0]+parts[1])
		if err != nil {
			t.Fatal(err)
		}
		wantOutline(t, "answer", answer, "audio sendrecv", "video rejected inactive")
		if strings.Contains(answer, "BUNDLE") {
			t.Error("the answer bundles")
		}
	})
}
