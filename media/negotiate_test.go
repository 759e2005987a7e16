package media_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/google/go-cmp/cmp"
)

// outline is what an SDP says about each section: kind, whether it lives, direction.
func outline(sdp string) (lines []string) {
	_, all := sections(sdp)
	for _, section := range all {
		words := strings.Fields(section)
		text := strings.TrimPrefix(words[0], "m=")
		if words[1] == "0" {
			text += " rejected"
		}
		lines = append(lines, text+" "+regexp.MustCompile("a=(sendrecv|sendonly|recvonly|inactive)").FindStringSubmatch(section)[1])
	}
	return lines
}

func wantOutline(t *testing.T, what, sdp string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, outline(sdp)); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// flows reports whether packets still come.
func flows(p *packets) bool {
	synctest.Wait()
	n := len(p.snapshot())
	time.Sleep(200 * time.Millisecond)
	synctest.Wait()
	return len(p.snapshot()) > n+5
}

func TestSectionThatIsNotWantedIsTurnedDownAndCanBeAddedLater(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		audio, video, states := newPackets(), newPackets(), newStates()
		caller := newLeg(t, media.LegConfig{
			Directions: bothKinds, VideoSource: media.NewTestPattern(), SettingEngine: n.at(here), OnState: states.note,
		})
		callee := newLeg(t, media.LegConfig{
			Directions: audioOnly, AudioSink: audio.sink(), VideoSink: video.sink(), SettingEngine: n.at(there),
		})
		offer, answer := exchange(t, caller, callee)
		wantOutline(t, "offer", offer, "audio sendrecv", "video sendrecv")
		wantOutline(t, "answer", answer, "audio sendrecv", "video rejected inactive")
		states.await(t, media.StateConnected)
		if !flows(audio) || flows(video) {
			t.Error("not exactly audio flows")
		}
		callee.SetDirections(media.Directions{Audio: media.SendRecv, Video: media.RecvOnly})
		if caller.Senders(media.KindAudio) != 1 || callee.Senders(media.KindAudio) != 1 {
			t.Error("pion sends what nobody has asked for")
		}
		offer, answer = exchange(t, caller, callee)
		wantOutline(t, "second offer", offer, "audio sendrecv", "video sendrecv")
		wantOutline(t, "second answer", answer, "audio sendrecv", "video recvonly")
		time.Sleep(time.Second)
		if !flows(audio) || len(video.snapshot()) < 5 {
			t.Error("not both kinds flow")
		}
		if got := caller.Directions(); got != (media.Directions{Audio: media.SendRecv, Video: media.SendOnly}) {
			t.Errorf("directions %+v", got)
		}
	})
}

func TestHoldStopsMediaBothWaysAndUnholdResumes(t *testing.T) {
	for name, negotiated := range map[string]bool{"at once": false, "negotiated": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				fromCaller, fromCallee := newPackets(), newPackets()
				caller, callee := pairIn(t, n,
					media.LegConfig{Directions: audioOnly, AudioSink: fromCallee.sink()},
					media.LegConfig{Directions: audioOnly, AudioSink: fromCaller.sink()})
				for range 3 {
					if !flows(fromCaller) || !flows(fromCallee) {
						t.Fatal("no media")
					}
					caller.SetDirections(media.Directions{})
					if negotiated {
						offer, answer := exchange(t, caller, callee)
						wantOutline(t, "hold", offer, "audio inactive")
						wantOutline(t, "held", answer, "audio inactive")
					}
					if flows(fromCaller) || flows(fromCallee) {
						t.Error("media flows while held")
					}
					before := fromCaller.snapshot()
					caller.SetDirections(audioOnly)
					if negotiated {
						exchange(t, caller, callee)
					}
					if !flows(fromCaller) || !flows(fromCallee) {
						t.Fatal("no media after hold")
					}
					goesOn(t, before[len(before)-1], fromCaller.snapshot()[len(before)])
				}
				if caller.State() != media.StateConnected {
					t.Error(caller.State())
				}
			})
		})
	}
}

// TestWhoHasAnsweredIsReadyToReceive (RFC 3264, section 6.1): the first packet after a
// hold may come at once.
func TestWhoHasAnsweredIsReadyToReceive(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly})
		for range 20 {
			for _, d := range []media.Directions{{}, audioOnly} {
				caller.SetDirections(d)
				offer, err := caller.Offer(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				answer, err := callee.Answer(t.Context(), offer)
				if callee.Receives(media.KindAudio) != d.Audio.Receives() || err != nil {
					t.Fatalf("%v is not what it receives: %v", d.Audio, err)
				}
				err = caller.Accept(t.Context(), answer)
				if caller.Receives(media.KindAudio) != d.Audio.Receives() || err != nil {
					t.Fatalf("%v is not what it receives: %v", d.Audio, err)
				}
			}
		}
	})
}

func TestPausedLegAgreesOnWhatFlowsAfterwards(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		fromCaller, fromCallee := newPackets(), newPackets()
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSink: fromCallee.sink()},
			media.LegConfig{Directions: audioOnly, AudioSink: fromCaller.sink()})
		caller.Pause(true)
		caller.SetDirections(audioOnly)
		offer, err := caller.Restart(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantOutline(t, "paused", offer, "audio sendrecv")
		answerOffer(t, caller, callee, offer)
		time.Sleep(time.Second)
		if flows(fromCaller) || flows(fromCallee) || caller.Directions() != (media.Directions{}) {
			t.Errorf("media flows while the leg is paused: %v", caller.Directions())
		}
		caller.Pause(false)
		if !flows(fromCaller) || !flows(fromCallee) {
			t.Error("no media after the pause")
		}
	})
}

// goesOn checks the first packet after a gap of 200 ms and more.
func goesOn(t *testing.T, before, after media.Packet) {
	t.Helper()
	if after.SequenceNumber != before.SequenceNumber+1 || after.SSRC != before.SSRC || !after.Marker {
		t.Errorf("after the gap %+v follows %+v", after, before)
	}
	elapsed := after.ArrivedAt.Sub(before.ArrivedAt)
	media := time.Duration(after.Timestamp-before.Timestamp) * time.Second / time.Duration(after.Codec.ClockRate)
	if d := elapsed - media; d < -25*time.Millisecond || d > 25*time.Millisecond {
		t.Errorf("the gap lasts %v and in timestamps %v", elapsed, media)
	}
}

func TestFarEndCanHold(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		fromCaller, fromCallee := newPackets(), newPackets()
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSink: fromCallee.sink()},
			media.LegConfig{Directions: audioOnly, AudioSink: fromCaller.sink()})
		callee.SetDirections(media.Directions{Audio: media.SendOnly})
		offer, answer := exchange(t, callee, caller)
		wantOutline(t, "hold", offer, "audio sendonly")
		wantOutline(t, "held", answer, "audio recvonly")
		if flows(fromCaller) || !flows(fromCallee) {
			t.Error("not exactly the holder's media flows")
		}
		callee.SetDirections(audioOnly)
		exchange(t, callee, caller)
		if !flows(fromCaller) || !flows(fromCallee) {
			t.Error("no media after hold")
		}
	})
}

func TestRestartFindsANewWay(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: bothKinds, VideoSource: media.NewTestPattern()},
			media.LegConfig{Directions: bothKinds, AudioSink: got.sink()})
		first, err := caller.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		answerOffer(t, caller, callee, first)
		for range 2 {
			offer, err := caller.Restart(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			answer := answerOffer(t, caller, callee, offer)
			if slices.Equal(ufrags(first), ufrags(offer)) || strings.Count(offer, "a=candidate") != strings.Count(first, "a=candidate") {
				t.Error("ICE has not restarted")
			}
			if strings.Count(answer, "a=candidate") != 2 {
				t.Errorf("the answer has not each section's candidate: %s", answer)
			}
			time.Sleep(time.Second)
			if !flows(got) || caller.State() != media.StateConnected || callee.State() != media.StateConnected {
				t.Errorf("after the restart: %v, %v", caller.State(), callee.State())
			}
			first = offer
		}
	})
}

func ufrags(sdp string) []string { return regexp.MustCompile("a=ice-ufrag:.*").FindAllString(sdp, -1) }

func TestRolledBackOfferLeavesTheLegAsItWas(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
		caller.SetDirections(bothKinds)
		offer, err := caller.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantOutline(t, "offer", offer, "audio sendrecv", "video sendrecv")
		var state *errs.InvalidStateTransitionError
		if _, err := caller.Offer(t.Context()); !errors.As(err, &state) {
			t.Errorf("a second offer: %v", err)
		}
		caller.Rollback()
		if !flows(got) {
			t.Error("the rollback has stopped the media")
		}
		if err := caller.Accept(t.Context(), offer); !errors.As(err, &state) {
			t.Errorf("an answer to nothing: %v", err)
		}
		caller.SetDirections(audioOnly)
		offer, _ = exchange(t, caller, callee)
		wantOutline(t, "offer after rollback", offer, "audio sendrecv")
		if !flows(got) {
			t.Error("no media")
		}
	})
}

func TestLegYieldsToAnOfferThatCrossesItsOwn(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
		if _, err := caller.Offer(t.Context()); err != nil {
			t.Fatal(err)
		}
		exchange(t, callee, caller)
		if !flows(got) {
			t.Error("no media")
		}
	})
}

func TestOfferEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	leg := newLeg(t, media.LegConfig{Directions: audioOnly})
	if _, err := leg.Offer(ctx); !errors.Is(err, reason) {
		t.Error(err)
	}
	if _, err := leg.Offer(t.Context()); err != nil {
		t.Error(err)
	}
}
