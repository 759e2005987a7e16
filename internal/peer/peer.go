// Package peer makes and closes peer connections of pion so that closing always
// ends, for the two rooms that have some: media and the gateway.
package peer

import (
	"errors"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	// patience is how long a connection may take to close by itself.
	patience = 1500 * time.Millisecond
	// grace is how long it may take when nothing can be sent any more.
	grace = 500 * time.Millisecond
)

// ErrStuck is what [Close] returns of a connection that did not close in time.
var ErrStuck = errors.New("the peer connection has not closed within two seconds and is left behind")

// Close closes a connection that was made with [Guard] and waits until nothing is
// left of it, but no longer than two seconds. Who then still holds it up, such as
// a relay reached by TCP that takes nothing any more, has lost its transport, and
// its goroutines end when they notice. Close must not run inside a callback of the
// connection.
func Close(pc *webrtc.PeerConnection) error {
	done := make(chan error, 1)
	go func() { done <- pc.GracefulClose() }() // waited for here, but for the one that is stuck
	if err, ok := within(patience, done); ok {
		return err
	}
	go func() { _ = pc.SCTP().Transport().ICETransport().Stop() }() // lets go of who is stuck, and may be so itself
	if err, ok := within(grace, done); ok {
		return err
	}
	return ErrStuck
}

func within(d time.Duration, done <-chan error) (error, bool) {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case err := <-done:
		return err, true
	case <-late.C:
		return nil, false
	}
}
