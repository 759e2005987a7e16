package media_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
)

// renew has caller begin again with another far end.
func renew(t *testing.T, n *network, caller *media.Leg, d media.Directions, far media.LegConfig) *media.Leg {
	t.Helper()
	far.SettingEngine = n.at(there)
	callee := newLeg(t, far)
	offer, err := caller.Renew(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	answerOffer(t, caller, callee, offer)
	return callee
}

func TestRenewedLegGoesOnWithAnotherFarEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		heard, there, again := newRecording(), newRecording(), newRecording()
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 440, -12), AudioSink: heard.sink(t, 8000, 1)},
			media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 600, -12), AudioSink: there.sink(t, 8000, 1)})
		began := time.Now()
		time.Sleep(2 * time.Second)
		isTone(t, heard.snapshot(), 8000, 600, -12)
		before := caller.Stats().Audio
		renew(t, n, caller, audioOnly,
			media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 900, -12), AudioSink: again.sink(t, 8000, 1)})
		if now := caller.Stats().Audio; now.PacketsSent < before.PacketsSent || now.PacketsReceived < before.PacketsReceived || now.BytesSent < before.BytesSent {
			t.Errorf("figures go back: %+v after %+v", now, before)
		}
		time.Sleep(2 * time.Second)
		isTone(t, heard.snapshot(), 8000, 900, -12)
		isTone(t, again.snapshot(), 8000, 440, -12)
		if s := caller.State(); s != media.StateConnected {
			t.Error(s)
		}
		if got := time.Duration(len(heard.snapshot())) * time.Second / 8000; (time.Since(began) - got).Abs() > 20*time.Millisecond {
			t.Errorf("%v were recorded of %v", got, time.Since(began))
		}
		now := caller.Stats().Audio
		if now.PacketsSent < before.PacketsSent+80 || now.PacketsReceived < before.PacketsReceived+80 || now.PacketsLost != 0 {
			t.Errorf("%+v after %+v", now, before)
		}
		if s := callee.State(); s == media.StateConnected {
			t.Error("the old transport was not given up")
		}
	})
}

func TestRenewedLegKeepsWhatItPlaysAndItsMute(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		ended := newEnds()
		source, err := media.NewIVFSource(openFile(t, "pattern.ivf"), nil)
		if err != nil {
			t.Fatal(err)
		}
		caller, _ := pairIn(t, n,
			media.LegConfig{Directions: bothKinds, AudioSource: tone(t, 440, -12), VideoSource: source, OnSourceEnd: ended.note},
			media.LegConfig{Directions: bothKinds})
		caller.Mute(media.KindAudio, true)
		<-ended.c
		heard := newRecording()
		renew(t, n, caller, bothKinds, media.LegConfig{Directions: bothKinds, AudioSink: heard.sink(t, 8000, 1)})
		time.Sleep(time.Second)
		isSilent(t, heard.snapshot())
		caller.Mute(media.KindAudio, false)
		time.Sleep(time.Second)
		isTone(t, heard.snapshot(), 8000, 440, -12)
		if n := len(ended.c); n != 0 {
			t.Error("the source that had ended did so again")
		}
	})
}

func TestRenewedLegOnHoldStaysOnHold(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		caller, _ := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly})
		caller.SetDirections(media.Directions{})
		far := renew(t, n, caller, audioOnly, media.LegConfig{Directions: audioOnly})
		time.Sleep(time.Second)
		if got := far.Stats().Audio.PacketsReceived; got != 0 {
			t.Errorf("%d packets came from a leg on hold", got)
		}
		caller.SetDirections(audioOnly)
		time.Sleep(time.Second)
		if got := far.Stats().Audio.PacketsReceived; got < 40 {
			t.Errorf("%d packets came after hold", got)
		}
	})
}

func TestRenewThatFailsChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly})
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		cancel(gone)
		if _, err := caller.Renew(ctx, audioOnly, nil); !errors.Is(err, gone) {
			t.Errorf("Renew: %v", err)
		}
		before := callee.Stats().Audio.PacketsReceived
		time.Sleep(time.Second)
		if got := callee.Stats().Audio.PacketsReceived; got < before+40 {
			t.Errorf("%d packets in a second", got-before)
		}
	})
}

func TestRenewOfAClosedLeg(t *testing.T) {
	leg := newLeg(t, media.LegConfig{Directions: audioOnly})
	_ = leg.Close()
	if _, err := leg.Renew(t.Context(), audioOnly, nil); !errors.Is(err, errs.ErrClosed) {
		t.Errorf("Renew: %v", err)
	}
}

func TestCloseWhileRenewing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		caller, _ := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly})
		failed := make(chan error)
		go func() {
			_, err := caller.Renew(t.Context(), audioOnly, nil)
			failed <- err
		}()
		if err := caller.Close(); err != nil {
			t.Error(err)
		}
		if err := <-failed; err != nil && !errors.Is(err, errs.ErrClosed) {
			t.Errorf("Renew: %v", err)
		}
	})
}
