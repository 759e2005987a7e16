package session

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/callrx/callrx/internal/wire"
)

// An Event is one signalling event of the service, known to the SDK or not.
type Event struct {
	// Sequence counts the events of a client from 1, without gaps.
	Sequence uint64
	// Type is the event's name on the wire, for example "call.joined".
	Type string
	// ReceivedAt is the local time of arrival.
	ReceivedAt time.Time
	// Timestamp is the service's, in the unit it uses for this type (seconds
	// for calls, microseconds for members); 0 when absent.
	Timestamp float64
	ProjectID string
	NodeID    string
	// Payload is the event's body, shared by all observers: do not change it.
	Payload json.RawMessage
}

func newEvent(e wire.Event, sequence uint64) *Event {
	text := string(e.Timestamp)
	if n := len(text); n >= 2 && text[0] == '"' {
		text = text[1 : n-1]
	}
	stamp, _ := strconv.ParseFloat(text, 64)
	return &Event{
		Sequence: sequence, Type: e.Type, ReceivedAt: time.Now(), Timestamp: stamp,
		ProjectID: e.ProjectID, NodeID: e.NodeID, Payload: json.RawMessage(e.Params),
	}
}
