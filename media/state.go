package media

import (
	"fmt"

	"github.com/pion/webrtc/v4"
)

// State is how the transports of a leg are doing, all of them together.
type State int

const (
	// StateNew is before the first exchange of SDP is complete, the one of
	// [Leg.Renew] too.
	StateNew State = iota
	// StateConnecting is while at least one section is on its way.
	StateConnecting
	// StateConnected is when every section can carry media.
	StateConnected
	// StateDisconnected is when a section has lost its far end, for the moment or
	// because the far end has closed it.
	StateDisconnected
	// StateFailed is when a section has given its far end up. [Leg.Restart] may
	// bring it back.
	StateFailed
	// StateClosed is after [Leg.Close]. It is final.
	StateClosed
)

// String is a word such as "connected".
func (s State) String() string {
	switch s {
	case StateNew:
		return "new"
	case StateConnecting:
		return "connecting"
	case StateConnected:
		return "connected"
	case StateDisconnected:
		return "disconnected"
	case StateFailed:
		return "failed"
	case StateClosed:
		return "closed"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// sum is the state of sections together: the worst of them, where being on the
// way is better than lost but worse than there.
func sum(sections []webrtc.PeerConnectionState) State {
	if len(sections) == 0 {
		return StateNew
	}
	worst := StateConnected
	for _, s := range sections {
		if t := stateOf(s); t == StateConnecting && worst == StateConnected || t > StateConnected && t > worst {
			worst = t
		}
	}
	return worst
}

func stateOf(s webrtc.PeerConnectionState) State {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		return StateConnected
	case webrtc.PeerConnectionStateDisconnected, webrtc.PeerConnectionStateClosed:
		return StateDisconnected
	case webrtc.PeerConnectionStateFailed:
		return StateFailed
	}
	return StateConnecting
}
