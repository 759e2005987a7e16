package peer_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/callrx/callrx/internal/peer"
	"github.com/pion/webrtc/v4"
)

// TestWhoReadsATrackIsLetGo, though pion has ended nothing: before the end, and after.
func TestWhoReadsATrackIsLetGo(t *testing.T) {
	near, far := newSide(t, quiet{}), newSide(t, quiet{})
	arrived := make(chan *webrtc.RTPReceiver, 1)
	near.pc.OnTrack(func(_ *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) { arrived <- receiver })
	connect(t, far, near)
	receiver := <-arrived
	track := receiver.Track()
	var tracks, late peer.Tracks
	tracks.Add(track, receiver)
	ends := func() {
		t.Helper()
		for { // what has arrived comes first
			if _, _, err := track.ReadRTP(); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(err)
				}
				return
			}
		}
	}
	go tracks.End()
	ends()
	near.want(track.SetReadDeadline(time.Time{}))
	late.End()
	go late.Add(track, receiver)
	ends()
	near.close()
	far.close()
}

// Who reads the reports about a track is let go as who reads the track is: both streams
// are opened together, and pion ends neither when the receiver was stopped first.
func TestWhoReadsTheReportsOfATrackIsLetGo(t *testing.T) {
	near, far := newSide(t, quiet{}), newSide(t, quiet{})
	// A receiver that is stopped just before pion opens its streams, as in the race.
	connect(t, far, near)
	for near.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
		near.pass(1)
	}
	receiver, err := webrtc.NewAPI().NewRTPReceiver(webrtc.RTPCodecTypeAudio, near.pc.SCTP().Transport())
	near.want(err)
	near.want(receiver.Stop())
	near.want(receiver.Receive(webrtc.RTPReceiveParameters{Encodings: []webrtc.RTPDecodingParameters{
		{RTPCodingParameters: webrtc.RTPCodingParameters{SSRC: 4711}},
	}}))
	var tracks peer.Tracks
	tracks.Add(receiver.Track(), receiver)
	reading, reports := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(reading)
		for range 100 { // pion chooses at random whether it looks at what has been stopped
			if _, _, err := receiver.Track().ReadRTP(); errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
		}
	}()
	go func() {
		defer close(reports)
		buf := make([]byte, 1500)
		for range 100 {
			if _, _, err := receiver.Read(buf); errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
		}
	}()
	near.close()
	tracks.End()
	far.close()
	for what, done := range map[string]chan struct{}{"track": reading, "reports": reports} {
		select {
		case <-done:
		case <-time.After(3 * time.Second):
			t.Errorf("who reads the %s waits still", what)
		}
	}
}
