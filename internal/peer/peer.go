// Package peer closes peer connections of pion, for the two rooms that have
// some: media and the gateway.
package peer

import (
	"time"

	"github.com/pion/webrtc/v4"
)

// settling is how long pion gets to take up a transport that has just connected.
const settling = 20 * time.Millisecond

// Close closes a connection and waits until nothing is left of it. It has been
// connected since the time given; zero: the caller does not know of it. Close
// must not run inside a callback of the connection.
//
// A packet that arrives as soon as a transport has connected waits for pion to
// begin reading, and pion (v4.2.26) for the lock that closing holds until that
// packet is gone: whoever closes in between waits for ever. Beginning takes
// microseconds, so Close gives it the time, and first stops what is about to
// connect.
func Close(pc *webrtc.PeerConnection, since time.Time) error {
	transport := pc.SCTP().Transport()
	switch transport.State() {
	case webrtc.DTLSTransportStateConnecting:
		_ = transport.ICETransport().Stop()
		time.Sleep(settling)
	case webrtc.DTLSTransportStateConnected:
		if since.IsZero() {
			since = time.Now()
		}
		time.Sleep(settling - time.Since(since))
	}
	return pc.GracefulClose()
}
