package media_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// TestBandwidthIsWhatTheFarEndBelieves: a far end of another make sends what
// libwebrtc does, and the leg says so, in its figures and in a monitor's.
func TestBandwidthIsWhatTheFarEndBelieves(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		states, source := newStates(), media.NewRTPSource(media.VP8)
		leg := newLeg(t, media.LegConfig{
			Directions: media.Directions{Video: media.SendRecv}, VideoSource: source,
			OnState: states.note, SettingEngine: n.at(here),
		})
		far := newPlainPeer(t, n, media.KindVideo, webrtc.MimeTypeVP8)
		offer, err := leg.Offer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(offer, "a=rtcp-fb:96 goog-remb") {
			t.Errorf("estimates are not asked for: %s", offer)
		}
		if err := leg.Accept(t.Context(), far.answer(t, only(offer, 0))); err != nil {
			t.Fatal(err)
		}
		states.await(t, media.StateConnected)
		synctest.Wait() // the source runs
		source.WritePacket(media.Packet{Payload: []byte{0x10, 0}})
		ssrc := (<-far.got).SSRC
		monitor := media.NewMonitor(media.MonitorConfig{})
		for _, test := range []struct {
			tells float32
			about uint32
			want  int
		}{
			{0, 0, 0}, // nothing yet
			{120_000, ssrc, 120_000},
			{700_000, ssrc + 1, 120_000}, // somebody else's
			{2_500_000, ssrc, 2_500_000},
			{1e20, ssrc, 1_000_000_000}, // no limit, and none that an int cannot hold
		} {
			if test.about != 0 {
				estimate := &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: test.tells, SSRCs: []uint32{test.about}}
				if err := far.pc.WriteRTCP([]rtcp.Packet{estimate}); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			stats := leg.Stats()
			monitor.Add(stats)
			history := monitor.History()
			if got := history[len(history)-1]; stats.OutgoingBitrate != test.want || got.AvailableOutgoingBitrate != test.want {
				t.Errorf("told %v of %d: %d, in the metrics %d, want %d", test.tells, test.about,
					stats.OutgoingBitrate, got.AvailableOutgoingBitrate, test.want)
			}
		}
	})
}
