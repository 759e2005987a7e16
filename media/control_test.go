package media_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/errs"
	"github.com/callrx/callrx/media"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func TestStatsTellRoundTripAndLossOnBothSides(t *testing.T) {
	inSlowBubble(t, 40*time.Millisecond, func(t *testing.T, n *network) {
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: bothKinds, AudioSource: tone(t, 440, -20), VideoSource: media.NewTestPattern()},
			media.LegConfig{Directions: bothKinds})
		time.Sleep(5 * time.Second)
		if got := caller.Stats().Audio; got.RoundTrip < 79*time.Millisecond || got.RoundTrip > 82*time.Millisecond {
			t.Errorf("a round trip of %v", got.RoundTrip)
		}
		n.loss.Store(10)
		late := 0.0
		for range 30 {
			time.Sleep(time.Second)
			late += caller.Stats().Audio.FarLossFraction / 30 // of one second it may be next to none
		}
		sent, received := caller.Stats(), callee.Stats()
		if sent.State != media.StateConnected {
			t.Error(sent.State)
		}
		if got := sent.Audio; late < 0.05 || late > 0.2 || got.FarPacketsLost < 50 || got.FarPacketsLost > 400 {
			t.Errorf("the far end lost %d, %.2f of late", got.FarPacketsLost, late)
		}
		if got := received.Audio; got.PacketsReceived+uint64(got.PacketsLost) > sent.Audio.PacketsSent || got.Jitter > 5*time.Millisecond {
			t.Errorf("%+v", got)
		}
		if sent.Video.SendCodec != "VP8/90000" || received.Video.PacketsReceived < 300 {
			t.Errorf("%+v", received.Video)
		}
		n.loss.Store(0)
		time.Sleep(5 * time.Second) // of reports, too
		if lost, told := callee.Stats().Audio.PacketsLost, caller.Stats().Audio.FarPacketsLost; lost != told {
			t.Errorf("the far end lost %d and says %d", lost, told)
		}
	})
}

func TestKeyframeRequestReachesTheSource(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		asked := make(chan struct{}, 10)
		source := media.NewRTPSource(media.VP8)
		source.OnKeyframeRequest(func() { asked <- struct{}{} })
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: bothKinds, VideoSource: source},
			media.LegConfig{Directions: bothKinds})
		if err := callee.RequestKeyframe(); err != nil {
			t.Error("before the first packet:", err)
		}
		source.WritePacket(media.Packet{Payload: []byte{0x10, 0}})
		synctest.Wait() // it has arrived
		if err := callee.RequestKeyframe(); err != nil {
			t.Fatal(err)
		}
		<-asked
		var track *errs.MediaTrackError
		audio := newLeg(t, media.LegConfig{Directions: audioOnly})
		if err := audio.RequestKeyframe(); !errors.As(err, &track) {
			t.Error(err)
		}
		if err := caller.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTestPatternBeginsAnewWhenAKeyframeIsAskedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		_, callee := pairIn(t, n,
			media.LegConfig{Directions: bothKinds, VideoSource: media.NewTestPattern()},
			media.LegConfig{Directions: bothKinds, VideoSink: got.sink()})
		time.Sleep(time.Second)
		before := len(got.snapshot())
		if err := callee.RequestKeyframe(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(250 * time.Millisecond)
		keys := 0
		for _, p := range got.snapshot()[before:] {
			if p.Payload[0]&0x10 != 0 && p.Payload[4]&1 == 0 {
				keys++
			}
		}
		if keys != 1 {
			t.Errorf("%d keyframes", keys)
		}
	})
}

func TestRecorderAsksForTheKeyframeItNeeds(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		asked := make(chan struct{}, 10)
		source := media.NewRTPSource(media.VP8)
		source.OnKeyframeRequest(func() { asked <- struct{}{} })
		file := &buffer{}
		_, callee := pairIn(t, n, media.LegConfig{Directions: bothKinds, VideoSource: source},
			media.LegConfig{Directions: bothKinds, VideoSink: media.NewIVFSink(file)})
		time.Sleep(2 * time.Second)
		for i := range 10 {
			payload := []byte{0x10, 1, 2, 3}
			if i == 5 {
				<-asked
				payload = []byte{0x10, 0, 2, 3, 0x9d, 1, 0x2a, 160, 0, 120, 0}
			}
			source.WritePacket(media.Packet{SequenceNumber: uint16(i), Timestamp: uint32(i) * 9000, Marker: true, Payload: payload})
			time.Sleep(100 * time.Millisecond)
		}
		if err := callee.Close(); err != nil {
			t.Error(err)
		}
		all := pictures(t, &file.Buffer)
		if len(all) != 5 || all[0].data[0]&1 != 0 || all[0].at < 2*time.Second {
			t.Errorf("%d pictures", len(all))
		}
	})
}

func TestTrackOfPionIsASource(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA}, "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		got := newPackets()
		caller, _ := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: media.FromTrack(track)},
			media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
		for i := range 5 {
			err := track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * 160}, Payload: []byte{1, 2}})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range got.await(t, 5) {
			if !p.Codec.Is(media.PCMA) || !bytes.Equal(p.Payload, []byte{1, 2}) {
				t.Errorf("%+v", p)
			}
		}
		if err := caller.Replace(media.KindAudio, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		n1 := len(got.snapshot())
		if err := track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{9}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it would have arrived
		for _, p := range got.snapshot()[n1:] {
			if len(p.Payload) == 1 {
				t.Error("a track that was replaced still sends")
			}
		}
	})
}

// TestReplaceKeepsTheClock: however often sources take over, and wherever in a frame,
// the stream is no further than the time that has passed.
func TestReplaceKeepsTheClock(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		got := newPackets()
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 440, -12)},
			media.LegConfig{Directions: audioOnly, AudioSink: got.sink()})
		for i := range 40 {
			time.Sleep(105 * time.Millisecond) // a quarter of a frame further each time
			if err := caller.Replace(media.KindAudio, tone(t, 440+float64(i), -12)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		all := got.snapshot()
		first := all[0]
		for i, p := range all {
			sent := time.Duration(p.Timestamp-first.Timestamp) * time.Second / time.Duration(p.Codec.ClockRate)
			if ahead := sent - p.ArrivedAt.Sub(first.ArrivedAt); ahead > 5*time.Millisecond || ahead < -25*time.Millisecond {
				t.Fatalf("packet %d is %v ahead of the clock", i, ahead)
			}
		}
		if stats := callee.Stats().Audio; stats.PacketsLost != 0 || stats.Jitter > 5*time.Millisecond {
			t.Errorf("%+v", stats)
		}
	})
}

func TestReplaceGoesOnInTheSameStream(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		heard, got := newRecording(), newPackets()
		caller, callee := pairIn(t, n,
			media.LegConfig{Directions: audioOnly, AudioSource: tone(t, 440, -12), AudioSink: got.sink()},
			media.LegConfig{Directions: audioOnly, AudioSink: heard.sink(t, 8000, 1), AudioSource: tone(t, 600, -12)})
		time.Sleep(time.Second)
		isTone(t, heard.snapshot(), 8000, 440, -12)
		if err := caller.Replace(media.KindAudio, tone(t, 1000, -20)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		isTone(t, heard.snapshot(), 8000, 1000, -20)
		if stats := callee.Stats().Audio; stats.PacketsLost != 0 {
			t.Errorf("%+v", stats)
		}
		speech, err := media.NewOggSource(openFile(t, "speech.ogg"), nil)
		if err != nil {
			t.Fatal(err)
		}
		var track *errs.MediaTrackError
		if err := caller.Replace(media.KindAudio, speech); !errors.As(err, &track) {
			t.Error("Opus where G.711 was negotiated:", err)
		}
		time.Sleep(time.Second)
		isTone(t, heard.snapshot(), 8000, 1000, -20)
	})
}
