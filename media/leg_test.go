package media_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
)

func TestLegsConnectWithATransportForEachSection(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		states := newStates()
		audio, video := newPackets(), newPackets()
		source := media.NewRTPSource(media.VP8)
		caller := newLeg(t, media.LegConfig{Directions: bothKinds, VideoSource: source, OnState: states.note, SettingEngine: n.at(here)})
		callee := newLeg(t, media.LegConfig{Directions: bothKinds, AudioSink: audio.sink(), VideoSink: video.sink(), SettingEngine: n.at(there)})

		offer, answer := exchange(t, caller, callee)
		for name, sdp := range map[string]string{"offer": offer, "answer": answer} {
			if strings.Contains(sdp, "BUNDLE") {
				t.Errorf("the %s bundles", name)
			}
			if a, v := strings.Index(sdp, "m=audio"), strings.Index(sdp, "m=video"); a < 0 || v < a {
				t.Errorf("the %s has not audio, then video", name)
			}
			ports := map[string]bool{}
			for line := range strings.Lines(sdp) {
				if words := strings.Fields(line); strings.HasPrefix(line, "m=") {
					ports[words[1]] = true
				}
			}
			if len(ports) != 2 || strings.Count(sdp, "a=ice-ufrag:") != 2 || strings.Count(sdp, "a=fingerprint:") != 2 {
				t.Errorf("the %s has sections that share a transport", name)
			}
		}
		states.await(t, media.StateConnected)
		synctest.Wait() // the sources run
		for i, p := range audio.await(t, 5) {
			if p.Codec.String() != "opus/48000/2" || !bytes.Equal(p.Payload, []byte{0xf8, 0xff, 0xfe}) {
				t.Errorf("audio packet %d is %v, % x", i, p.Codec, p.Payload)
			}
		}
		frame := []byte{0x10, 0x00, 0x9d, 0x01, 0x2a}
		for i := range 10 {
			if !source.WritePacket(media.Packet{SequenceNumber: uint16(65530 + i), Timestamp: uint32(i) * 3000, Marker: true, Payload: frame}) {
				t.Fatal("nothing to send on although the leg is connected")
			}
		}
		got := video.await(t, 10)
		for i, p := range got {
			if !p.Marker || !bytes.Equal(p.Payload, frame) || !p.Codec.Is(media.VP8) ||
				p.SequenceNumber-got[0].SequenceNumber != uint16(i) || p.Timestamp-got[0].Timestamp != uint32(i)*3000 {
				t.Errorf("video packet %d is %+v", i, p)
			}
		}
	})
}

func TestClosedLegIsClosed(t *testing.T) {
	states := newStates()
	caller := newLeg(t, media.LegConfig{Directions: audioOnly, OnState: states.note})
	callee := newLeg(t, media.LegConfig{Directions: audioOnly})
	exchange(t, caller, callee)
	states.await(t, media.StateConnected)
	start := time.Now()
	if err := caller.Close(); err != nil {
		t.Error(err)
	}
	t.Log("close took", time.Since(start))
	states.await(t, media.StateClosed)
	if caller.Err() == nil || caller.State() != media.StateClosed {
		t.Error("not closed")
	}
	if _, err := caller.Offer(t.Context()); err == nil {
		t.Error("a closed leg makes offers")
	}
}
