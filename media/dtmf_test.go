package media_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/pion/webrtc/v4"
)

func TestDigitsArrive(t *testing.T) {
	for _, codec := range []string{media.Opus, media.PCMU} {
		t.Run(codec, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				digits := make(chan media.Digit, 20)
				got := newPackets()
				caller, _ := pairIn(t, n,
					media.LegConfig{Directions: audioOnly, CodecPreferences: []string{codec}},
					media.LegConfig{Directions: audioOnly, AudioSink: got.sink(), OnDigit: func(d media.Digit) { digits <- d }})
				n.loss.Store(7) // each digit is sent in seven packets
				start := time.Now()
				if err := caller.SendDTMF(t.Context(), "1#dw*00"); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took != 6*(80+100)*time.Millisecond+time.Second {
					t.Errorf("it took %v", took)
				}
				synctest.Wait() // the last digit has arrived
				var values []byte
				for range len(digits) {
					d := <-digits
					values = append(values, d.Value)
					if d.Duration < 60*time.Millisecond || d.Duration > 100*time.Millisecond {
						t.Errorf("%c lasts %v", d.Value, d.Duration)
					}
				}
				if string(values) != "1#D*00" {
					t.Errorf("digits %q", values)
				}
				for _, p := range got.snapshot() {
					if p.Codec.Is("telephone-event") {
						t.Fatal("the sink hears the digits")
					}
				}
			})
		})
	}
}

func TestDigitsMakeNoHolesInTheStream(t *testing.T) {
	for name, source := range map[string]func() media.Source{
		"silence": media.NewSilence,
		"packets": func() media.Source {
			speech, err := media.NewOggSource(openFile(t, "speech.ogg"), &media.FileOptions{Loop: true})
			if err != nil {
				t.Fatal(err)
			}
			return speech
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				got := newPackets()
				caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly, AudioSource: source()},
					media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
				time.Sleep(200 * time.Millisecond)
				if err := caller.SendDTMF(t.Context(), "12"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait() // the last packet has arrived
				stats := callee.Stats().Audio
				if sent := caller.Stats().Audio.PacketsSent; sent != stats.PacketsReceived {
					t.Errorf("%d packets sent, %d received", sent, stats.PacketsReceived)
				}
				if all := got.snapshot(); stats.PacketsLost != 0 || stats.PacketsReceived != uint64(len(all)+2*7) {
					t.Errorf("%+v", stats)
				}
			})
		})
	}
}

func TestDigitsThatCannotBeSent(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		caller, callee := pairIn(t, n, media.LegConfig{Directions: audioOnly}, media.LegConfig{Directions: audioOnly})
		var invalid *errs.InvalidParamsError
		if err := caller.SendDTMF(t.Context(), "1x"); !errors.As(err, &invalid) {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := caller.SendDTMF(ctx, "1ww2"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		callee.SetDirections(media.Directions{})
		var track *errs.MediaTrackError
		synctest.Wait() // the hold has come into effect
		if err := callee.SendDTMF(t.Context(), "1"); !errors.As(err, &track) {
			t.Error(err)
		}
		peer := newPlainPeer(t, n, media.KindAudio, webrtc.MimeTypePCMU) // takes no telephone events
		states := newStates()
		leg := newLeg(t, media.LegConfig{Directions: audioOnly, OnState: states.note, SettingEngine: n.at(here)})
		offer, err := leg.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := leg.Accept(t.Context(), peer.answer(t, only(offer, 0))); err != nil {
			t.Fatal(err)
		}
		states.await(t, media.StateConnected)
		if err := leg.SendDTMF(t.Context(), "1"); !errors.As(err, &track) {
			t.Error(err)
		}
	})
}
