package media_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callrx/callrx/media"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// A plainPeer is a far end that does not use this package: a peer connection of
// pion as it comes.
type plainPeer struct {
	pc    *webrtc.PeerConnection
	track *openTrack
	got   chan *rtp.Packet
}

// An openTrack shows what is below it, so that a test can write any header.
type openTrack struct {
	*webrtc.TrackLocalStaticRTP
	raw chan webrtc.TrackLocalWriter
}

func (o *openTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	o.raw <- c.WriteStream()
	return o.TrackLocalStaticRTP.Bind(c)
}

func newPlainPeer(t testing.TB, n *network, kind media.Kind, mime string) *plainPeer {
	t.Helper()
	var settings webrtc.SettingEngine
	settings.SetICEMulticastDNSMode(1) // off
	settings.SetHandleUndeclaredSSRCWithoutAnswer(true)
	n.at(there)(&settings)
	var engine webrtc.MediaEngine
	if err := engine.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(&engine)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	p := &plainPeer{pc: pc, got: make(chan *rtp.Packet, 1000)}
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, kind.String(), "plain")
	if err != nil {
		t.Fatal(err)
	}
	p.track = &openTrack{track, make(chan webrtc.TrackLocalWriter, 1)}
	if _, err := pc.AddTrack(p.track); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		reading.Go(func() {
			for {
				packet, _, err := track.ReadRTP()
				if err != nil {
					return
				}
				select {
				case p.got <- packet:
				default: // a test that has failed does not read
				}
			}
		})
	})
	t.Cleanup(func() {
		if err := pc.GracefulClose(); err != nil {
			t.Error(err)
		}
		reading.Wait()
	})
	return p
}

// answer takes one section of an offer and returns one section of an answer.
func (p *plainPeer) answer(t testing.TB, offer string) string {
	t.Helper()
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		t.Fatal(err)
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.gathered(t, answer)
}

func (p *plainPeer) offer(t testing.TB) string {
	t.Helper()
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.gathered(t, offer)
}

func (p *plainPeer) gathered(t testing.TB, d webrtc.SessionDescription) string {
	t.Helper()
	done := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(d); err != nil {
		t.Fatal(err)
	}
	<-done
	return p.pc.LocalDescription().SDP
}

// sections cuts an SDP into its head and its media sections.
func sections(sdp string) (head string, media []string) {
	parts := strings.Split(sdp, "m=")
	for _, part := range parts[1:] {
		media = append(media, "m="+part)
	}
	return parts[0], media
}

// only is an SDP with one of its sections, in a bundle with itself, because pion
// turns down what is in none.
func only(sdp string, i int) string {
	head, media := sections(sdp)
	_, mid, _ := strings.Cut(media[i], "a=mid:")
	mid, _, _ = strings.Cut(mid, "\r\n")
	return withoutBundle(head) + "a=group:BUNDLE " + mid + "\r\n" + media[i]
}

func withoutBundle(sdp string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if !strings.HasPrefix(line, "a=group:") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// withoutStreams hides which streams will come, as some gateways do.
func withoutStreams(sdp string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if !strings.HasPrefix(line, "a=ssrc") && !strings.HasPrefix(line, "a=msid") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// join makes one unbundled SDP of two with one section each, moving what the heads
// say about transports into the sections.
func join(a, b string) string {
	headA, mediaA := sections(a)
	_, mediaB := sections(b)
	return withoutBundle(withoutFingerprint(headA)) + mediaA[0] + fingerprint(a) + mediaB[0] + fingerprint(b)
}

func fingerprint(sdp string) string {
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "a=fingerprint:") {
			return line
		}
	}
	return ""
}

func withoutFingerprint(head string) string { return strings.ReplaceAll(head, fingerprint(head), "") }

func TestLegTalksToOnePeerConnectionForEachSection(t *testing.T) {
	for name, edit := range map[string]func(string) string{
		"streams announced":     func(s string) string { return s },
		"streams not announced": withoutStreams,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				states, audio, video := newStates(), newPackets(), newPackets()
				source := media.NewRTPSource()
				leg := newLeg(t, media.LegConfig{
					Directions: bothKinds, OnState: states.note, SettingEngine: n.at(here),
					AudioSink: audio.sink(), VideoSink: video.sink(), VideoSource: source,
				})
				a := newPlainPeer(t, n, media.KindAudio, webrtc.MimeTypePCMU)
				v := newPlainPeer(t, n, media.KindVideo, webrtc.MimeTypeVP8)
				offer, err := leg.Offer(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				answer := join(a.answer(t, only(offer, 0)), v.answer(t, only(offer, 1)))
				if err := leg.Accept(t.Context(), edit(answer)); err != nil {
					t.Fatal(err)
				}
				states.await(t, media.StateConnected)
				synctest.Wait() // the sources run
				for i := range 10 {
					source.WritePacket(media.Packet{SequenceNumber: uint16(i), Payload: []byte{0x10, 0}})
					mustWrite(t, a.track, i, []byte("sound"))
					mustWrite(t, v.track, i, []byte{0x10, 0, 1})
					time.Sleep(20 * time.Millisecond)
				}
				if got := audio.await(t, 10); string(got[0].Payload) != "sound" || !got[0].Codec.Is(media.PCMU) {
					t.Errorf("audio %+v", got[0])
				}
				if got := video.await(t, 10); !got[0].Codec.Is(media.VP8) {
					t.Errorf("video %+v", got[0])
				}
				for range 10 {
					<-a.got
					<-v.got
				}
			})
		})
	}
}

func mustWrite(t testing.TB, track *openTrack, i int, payload []byte) {
	t.Helper()
	err := track.WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i * 160)},
		Payload: payload,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnswerNeverBundles(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		states, audio := newStates(), newPackets()
		leg := newLeg(t, media.LegConfig{
			Directions: bothKinds, OnState: states.note, SettingEngine: n.at(here), AudioSink: audio.sink(),
		})
		peer := newPlainPeer(t, n, media.KindAudio, webrtc.MimeTypePCMU)
		offer := peer.offer(t)
		if !strings.Contains(offer, "a=group:BUNDLE 0\r\n") {
			t.Fatalf("the offer of one section does not bundle it: %s", offer)
		}
		answer, err := leg.Answer(t.Context(), offer)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(answer, "BUNDLE") || strings.Contains(answer, "m=video") {
			t.Error(answer)
		}
		if err := peer.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
			t.Fatal(err)
		}
		states.await(t, media.StateConnected)
		synctest.Wait() // the peer is connected too
		mustWrite(t, peer.track, 0, []byte("sound"))
		audio.await(t, 1)
		<-peer.got
	})
}

func TestFarEndMayChangeItsStreamWithoutAWord(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		states, audio := newStates(), newPackets()
		leg := newLeg(t, media.LegConfig{
			Directions: audioOnly, OnState: states.note, SettingEngine: n.at(here), AudioSink: audio.sink(),
		})
		peer := newPlainPeer(t, n, media.KindAudio, webrtc.MimeTypePCMU)
		answer, err := leg.Answer(t.Context(), peer.offer(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := peer.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
			t.Fatal(err)
		}
		states.await(t, media.StateConnected)
		synctest.Wait() // the peer is connected too
		mustWrite(t, peer.track, 0, []byte("before"))
		audio.await(t, 1)
		other := &rtp.Header{Version: 2, SSRC: 4711, SequenceNumber: 9}
		if _, err := (<-peer.track.raw).WriteRTP(other, []byte("after")); err != nil {
			t.Fatal(err)
		}
		if got := audio.await(t, 2)[1]; string(got.Payload) != "after" || got.SSRC != 4711 {
			t.Errorf("%+v", got)
		}
		if stats := leg.Stats().Audio; stats.PacketsLost != 0 || stats.PacketsReceived != 2 {
			t.Errorf("%+v", stats)
		}
	})
}
